#include "tools/load/bad_line.h"

#include <algorithm>

namespace load {

std::optional<BadLine::Time> BadLine::pass(Time now) {
  if (spec_.loss > 0) {
    // So that a share `loss` of the packets is in bursts of `burst` on average.
    const double ends = 1 / std::max(spec_.burst, 1.0);
    const double begins = spec_.loss >= 1 ? 1 : ends * spec_.loss / (1 - spec_.loss);
    losing_ = losing_ ? spec_.loss >= 1 || !happens(ends) : happens(begins);
    if (losing_) return std::nullopt;
  }
  Time arrives = now;
  if (spec_.jitter.count() > 0) {
    arrives += std::chrono::duration_cast<Time::duration>(spec_.jitter * uniform_(random_));
    arrives = last_ = std::max(arrives, last_);
  }
  if (spec_.reorder > 0 && happens(spec_.reorder)) arrives += kOvertaken;
  return arrives;
}

}  // namespace load
