// tests/media/voice_line.h: somebody talks over a network to a LegVoice: packets of any length, a
// clock of his own, faster than real time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <vector>

#include "media/leg_voice.h"
#include "media/loudness.h"
#include "tests/support/network_model.h"

namespace media {

class VoiceLine {
 public:
  using Time = test_support::NetworkConditions::Time;
  struct Said {
    Said() = default;
    Said(std::vector<std::uint8_t> payload, std::optional<AudioLevel> level = std::nullopt)
        : payload(std::move(payload)), level(level) {}
    std::vector<std::uint8_t> payload;  // empty: silence, not sent (DTX)
    std::optional<AudioLevel> level;    // as its header says (RFC 6464)
  };
  // Makes the packet that begins with this sample of what is said.
  using Voice = std::function<Said(std::uint64_t first, int samples)>;

  struct Packet {
    RtpPacket header;
    Said said;
  };

  VoiceLine(unsigned seed, test_support::NetworkConditions conditions, Voice voice,
            double clock_ppm = 0)
      : network(seed, conditions),
        speak_(std::move(voice)),
        rate_(1 + clock_ppm / 1e6),
        random_(seed) {}

  // 20 ms, as RoomMixer spends them. Returns how many packets were decoded.
  unsigned tick(Frame& frame) {
    now_ += kTick;
    const double said = said_by(now_);
    while (static_cast<double>(said_ + static_cast<std::uint64_t>(ptime_samples)) <= said) {
      say();
    }
    voice.begin();
    const Time late(std::uniform_int_distribution<Time::rep>(0, most_late.count())(random_));
    for (const auto& [came, packet] : network.arrivals(now_ + late)) {
      RtpPacket header = packet.header;
      header.payload = packet.said.payload;
      std::optional<std::int32_t> age_samples;
      if (stamped) age_samples = static_cast<std::int32_t>((now_ - came).count() * 48 / 1000);
      using Inserted = PlayoutBuffer::Inserted;
      const Inserted outcome = voice.insert(header, packet.said.level, {}, age_samples);
      arrived += outcome != Inserted::duplicate ? 1 : 0;
    }
    if (by_level) {
      activity_.update(voice.next_level());
      passed_over = !activity_.active();
    }
    if (passed_over || !voice.has_sound()) {
      if (passed_over) voice.pass_over();
      frame.fill(0);
      return 0;
    }
    const unsigned decodes = voice.decode(frame);
    decoded += decodes;
    return decodes;
  }
  // Which sample of what was said begins the last frame.
  std::int64_t heard_from() const {
    return static_cast<std::int32_t>(voice.playout().position() - kBegin);
  }
  // From the mouth to the mix: how old the sound is that begins the last frame.
  std::chrono::duration<double, std::milli> age() const {
    const auto heard = static_cast<double>(heard_from());
    return std::chrono::duration<double, std::milli>((said_by(now_) - heard) / 48);
  }

  LegVoice voice;
  test_support::NetworkModel<Packet> network;
  int ptime_samples = 960;
  std::uint32_t ssrc = 7;
  bool stamped = false;                    // it is known when a packet came
  bool passed_over = false;                // nobody hears him
  bool by_level = false;                   // he is passed over while his packets say he is silent
  Time most_late{0};                       // after its time a tick begins
  std::uint64_t arrived = 0, decoded = 0;  // packets; what came twice arrived once

 private:
  static constexpr std::uint32_t kBegin = 0xFFFF0000;  // wraps soon

  double said_by(Time at) const { return static_cast<double>(at.count()) * 0.048 * rate_; }
  void say() {
    Said said = speak_(said_, ptime_samples);
    const RtpPacket header{.sequence = sequence_,
                           .timestamp = static_cast<std::uint32_t>(kBegin + said_),
                           .ssrc = ssrc};
    said_ += static_cast<std::uint64_t>(ptime_samples);
    if (said.payload.empty()) return;
    ++sequence_;
    const Time at(static_cast<Time::rep>(static_cast<double>(said_) / 0.048 / rate_));
    network.send(at, {.header = header, .said = std::move(said)});
  }

  Voice speak_;
  const double rate_;
  std::mt19937 random_;
  VoiceActivity activity_;
  Time now_{0};
  std::uint64_t said_ = 0;
  std::uint16_t sequence_ = 65500;
};

constexpr std::chrono::milliseconds kNetwork{20};  // what it always takes
constexpr int kSecond = 50;                        // ticks

// How old the sound is on a network that takes kNetwork, with what jitter there is waited for: the
// packet's own length, 20 ms or the jitter, a tick, and half of a period of a voice that the delay
// is off before it is put right.
inline double most_age_ms(int ptime_samples, std::chrono::milliseconds jitter) {
  const auto wait = std::clamp<std::int64_t>(jitter.count(), 20, 200);
  return ptime_samples / 48.0 + static_cast<double>(kNetwork.count() + wait) + 20 + 20 + 10;
}

}  // namespace media
