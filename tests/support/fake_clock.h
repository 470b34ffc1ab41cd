// tests/support/fake_clock.h: time that passes when the test says so.
#pragma once

#include "mixer/clock.h"

namespace mixer {

class FakeClock : public Clock {
 public:
  TimePoint now() const override { return now_; }
  void advance(std::chrono::milliseconds by) { now_ += by; }

 private:
  TimePoint now_{std::chrono::hours(1)};  // not the epoch: 0 would hide a forgotten initialisation
};

}  // namespace mixer
