// mixer/rate_window.h: at most so many per key and sliding window. Pure; signaling thread.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "mixer/clock.h"

namespace mixer {

class RateWindow {
 public:
  RateWindow(int limit, std::chrono::seconds window) : limit_(limit), window_(window) {}

  // True, and counted, if fewer than the limit fell within the window before `now`. Remembers at
  // most limits::kMaxRateKeys keys: beyond that whoever was counted longest ago is forgotten.
  bool take(const std::string& key, TimePoint now);

 private:
  void forget_before(TimePoint horizon);

  int limit_;
  std::chrono::seconds window_;
  std::map<std::string, std::vector<TimePoint>> taken_;  // oldest first
};

}  // namespace mixer
