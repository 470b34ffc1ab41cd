#include "tools/load/bad_line.h"

#include <algorithm>

namespace load {

std::optional<BadLine::Time> BadLine::pass(Time now) {
  if (spec_.loss > 0) {
    // So that a share `loss` of the packets is lost. Where bursts of `burst` leave no room for the
    // packets between them, they are longer.
    const double kept = 1 - spec_.loss;
    const double ends = std::min(1 / spec_.burst, kept / spec_.loss);
    losing_ = losing_ ? !happens(ends) : kept <= 0 || happens(ends * spec_.loss / kept);
    if (losing_) return std::nullopt;
  }
  if (spec_.reorder > 0) {
    // Never two in a row: the one would not overtake the other.
    overtaken_ = !overtaken_ && happens(spec_.reorder / (1 - spec_.reorder));
    if (overtaken_) return now + spec_.jitter + kOvertaken;
  }
  if (spec_.jitter.count() > 0) {
    now += std::chrono::duration_cast<Time::duration>(spec_.jitter * uniform_(random_));
    now = last_ = std::max(now, last_);
  }
  return now;
}

}  // namespace load
