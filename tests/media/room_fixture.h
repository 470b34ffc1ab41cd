// tests/media/room_fixture.h: a room without GStreamer: callers who send what they are told to, and
// hear what they are sent.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "media/room_mixer.h"
#include "media/rtp_header.h"
#include "tests/support/audio.h"
#include "tests/support/opus_codec.h"

namespace media {

// A caller's end: sends a tone (or nothing), keeps what he hears.
struct Caller {
  explicit Caller(const MixLegSpec& spec) : spec(spec), leg(std::make_unique<MixLeg>(spec)) {}

  void send(std::span<const std::uint8_t> payload, std::uint8_t payload_type,
            std::optional<std::uint8_t> level = std::nullopt, std::uint32_t at = 0,
            std::uint32_t came = PacketRing::kUnknown) {
    std::array<std::uint8_t, kMaxRtpHeaderBytes> header;
    // One contributor's level element is laid out as a client's own level is (RFC 6464, 6465).
    std::size_t bytes =
        write_rtp_header({.payload_type = payload_type,
                          .sequence = sequence++,
                          .timestamp = at != 0 ? at : timestamp,
                          .ssrc = ssrc_base + spec.ssrc},
                         contributors, level ? 0 : spec.rtp.csrc_audio_level, header);
    if (level) {
      header[0] |= 0x10;  // requires: no contributors
      const std::uint8_t element[] = {
          0xBE,   0xDE, 0, 1, static_cast<std::uint8_t>(spec.rtp.ssrc_audio_level << 4),
          *level, 0,    0};
      std::copy(std::begin(element), std::end(element), header.begin() + 12);
      bytes += sizeof element;
    }
    const auto slot = leg->packets().reserve(bytes + payload.size());
    if (slot.empty()) return;
    std::copy_n(header.begin(), bytes, slot.begin());
    std::copy(payload.begin(), payload.end(), slot.begin() + static_cast<std::ptrdiff_t>(bytes));
    leg->packets().commit(came);
  }
  // As much of the tone as is due after `ticks` ticks.
  void speak(std::size_t ticks) {
    while (said < ticks * kFrame_samples) {
      const auto samples =
          test_support::tone(tone_hz, amplitude, static_cast<std::size_t>(ptime_samples), said);
      if (amplitude > 0) {
        send(sender.encode(samples), spec.rtp.opus_payload_type,
             spec.rtp.ssrc_audio_level != 0 ? std::optional<std::uint8_t>(15) : std::nullopt);
      }
      said += static_cast<std::size_t>(ptime_samples);
      timestamp += static_cast<std::uint32_t>(ptime_samples);
    }
  }

  MixLegSpec spec;
  std::unique_ptr<MixLeg> leg;
  test_support::OpusSender sender;
  test_support::OpusReceiver receiver;
  double tone_hz = 440, amplitude = 0;
  int ptime_samples = 960;
  std::vector<Contributor> contributors;  // to what he sends: he is a mixer
  std::size_t said = 0;
  std::uint16_t sequence = 100;
  std::uint32_t ssrc_base = 0x1000;
  std::uint32_t timestamp = 5000;

  // Of the last tick: who he is told contributed.
  std::vector<Contributor> told() const {
    const auto packet = header ? parse_rtp(*header) : std::nullopt;
    const auto list =
        packet ? read_contributors(*packet, spec.rtp.csrc_audio_level) : ContributorList{};
    std::vector<Contributor> told;
    for (std::size_t i = 0; i < list.size(); ++i) told.push_back(list.at(i, 127));
    return told;
  }

  // What came in the last tick, and all that was heard.
  std::optional<std::vector<std::uint8_t>> header;
  const MixEncoder* stream = nullptr;
  std::span<const std::uint8_t> payload{};
  test_support::Samples heard;
};

struct TestRoom {
  explicit TestRoom(std::size_t callers_wanted, RtpParameters rtp = {},
                    std::size_t max_speakers = limits::kDefaultSpeakers)
      : mixer(max_speakers) {
    for (std::size_t i = 0; i < callers_wanted; ++i) add(rtp);
  }
  Caller& add(const RtpParameters& rtp = {}) {
    const auto number = static_cast<std::uint32_t>(callers.size() + 1);
    callers.push_back(std::make_unique<Caller>(
        MixLegSpec{.leg = {number}, .contributor_id = 1000 + number, .ssrc = number, .rtp = rtp}));
    lend(1);
    mixer.add(*callers.back()->leg);
    return *callers.back();
  }
  void set_plan(MixPlan wanted) {
    plans.push_back(std::make_unique<MixPlan>(std::move(wanted)));
    lend(plans.back()->legs.size());
    mixer.set_plan(*plans.back());
  }
  MixPlan everybody() const {
    MixPlan plan;
    for (const auto& caller : callers) plan.legs.push_back({.leg = caller->spec.leg});
    return plan;
  }
  void tick(unsigned skipped = 0) {
    ++ticks;
    for (auto& caller : callers) caller->speak(ticks);
    mixer.tick(skipped);
    for (auto& caller : callers) {
      caller->header.reset();
      caller->stream = nullptr;
      caller->payload = {};
    }
    for (const RoomMixer::Outgoing& out : mixer.outgoing()) {
      for (auto& caller : callers) {
        if (caller->leg.get() != out.leg) continue;
        caller->header.emplace(out.header.begin(), out.header.end());
        caller->stream = out.stream;
        caller->payload = out.payload();
      }
    }
    if (!listening) return;
    for (auto& caller : callers) {
      const auto samples = caller->receiver.decode(caller->payload);
      caller->heard.insert(caller->heard.end(), samples.begin(), samples.end());
    }
  }
  void run(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) tick();
  }
  Caller& operator[](std::size_t i) { return *callers[i]; }

  // As many packers as may be needed.
  void lend(std::size_t count) {
    std::vector<std::unique_ptr<FramePacker>> packers(count);
    for (auto& packer : packers) packer = std::make_unique<FramePacker>(1);
    mixer.lend(packers);
  }

  RoomMixer mixer;
  std::vector<std::unique_ptr<Caller>> callers;
  std::vector<std::unique_ptr<MixPlan>> plans;
  std::size_t ticks = 0;
  bool listening = false;  // decodes what is sent
};

inline std::span<const std::int16_t> last_seconds(const test_support::Samples& heard,
                                                  std::size_t seconds) {
  return std::span(heard).last(48000 * seconds);
}
inline std::span<const std::int16_t> last_second(const test_support::Samples& heard) {
  return last_seconds(heard, 1);
}

}  // namespace media
