// What the steps of a room's tick and of a packet's way cost, each alone. The sum of a tick is
// room_tick_bench's, that of whole calls engine_bench's.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "media/gst/dtls_srtp.h"
#include "media/gst/srtp_session.h"
#include "media/leg_decoder.h"
#include "media/limiter.h"
#include "media/loudness.h"
#include "media/mix_encoder.h"
#include "media/mix_minus.h"
#include "media/rtcp.h"
#include "media/rtp_header.h"
#include "media/stun_screen.h"
#include "media/time_stretch.h"
#include "tools/bench/voice.h"

namespace {

using namespace media;

// Frames.

const bench::Second& a_voice() {
  static const bench::Second voice = bench::voice(110);
  return voice;
}

// So many say the same at once: 1 needs no limiter, 20 do.
Sum sum_of(std::size_t frame, std::int32_t voices) {
  Sum sum;
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = voices * a_voice()[frame][i];
  return sum;
}

void summing(benchmark::State& state) {
  std::vector<const Frame*> in;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    in.push_back(&a_voice()[static_cast<std::size_t>(i) % 50]);
  }
  Sum total;
  for (auto _ : state) {
    sum_frames(in, total);
    benchmark::DoNotOptimize(total);
  }
}
BENCHMARK(summing)->ArgName("legs")->Arg(3)->Arg(20);

void subtracting_own(benchmark::State& state) {
  const Sum total = sum_of(0, 3);
  Sum minus;
  for (auto _ : state) {
    subtract(total, &a_voice()[0], minus);
    benchmark::DoNotOptimize(minus);
  }
}
BENCHMARK(subtracting_own);

void limiting(benchmark::State& state) {
  std::vector<Sum> sums;
  for (std::size_t i = 0; i < 50; ++i) {
    sums.push_back(sum_of(i, static_cast<std::int32_t>(state.range(0))));
  }
  Limiter limiter;
  Frame out;
  std::size_t tick = 0;
  for (auto _ : state) {
    limiter.process(sums[tick++ % sums.size()], out);
    benchmark::DoNotOptimize(out);
  }
  state.counters["gain"] = limiter.gain();
}
BENCHMARK(limiting)->ArgName("voices")->Arg(1)->Arg(20);

void measuring_level(benchmark::State& state) {
  std::size_t tick = 0;
  for (auto _ : state) benchmark::DoNotOptimize(frame_level_dbov(a_voice()[tick++ % 50]));
}
BENCHMARK(measuring_level);

void finding_period(benchmark::State& state) {
  std::vector<std::int16_t> sound;
  for (const Frame& frame : a_voice()) sound.insert(sound.end(), frame.begin(), frame.end());
  std::size_t tick = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(find_period(&sound[480 * (tick++ % 90)], true, kMostPeriod_samples));
  }
}
BENCHMARK(finding_period);

void choosing_speakers(benchmark::State& state) {
  const auto legs = static_cast<std::size_t>(state.range(0));
  std::vector<VoiceActivity> activities(legs);
  std::vector<SpeakerCandidate> candidates(legs);
  std::vector<SpeakerCandidate*> order(legs);
  for (std::size_t i = 0; i < legs; ++i) candidates[i].activity = &activities[i];
  for (auto _ : state) {
    // Five talk, for three slots.
    for (std::size_t i = 0; i < legs; ++i) activities[i].update(i < 5 ? 30 : kSilence_dbov);
    choose_speakers(candidates, 3, order);
    benchmark::DoNotOptimize(candidates.data());
  }
}
BENCHMARK(choosing_speakers)->ArgName("legs")->Arg(20)->Arg(500);

// Opus.

void encoding(benchmark::State& state) {
  MixEncoder encoder;
  encoder.start({});
  encoder.set_complexity(static_cast<int>(state.range(0)));
  std::vector<Sum> sums;
  for (std::size_t i = 0; i < 50; ++i) sums.push_back(sum_of(i, 1));
  std::size_t tick = 0;
  for (auto _ : state) {
    encoder.note(false);
    benchmark::DoNotOptimize(encoder.encode(sums[tick++ % sums.size()]).data());
  }
}
BENCHMARK(encoding)->ArgName("complexity")->Arg(MixEncoder::kComplexity)->Arg(5)->Arg(0);

void forking(benchmark::State& state) {
  MixEncoder origin, copy;
  origin.start({});
  for (auto _ : state) {
    copy.fork(origin, {});
    benchmark::DoNotOptimize(&copy);
  }
}
BENCHMARK(forking);

void decoding(benchmark::State& state) {
  const auto packets = bench::encoded(a_voice());
  LegDecoder decoder;
  Frame frame;
  std::size_t tick = 0;
  for (auto _ : state) {
    decoder.decode(packets[tick++ % packets.size()], kFrame_samples);
    decoder.take(frame);
    benchmark::DoNotOptimize(frame);
  }
}
BENCHMARK(decoding);

void concealing(benchmark::State& state) {  // every second packet
  const auto packets = bench::encoded(a_voice());
  LegDecoder decoder;
  Frame frame;
  std::size_t tick = 0;
  for (auto _ : state) {
    decoder.decode(packets[tick++ % packets.size()], kFrame_samples);
    decoder.recover({}, kFrame_samples);
    decoder.take(frame);
    decoder.take(frame);
    benchmark::DoNotOptimize(frame);
  }
}
BENCHMARK(concealing);

// Packets.

constexpr std::uint8_t kLevels = 1;
constexpr std::size_t kPayload_bytes = 80;  // 32 kbit/s

// Of three contributors.
std::vector<std::uint8_t> rtp_packet(std::uint16_t sequence) {
  const std::array<Contributor, 3> contributors{{{1, 30}, {2, 40}, {3, 50}}};
  std::vector<std::uint8_t> packet(kMaxRtpHeaderBytes);
  packet.resize(
      write_rtp_header({.payload_type = 111, .sequence = sequence}, contributors, kLevels, packet));
  packet.resize(packet.size() + kPayload_bytes);
  packet.reserve(packet.size() + gst::DtlsSrtp::kTrailer);
  return packet;
}

void writing_rtp(benchmark::State& state) {
  const std::array<Contributor, 3> contributors{{{1, 30}, {2, 40}, {3, 50}}};
  std::array<std::uint8_t, kMaxRtpHeaderBytes> out;
  std::uint16_t sequence = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(write_rtp_header({.payload_type = 111, .sequence = sequence++},
                                              contributors, kLevels, out));
  }
}
BENCHMARK(writing_rtp);

void reading_rtp(benchmark::State& state) {
  const auto bytes = rtp_packet(1);
  for (auto _ : state) {
    const auto packet = parse_rtp(bytes);
    benchmark::DoNotOptimize(read_contributors(*packet, kLevels).size());
  }
}
BENCHMARK(reading_rtp);

void reading_rtcp(benchmark::State& state) {
  const std::array<rtcp::Packet, 2> report{
      rtcp::ReceiverReport{.ssrc = 1, .blocks = {{.ssrc = 2, .fraction_lost = 3}}},
      rtcp::SourceDescription{.ssrc = 1, .cname = "A0jZ1IhrJrbJrbYQ"}};
  const auto datagram = rtcp::write(report);
  for (auto _ : state) benchmark::DoNotOptimize(rtcp::parse(datagram));
}
BENCHMARK(reading_rtcp);

void screening_stun(benchmark::State& state) {
  // A check with a user name of eight bytes, priority, role, integrity and fingerprint.
  std::vector<std::uint8_t> check{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42};
  check.resize(20);
  const auto add = [&](std::uint16_t type, std::uint8_t bytes) {
    check.insert(check.end(), {static_cast<std::uint8_t>(type >> 8),
                               static_cast<std::uint8_t>(type & 0xFF), 0, bytes});
    check.resize(check.size() + bytes);
  };
  add(0x0006, 8), add(0x0024, 4), add(0x802A, 8), add(0x0008, 20), add(0x8028, 4);
  check[3] = static_cast<std::uint8_t>(check.size() - 20);
  if (screen_stun(check) != Screened::check) state.SkipWithError("is no check");
  for (auto _ : state) benchmark::DoNotOptimize(screen_stun(check));
}
BENCHMARK(screening_stun);

// `and_back`: unprotects it, too.
void protecting(benchmark::State& state, gst::SrtpProfile profile, bool and_back) {
  gst::start_srtp();
  // The same keys both ways: what it has protected it can read.
  const std::vector<std::uint8_t> key(
      gst::srtp_key_length(profile) + gst::srtp_salt_length(profile), 7);
  gst::SrtpSession session(profile, {.send = key, .receive = key}, 0);
  std::uint16_t sequence = 0;
  for (auto _ : state) {
    auto packet = rtp_packet(sequence++);
    const std::size_t size = packet.size();
    packet.resize(size + gst::DtlsSrtp::kTrailer);
    const auto bytes = session.protect_rtp(packet, size);
    if (!bytes) return state.SkipWithError("was not protected");
    if (and_back && !session.unprotect_rtp(std::span(packet).first(*bytes))) {
      return state.SkipWithError("was not read");
    }
    benchmark::DoNotOptimize(packet.data());
  }
}
BENCHMARK_CAPTURE(protecting, gcm, gst::SrtpProfile::aead_aes_128_gcm, false);
BENCHMARK_CAPTURE(protecting, gcm_and_back, gst::SrtpProfile::aead_aes_128_gcm, true);
BENCHMARK_CAPTURE(protecting, sha1, gst::SrtpProfile::aes128_cm_sha1_80, false);
BENCHMARK_CAPTURE(protecting, sha1_and_back, gst::SrtpProfile::aes128_cm_sha1_80, true);

}  // namespace

BENCHMARK_MAIN();
