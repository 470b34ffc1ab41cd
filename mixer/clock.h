// mixer/clock.h: SEAM to time. The core never reads a clock: `now` is handed to it.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace mixer {

using TimePoint = std::chrono::steady_clock::time_point;

// What a TimePoint is by the calendar (UTC), for `when` in conference documents. Injected like
// randomness: the core reads no clock.
using WallTime = std::function<std::chrono::sys_seconds(TimePoint)>;
// As xs:dateTime writes it: 2026-01-01T00:00:00Z.
std::string date_time(std::chrono::sys_seconds at);

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
