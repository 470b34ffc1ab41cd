// media/complexity_governor.h: how much work an encode may be, from how late the ticks begin. Pure:
// a tick is its clock; one thread at a time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace media {

class ComplexityGovernor {
 public:
  // Of libopus: 255, 140, 115 and 69 us a frame.
  static constexpr std::array<int, 4> kSteps{9, 5, 3, 0};
  // Half a tick.
  static constexpr std::chrono::milliseconds kLate{10};
  // A second; when a fifth of its ticks is late it is one step down. A standstill, however long, is
  // one late tick.
  static constexpr unsigned kWindow_ticks = 50, kTooMany = 10;
  // Ten seconds without a late tick are one step up; if that was too much, twice as long until the
  // next attempt, and so on up to five minutes, until the load has been borne for as long.
  static constexpr unsigned kCalm_ticks = 500, kMostCalm_ticks = 16000;

  // Once per tick: how long after its time it begins.
  void tick(std::chrono::nanoseconds late);

  int complexity() const { return kSteps[step_]; }

 private:
  void end_window();

  std::size_t step_ = 0;
  unsigned ticks_ = 0, late_ = 0;  // of this window
  unsigned calm_ticks_ = 0;        // without any late one
  unsigned calm_needed_ = kCalm_ticks;
  unsigned since_up_ticks_ = kMostCalm_ticks;
};

}  // namespace media
