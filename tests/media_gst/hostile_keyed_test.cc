// What a peer may send with its keys, so that it passes SRTP: nobody else hears of it, and nothing
// of it stays.
#include <gtest/gtest.h>

#include <ostream>
#include <random>
#include <thread>

#include "media/rtcp.h"
#include "tests/media_gst/hostile_peer.h"
#include "tests/media_gst/room_of_three.h"
#include "tests/support/in_use.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"

namespace media::gst {
namespace {

using namespace std::chrono_literals;
using support::Bytes;

constexpr std::uint32_t kOthers[] = {0x10001, 0x10002, 0x10003};  // SSRCs in the room

class Mischief {
 public:
  Mischief(HostilePeer& peer, unsigned seed) : peer_(peer), random_(seed) { begin_anew(); }

  // As long as that, 20 ms and once more at a time.
  void go_on(std::chrono::milliseconds time, const std::function<void()>& once) {
    begin_anew();
    auto next = std::chrono::steady_clock::now();
    for (auto left = time; left > 0ms; left -= kTick) {
      once();
      while (const auto datagram = peer_.end.receive(0ms)) peer_.take(*datagram);
      std::this_thread::sleep_until(next += kTick);
    }
  }
  std::size_t sent() const { return sent_; }

  // RTP (RFC 3550 §5.1).
  void duplicates() {
    const auto packet = peer_.seal_rtp(rtp(random_opus(0x78, 60)));
    for (int i = 0; packet && i < 10; ++i) send(*packet);
  }
  void sources() {  // 100 a second
    for (int i = 0; i < 2; ++i) {
      begin_anew();
      send(peer_.seal_rtp(rtp(random_opus(0x78, 60))));
    }
  }
  void lies_in_headers() {
    for (int i = 0; i < 4; ++i) {
      auto packet = rtp(bytes(below(200)));
      packet[0] = static_cast<std::uint8_t>(0x80 | below(64));  // padding, extension, CSRCs
      if (below(8) == 0) packet[0] = static_cast<std::uint8_t>(below(256));
      if (below(4) == 0) packet[1] = byte();
      send(peer_.seal_rtp(packet));
    }
  }
  void padding_of_all_lengths() {
    auto packet = rtp(random_opus(0x78, 30));
    packet[0] |= 0x20;
    packet.back() = byte();
    send(peer_.seal_rtp(packet));
  }
  void jumps() {
    sequence_ = static_cast<std::uint16_t>(sequence_ + (below(2) == 0 ? 0x7FFF : 1));
    timestamp_ += below(3) == 0 ? static_cast<std::uint32_t>(random_()) : 0;
    send(peer_.seal_rtp(rtp(random_opus(0x78, 60))));
  }

  // Opus (RFC 6716 §3).
  void frames_of_2_5_ms() {  // 48 of them
    Bytes packet{0x83, 48};
    append(packet, bytes(96));
    send(peer_.seal_rtp(rtp(packet, 5760)));
  }
  void packets_of_120_ms() {
    Bytes packet{0x7B, 6};
    append(packet, bytes(6 * 40));
    send(peer_.seal_rtp(rtp(packet, 5760)));
  }
  void modes() {
    send(peer_.seal_rtp(rtp(random_opus(static_cast<std::uint8_t>(byte() & ~3), 20 + below(80)))));
  }
  void random_payloads() { send(peer_.seal_rtp(rtp(bytes(below(1400))))); }

  // RTCP (RFC 3550 §6).
  void reports_of_31() {
    rtcp::ReceiverReport report{.ssrc = ssrc_, .blocks = {}};
    for (std::size_t i = 0; i < 31; ++i) {
      report.blocks.push_back({.ssrc = below(2) == 0 ? peer_.mixers_ssrc() : kOthers[below(3)],
                               .fraction_lost = 255,
                               .cumulative_lost = static_cast<std::int32_t>(random_()) >> 8,
                               .highest_sequence = static_cast<std::uint32_t>(random_()),
                               .jitter = 0xFFFFFFFF,
                               .last_sr = static_cast<std::uint32_t>(random_()),
                               .delay_since_last_sr = static_cast<std::uint32_t>(random_())});
    }
    send_rtcp({report});
  }
  void byes() {
    rtcp::Bye bye{.ssrcs = {kOthers[0], kOthers[1], kOthers[2]}, .reason = "all of you"};
    if (below(2) == 0) bye.ssrcs.push_back(peer_.mixers_ssrc());
    send_rtcp({rtcp::ReceiverReport{.ssrc = ssrc_, .blocks = {}}, bye});
  }
  void says_it_is_another() {
    send_rtcp({rtcp::SenderReport{.ssrc = peer_.mixers_ssrc(), .blocks = {}},
               rtcp::SourceDescription{.ssrc = kOthers[below(3)], .cname = std::string(255, 'x')}});
  }
  // APP, XR, feedback, or what is none; lengths that are right or not.
  void unknown_rtcp() {
    for (int i = 0; i < 4; ++i) {
      const std::size_t words = 1 + below(40);
      Bytes packet = bytes(4 + 4 * words);
      packet[0] = static_cast<std::uint8_t>(0x80 | below(64));
      packet[1] = static_cast<std::uint8_t>(192 + below(32));
      packet[2] = below(10) == 0 ? byte() : 0;
      packet[3] = below(4) == 0 ? byte() : static_cast<std::uint8_t>(words);
      write(packet, 4, ssrc_);
      send(peer_.seal_rtcp(packet));
    }
  }

 private:
  std::size_t below(std::size_t end) { return random_() % end; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(random_()); }
  Bytes bytes(std::size_t count) {
    Bytes out(count);
    for (auto& each : out) each = byte();
    return out;
  }
  static void append(Bytes& to, const Bytes& more) {
    to.insert(to.end(), more.begin(), more.end());
  }
  static void write(Bytes& packet, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) {
      packet[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }
  }
  Bytes random_opus(std::uint8_t toc, std::size_t size) {
    Bytes packet{toc};
    append(packet, bytes(size));
    return packet;
  }
  Bytes rtp(const Bytes& payload, std::uint32_t samples = kFrame_samples) {
    Bytes packet(kMaxRtpHeaderBytes);
    const RtpHeader header{
        .payload_type = 111, .sequence = sequence_++, .timestamp = timestamp_, .ssrc = ssrc_};
    packet.resize(write_rtp_header(header, {}, 0, packet));
    timestamp_ += samples;
    append(packet, payload);
    return packet;
  }
  void begin_anew() {
    ssrc_ = static_cast<std::uint32_t>(random_());
    peer_.dtls->set_ssrc(ssrc_);
  }
  void send(const std::optional<Bytes>& sealed) {
    if (!sealed) return;
    peer_.end.send(*sealed);
    ++sent_;
  }
  // From whomever it says it is.
  void send_rtcp(const std::vector<rtcp::Packet>& packets) {
    const Bytes packet = rtcp::write(packets);
    std::uint32_t from = 0;
    for (std::size_t i = 4; i < 8; ++i) from = from << 8 | packet[i];
    peer_.dtls->set_ssrc(from);
    send(peer_.seal_rtcp(packet));
    peer_.dtls->set_ssrc(ssrc_);
  }

  HostilePeer& peer_;
  std::mt19937 random_;
  std::uint32_t ssrc_ = 0, timestamp_ = 0;
  std::uint16_t sequence_ = 0;
  std::size_t sent_ = 0;
};

using Oddities = std::vector<void (Mischief::*)()>;
struct Kind {
  const char* name;
  Oddities oddities;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }
const Kind kKinds[] = {
    {"Rtp",
     {&Mischief::duplicates, &Mischief::sources, &Mischief::lies_in_headers,
      &Mischief::padding_of_all_lengths, &Mischief::jumps}},
    {"Opus",
     {&Mischief::frames_of_2_5_ms, &Mischief::packets_of_120_ms, &Mischief::modes,
      &Mischief::random_payloads}},
    {"Rtcp",
     {&Mischief::reports_of_31, &Mischief::byes, &Mischief::says_it_is_another,
      &Mischief::unknown_rtcp}},
};

class HostileKeyed : public testing::TestWithParam<Kind> {};

TEST_P(HostileKeyed, NobodyElseHearsAGap) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  RoomOfThree room;
  HostilePeer peer(room.mixer, RoomOfThree::kRoom);
  peer.connect();
  room.plan({HostilePeer::kLeg}, 0.01F);
  Mischief mischief(peer, seed);
  for (const auto oddity : GetParam().oddities) {
    const std::size_t before = mischief.sent();
    mischief.go_on(500ms, [&] { (mischief.*oddity)(); });
    EXPECT_GE(mischief.sent(), before + 5) << "libsrtp seals enough of them";
  }
  EXPECT_EQ(room.mixer.log.count<LegFailed>(HostilePeer::kLeg), 0U);
  peer.hang_up();
  EXPECT_TRUE(room.listen());
  room.expect_no_gap();
}
INSTANTIATE_TEST_SUITE_P(With, HostileKeyed, testing::ValuesIn(kKinds),
                         [](const auto& info) { return std::string(info.param.name); });

// All of it at once; then the leg goes, and with it what it has cost.
TEST(HostileMemory, ReturnsWhenTheLegGoes) {
  if (!test_support::kKnowsInUse) GTEST_SKIP() << "a sanitizer keeps what was freed";
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  Engine mixer;
  const auto call = [&](unsigned round) {
    const LegId leg{round + 1};
    HostilePeer peer(mixer, RoomId{1}, leg);
    peer.connect();
    mixer.engine->set_mix_plan(RoomId{1}, {.legs = {{.leg = leg}}});
    Mischief mischief(peer, seed + round);
    mischief.go_on(1s, [&] {
      for (const Kind& kind : kKinds) {
        for (const auto oddity : kind.oddities) (mischief.*oddity)();
      }
    });
    EXPECT_EQ(mixer.log.count<LegFailed>(leg), 0U);
    EXPECT_GT(peer.hang_up().received, 200U);
  };
  for (unsigned i = 0; i < 2; ++i) call(i);  // what is allocated once and for all
  constexpr std::size_t kLogged = 20000;     // bytes that the log keeps of a call
  const std::size_t before = test_support::bytes_in_use();
  for (unsigned i = 2; i < 6; ++i) call(i);
  EXPECT_LT(test_support::bytes_in_use(), before + 4 * kLogged);
}

}  // namespace
}  // namespace media::gst
