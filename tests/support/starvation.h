// tests/support/starvation.h: when the machine had no CPU for this process or those that it
// started. Who measures sound in real time asks it before he blames a program for silence.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/net.h"

namespace support {

// For how long a hypervisor kept each core from us, since the start of the machine; `proc_stat`:
// /proc/stat (proc(5)).
std::vector<std::chrono::milliseconds> stolen_of_cores(std::string_view proc_stat);

// Watches from its construction on, in a thread of its own (/proc/PID/task/TID/schedstat,
// /proc/stat).
// Any thread may ask.
class Starvation {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Of one thread, in one look at all of them; or one core of the machine, a virtual one, stood
  // still so long: its thread seemed to run; or the watching thread itself came so late.
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
  bool a_core_stood_still();

  const Time begun_ = std::chrono::steady_clock::now();
  std::map<pid_t, Waits> threads_;  // this and the next: the watching thread's
  std::vector<std::chrono::milliseconds> stolen_;
  mutable std::mutex mutex_;
  std::vector<Time> moments_;  // in order
  std::jthread thread_;
};

}  // namespace support
