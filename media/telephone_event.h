// media/telephone_event.h: keys pressed, from RTP payloads (RFC 4733). One per leg. Pure; one
// thread at a time; no allocation.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

namespace media {

class TelephoneEvents {
 public:
  struct Digit {
    char digit = '0';  // 0-9 * # A-D
    std::chrono::milliseconds duration{};
    bool operator==(const Digit&) const = default;
  };

  explicit TelephoneEvents(std::uint32_t clock_rate_hz = 48000) : clock_rate_hz_(clock_rate_hz) {}

  // One packet. A key is told once: at its first packet with the end bit, or when the next key
  // begins and all of those were lost (RFC 4733 §2.5.1.4: they are sent three times). What is no
  // key (events above 15), or too short, is ignored.
  std::optional<Digit> insert(std::uint32_t timestamp, std::span<const std::uint8_t> payload);
  // Once per tick: a key whose packets stopped kLostEnd_ticks ago has ended.
  std::optional<Digit> tick();

  static constexpr int kLostEnd_ticks = 10;

 private:
  std::optional<Digit> report();

  std::uint32_t clock_rate_hz_;
  bool known_ = false;           // a key has been seen at all
  bool pending_ = false;         // it has not been told yet
  std::uint32_t timestamp_ = 0;  // of its current segment
  std::uint8_t event_ = 0;
  std::uint32_t duration_ = 0;  // of the current segment
  std::uint64_t earlier_ = 0;   // of the segments before (RFC 4733 §2.5.1.3)
  int quiet_ticks_ = 0;
};

}  // namespace media
