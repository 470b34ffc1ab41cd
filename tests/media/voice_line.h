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
#include "tests/support/network_model.h"
#include "tests/support/opus_codec.h"

namespace media {

class VoiceLine {
 public:
  using Time = test_support::NetworkConditions::Time;
  struct Packet {
    RtpPacket header;
    std::vector<std::uint8_t> payload;
  };
  // `payload` makes the packet that begins with this sample of what is said; empty: silence, not
  // sent (DTX).
  using Payload = std::function<std::vector<std::uint8_t>(std::uint64_t first, int samples)>;

  VoiceLine(unsigned seed, test_support::NetworkConditions conditions, Payload payload,
            double clock_ppm = 0)
      : network(seed, conditions),
        payload_(std::move(payload)),
        rate_(1 + clock_ppm / 1e6),
        random_(seed) {}

  // 20 ms. Returns how many packets were decoded.
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
      header.payload = packet.payload;
      std::optional<std::int32_t> age_samples;
      if (stamped) age_samples = static_cast<std::int32_t>((now_ - came).count() * 48 / 1000);
      using Inserted = PlayoutBuffer::Inserted;
      arrived += voice.insert(header, std::nullopt, {}, age_samples) != Inserted::duplicate ? 1 : 0;
    }
    const unsigned decodes = voice.decode(frame);
    decoded += decodes;
    return decodes;
  }
  // From the mouth to the mix: how old the sound is that begins the last frame.
  std::chrono::duration<double, std::milli> age() const {
    const auto heard = static_cast<std::int32_t>(voice.playout().position() - kBegin);
    return std::chrono::duration<double, std::milli>((said_by(now_) - heard) / 48);
  }

  LegVoice voice;
  test_support::NetworkModel<Packet> network;
  int ptime_samples = 960;
  std::uint32_t ssrc = 7;
  bool stamped = false;                    // it is known when a packet came
  Time most_late{0};                       // after its time a tick begins
  std::uint64_t arrived = 0, decoded = 0;  // packets; what came twice arrived once

 private:
  static constexpr std::uint32_t kBegin = 0xFFFF0000;  // wraps soon

  double said_by(Time at) const { return static_cast<double>(at.count()) * 0.048 * rate_; }
  void say() {
    auto payload = payload_(said_, ptime_samples);
    const RtpPacket header{.sequence = sequence_,
                           .timestamp = static_cast<std::uint32_t>(kBegin + said_),
                           .ssrc = ssrc};
    said_ += static_cast<std::uint64_t>(ptime_samples);
    if (payload.empty()) return;
    ++sequence_;
    const Time at(static_cast<Time::rep>(static_cast<double>(said_) / 0.048 / rate_));
    network.send(at, {.header = header, .payload = std::move(payload)});
  }

  Payload payload_;
  const double rate_;
  std::mt19937 random_;
  Time now_{0};
  std::uint64_t said_ = 0;
  std::uint16_t sequence_ = 65500;
};

}  // namespace media
