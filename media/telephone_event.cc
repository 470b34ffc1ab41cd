#include "media/telephone_event.h"

#include <string_view>

namespace media {
namespace {

constexpr std::string_view kKeys = "0123456789*#ABCD";  // RFC 4733 §3.2

}  // namespace

std::optional<TelephoneEvents::Digit> TelephoneEvents::insert(
    std::uint32_t timestamp, std::span<const std::uint8_t> payload) {
  if (payload.size() < 4 || payload[0] >= kKeys.size()) return std::nullopt;
  const std::uint8_t event = payload[0];
  const bool end = (payload[1] & 0x80) != 0;
  const std::uint32_t duration = std::uint32_t{payload[2]} << 8 | payload[3];

  std::optional<Digit> before;
  const bool same = known_ && timestamp == timestamp_ && event == event_;
  if (!same) {
    // Reordered: a repetition of an older key.
    if (known_ && static_cast<std::int32_t>(timestamp - timestamp_) < 0) return std::nullopt;
    const bool next_segment = pending_ && event == event_ && timestamp - timestamp_ == duration_;
    if (next_segment) {
      earlier_ += duration_;
    } else {
      before = report();
      earlier_ = 0;
    }
    known_ = pending_ = true;
    timestamp_ = timestamp;
    event_ = event;
    duration_ = 0;
  }
  if (!pending_) return std::nullopt;  // a repetition of the end
  quiet_ticks_ = 0;
  if (duration > duration_) duration_ = duration;
  // Two at once (the end of the one lost, the other in a single packet): the second follows by
  // tick().
  if (end && !before) return report();
  return before;
}

std::optional<TelephoneEvents::Digit> TelephoneEvents::tick() {
  if (!pending_ || ++quiet_ticks_ < kLostEnd_ticks) return std::nullopt;
  return report();
}

std::optional<TelephoneEvents::Digit> TelephoneEvents::report() {
  if (!pending_) return std::nullopt;
  pending_ = false;
  const std::uint64_t total = earlier_ + duration_;
  return Digit{.digit = kKeys[event_],
               .duration = std::chrono::milliseconds(total * 1000 / clock_rate_hz_)};
}

}  // namespace media
