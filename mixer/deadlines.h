// mixer/deadlines.h: which of many has its deadline next, without asking each. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "mixer/clock.h"

namespace mixer {

template <typename Key>
class Deadlines {
 public:
  // nullopt: none. O(log n), as is everything here.
  void set(const Key& key, std::optional<TimePoint> at) {
    const auto found = at_.find(key);
    if (found != at_.end()) {
      if (at == found->second) return;
      order_.erase({found->second, key});
      at_.erase(found);
    }
    if (!at) return;
    at_.emplace(key, *at);
    order_.emplace(*at, key);
  }
  std::optional<TimePoint> next() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }
  // Whose time has come, the longest overdue first.
  std::vector<Key> due(TimePoint now) const {
    std::vector<Key> keys;
    for (const auto& [at, key] : order_) {
      if (at > now) break;
      keys.push_back(key);
    }
    return keys;
  }

 private:
  std::map<Key, TimePoint> at_;
  std::set<std::pair<TimePoint, Key>> order_;
};

}  // namespace mixer
