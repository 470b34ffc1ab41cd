// mixer/clock.h: SEAM to time. The core never reads a clock: `now` is handed to it.
#pragma once

#include <chrono>

namespace mixer {

using TimePoint = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

class SteadyClock : public Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace mixer
