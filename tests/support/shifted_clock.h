// tests/support/shifted_clock.h: this process' clocks, moved by hand: what lasts half a minute, or
// an hour, is over at once. Who waits in the kernel meanwhile notices when it wakes up for
// something else; GStreamer's clock waits until a time of the kernel's and must not be in use.
#pragma once

#include <chrono>

namespace support {

class ShiftedClock {
 public:
  ShiftedClock() = default;
  ~ShiftedClock();  // all is as it was: outlives whoever has looked at the clocks
  ShiftedClock(const ShiftedClock&) = delete;
  ShiftedClock& operator=(const ShiftedClock&) = delete;

  // Every monotonic clock goes forward by that much. Any thread.
  void let_pass(std::chrono::nanoseconds time);
  // The wall clock alone, either way, as by an administrator's hand; GStreamer's is none.
  void step_wall_clock(std::chrono::nanoseconds by);
};

}  // namespace support
