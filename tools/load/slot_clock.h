// tools/load/slot_clock.h: when it is whose turn to speak. A packet's time has kSlots, so that not
// all speak at once. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "media/audio_frame.h"

namespace load {

inline constexpr std::size_t kSlots = 10;
inline constexpr auto kSlot = media::kTick / kSlots;

class SlotClock {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Who is later catches up nothing: on a machine that is too slow there would be no end of it.
  static constexpr std::chrono::milliseconds kMostLate{200};

  explicit SlotClock(Time start) : next_at_(start) {}

  struct Turn {
    std::size_t slot;  // less than kSlots
    std::chrono::steady_clock::duration late;
  };
  // nullopt: nobody's yet.
  std::optional<Turn> take(Time now) {
    if (now < next_at_) return std::nullopt;
    const Turn turn{slot_, now - next_at_};
    // Everybody misses as many.
    if (turn.late > kMostLate) next_at_ += turn.late / media::kTick * media::kTick;
    slot_ = (slot_ + 1) % kSlots;
    next_at_ += kSlot;
    return turn;
  }

 private:
  std::size_t slot_ = 0;
  Time next_at_;
};

}  // namespace load
