// tests/support/resident.h: memory of a process that is in RAM (VmRSS of proc(5)).
#pragma once

#include <cstddef>
#include <fstream>
#include <string>

namespace test_support {

// 0: no such process. `process`: a pid, or ours.
inline std::size_t resident_kib(const std::string& process = "self") {
  std::ifstream status("/proc/" + process + "/status");
  std::string word;
  while (status >> word) {
    if (word != "VmRSS:") continue;
    std::size_t kib = 0;
    status >> kib;
    return kib;
  }
  return 0;
}

}  // namespace test_support
