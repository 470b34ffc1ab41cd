#include "mixer/rate_window.h"

#include <algorithm>

#include "mixer/limits.h"

namespace mixer {

bool RateWindow::take(const std::string& key, TimePoint now) {
  if (limit_ <= 0) return false;
  if (taken_.size() >= limits::kMaxRateKeys && !taken_.contains(key)) {
    forget_before(now - window_);
    if (taken_.size() >= limits::kMaxRateKeys) {
      taken_.erase(std::ranges::min_element(taken_, {},
                                            [](const auto& entry) { return entry.second.back(); }));
    }
  }
  auto& times = taken_[key];
  times.erase(times.begin(), std::ranges::upper_bound(times, now - window_));
  if (static_cast<int>(times.size()) >= limit_) return false;
  times.push_back(now);
  return true;
}

void RateWindow::forget_before(TimePoint horizon) {
  std::erase_if(taken_, [&](const auto& entry) {
    return entry.second.empty() || entry.second.back() <= horizon;
  });
}

}  // namespace mixer
