// tests/support/starvation.h: when the machine had no CPU for this process or those that it
// started. Who measures sound in real time asks it before he blames a program for silence.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/net.h"

namespace support {

// Watches from its construction on, in a thread of its own (/proc/PID/task/TID/schedstat).
// Any thread may ask.
class Starvation {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Of one thread, in one look at all of them; or the watching thread itself came so late, as all
  // do when the machine, a virtual one, stood still.
  static constexpr std::chrono::milliseconds kWaited{20};

  Starvation();

  // Whether it happened between those times.
  bool between(Time from, Time to) const;

 private:
  struct Waits {
    Fd file;
    std::chrono::nanoseconds waited{0};
  };
  void watch(const std::stop_token& stop);
  void find_threads();
  bool somebody_waited();

  const Time begun_ = std::chrono::steady_clock::now();
  std::map<pid_t, Waits> threads_;  // the watching thread's
  mutable std::mutex mutex_;
  std::vector<Time> moments_;  // in order
  std::jthread thread_;
};

}  // namespace support
