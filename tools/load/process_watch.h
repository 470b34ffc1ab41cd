// tools/load/process_watch.h: what a process takes of its machine (proc(5)). Any thread.
#pragma once

#include <sys/types.h>

#include <optional>

namespace load {

struct ProcessSample {
  double cpu_s = 0;      // user and system, all threads
  double memory_mb = 0;  // resident
  int threads = 0;
};
// nullopt: no such process.
std::optional<ProcessSample> sample_process(pid_t pid);

}  // namespace load
