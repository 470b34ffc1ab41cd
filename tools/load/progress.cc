#include "tools/load/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace load {
namespace {

constexpr double kOften_s = 10;
constexpr std::size_t kColumns = 80;  // where nobody says

std::size_t columns_of(int terminal) {
  winsize size{};
  if (ioctl(terminal, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kColumns;
  return size.ws_col;
}

}  // namespace

std::string to_string(const Progress& progress, std::size_t columns) {
  char line[200];
  std::snprintf(line, sizeof line,
                "%5.0f s %s: %zu of %zu connected, %zu over; %llu packets/s or more; "
                "%llu documents",
                progress.t, progress.phase, progress.connected, progress.callers, progress.over,
                static_cast<unsigned long long>(progress.least_received),
                static_cast<unsigned long long>(progress.documents));
  return std::string(line).substr(0, columns);
}

ProgressLine::ProgressLine(int fd) : fd_(fd), terminal_(isatty(fd) != 0) {}

ProgressLine::~ProgressLine() {
  if (terminal_ && !phase_.empty()) write("\n");
}

void ProgressLine::show(const Progress& progress) {
  if (terminal_) {
    // In the last column the cursor would be on the next line already.
    write("\r" + to_string(progress, columns_of(fd_) - 1) + "\033[K");
  } else if (phase_ != progress.phase || progress.t >= shown_ + kOften_s) {
    write(to_string(progress, std::string::npos) + "\n");
  } else {
    return;
  }
  phase_ = progress.phase;
  shown_ = progress.t;
}

void ProgressLine::write(const std::string& text) const {
  (void)!::write(fd_, text.data(), text.size());
}

}  // namespace load
