// tools/load/progress.h: what a load test says of itself while it goes on. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace load {

struct Progress {
  const char* phase = "";
  double t = 0;  // seconds since the start
  std::size_t callers = 0, connected = 0, over = 0;
  std::uint64_t least_received = 0, documents = 0;
};

// In so many columns at most; pure.
std::string to_string(const Progress& progress, std::size_t columns);

// On a terminal, one line that changes and stays within its width. Elsewhere a line for each phase
// and every ten seconds, without control characters.
class ProgressLine {
 public:
  explicit ProgressLine(int fd);  // stays the caller's
  ~ProgressLine();                // the cursor goes to the next line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const Progress& progress);  // once a second

 private:
  void write(const std::string& text) const;

  const int fd_;
  const bool terminal_;
  std::string phase_;  // shown last
  double shown_ = 0;   // its t
};

}  // namespace load
