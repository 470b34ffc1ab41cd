#include "mixer/subscriptions.h"

#include <algorithm>

#include "mixer/limits.h"

namespace mixer {

Subscriptions::Outcome Subscriptions::add(const std::string& room, const jingle::Jid& bare) {
  if (has(room, bare)) return Outcome::known;
  if (rows_.size() >= limits::kMaxSubscriptions) return Outcome::refused;
  const auto mine = rooms_of_.find(bare);
  if (mine != rooms_of_.end() && mine->second >= limits::kMaxRoomsPerSubscriber) {
    return Outcome::refused;
  }
  rows_.emplace(room, bare);
  ++rooms_of_[bare];
  return Outcome::added;
}

bool Subscriptions::remove(const std::string& room, const jingle::Jid& bare) {
  if (rows_.erase({room, bare}) == 0) return false;
  changed_.erase({room, bare});
  if (const auto mine = rooms_of_.find(bare); --mine->second == 0) rooms_of_.erase(mine);
  return true;
}

bool Subscriptions::has(const std::string& room, const jingle::Jid& bare) const {
  return rows_.contains({room, bare});
}

void Subscriptions::mark(std::set<Row>::const_iterator from, std::set<Row>::const_iterator to,
                         TimePoint now) {
  if (from == to) return;
  if (changed_.empty()) next_ = std::max(next_, now + limits::kPresenceCoalesce);
  changed_.insert(from, to);
}

void Subscriptions::room_changed(const std::string& room, TimePoint now) {
  const auto from = rows_.lower_bound({room, jingle::Jid()});
  const auto to =
      std::find_if(from, rows_.cend(), [&](const Row& row) { return row.first != room; });
  mark(from, to, now);
}

void Subscriptions::all_changed(TimePoint now) { mark(rows_.cbegin(), rows_.cend(), now); }

std::vector<Subscriptions::Row> Subscriptions::take_due(TimePoint now) {
  std::vector<Row> due;
  if (changed_.empty() || now < next_) return due;
  while (!changed_.empty() && due.size() < limits::kPresencesPerSecond) {
    due.push_back(*changed_.begin());
    changed_.erase(changed_.begin());
  }
  next_ = now + limits::kPresenceCoalesce;
  return due;
}

std::optional<TimePoint> Subscriptions::next_deadline() const {
  if (changed_.empty()) return std::nullopt;
  return next_;
}

}  // namespace mixer
