#include "mixer/subscriptions.h"

#include <algorithm>

namespace mixer {

void Subscriptions::insert(const Row& row, Entry entry) {
  if (!rows_.emplace(row, entry).second) return;
  ++rooms_of_[row.second];
  if (!entry.told) ++untold_;
}

void Subscriptions::restore(const std::string& room, const jingle::Jid& bare, OwnSubscription own) {
  insert({room, bare}, {own, false});
}

Subscriptions::Outcome Subscriptions::add(const std::string& room, const jingle::Jid& bare) {
  const Row row(room, bare);
  if (rows_.contains(row)) return Outcome::known;
  if (rows_.size() >= limits::kMaxSubscriptions) return Outcome::refused;
  const auto mine = rooms_of_.find(bare);
  if (mine != rooms_of_.end() && mine->second >= limits::kMaxRoomsPerSubscriber) {
    return Outcome::refused;
  }
  insert(row, {OwnSubscription::none, true});
  touched_.insert(row);
  return Outcome::added;
}

bool Subscriptions::remove(const std::string& room, const jingle::Jid& bare) {
  const Row row(room, bare);
  const auto found = rows_.find(row);
  if (found == rows_.end()) return false;
  if (!found->second.told) --untold_;
  rows_.erase(found);
  touched_.insert(row);
  changed_.erase(row);
  if (const auto mine = rooms_of_.find(bare); --mine->second == 0) rooms_of_.erase(mine);
  return true;
}

std::optional<OwnSubscription> Subscriptions::own(const std::string& room,
                                                  const jingle::Jid& bare) const {
  const auto found = rows_.find({room, bare});
  if (found == rows_.end()) return std::nullopt;
  return found->second.own;
}

void Subscriptions::set_own(const std::string& room, const jingle::Jid& bare, OwnSubscription own) {
  const auto found = rows_.find({room, bare});
  if (found == rows_.end() || found->second.own == own) return;
  found->second.own = own;
  touched_.insert(found->first);
}

bool Subscriptions::was_told(const std::string& room, const jingle::Jid& bare) const {
  const auto found = rows_.find({room, bare});
  return found != rows_.end() && found->second.told;
}

std::vector<Subscriptions::Row> Subscriptions::take_touched() {
  const std::set<Row> touched = std::exchange(touched_, {});
  return {touched.begin(), touched.end()};
}

void Subscriptions::mark(Rows::const_iterator from, Rows::const_iterator to, TimePoint now) {
  if (leaving_ || from == to) return;
  if (changed_.empty()) next_ = std::max(next_, now + limits::kPresenceCoalesce);
  for (; from != to; ++from) changed_.insert(from->first);
}

void Subscriptions::room_changed(const std::string& room, TimePoint now) {
  const auto from = rows_.lower_bound({room, jingle::Jid()});
  const auto to =
      std::find_if(from, rows_.end(), [&](const auto& row) { return row.first.first != room; });
  mark(from, to, now);
}

void Subscriptions::all_changed(TimePoint now) {
  for (auto& [row, entry] : rows_) entry.told = false;
  untold_ = rows_.size();
  mark(rows_.begin(), rows_.end(), now);
}

void Subscriptions::all_leave(TimePoint now) {
  constexpr std::size_t kSteps = limits::kFarewell / limits::kFarewellStep;
  mark(rows_.begin(), rows_.end(), now);
  leaving_ = true;
  batch_ = std::max(limits::kPresencesPerSecond, rows_.size() / kSteps + 1);
  step_ = limits::kFarewellStep;
  next_ = now;
}

std::vector<Subscriptions::Due> Subscriptions::take_due(TimePoint now) {
  std::vector<Due> due;
  if (changed_.empty() || now < next_) return due;
  while (!changed_.empty() && due.size() < batch_) {
    auto next = changed_.upper_bound(last_told_);
    if (next == changed_.end()) next = changed_.begin();
    last_told_ = *next;
    const bool first = !std::exchange(rows_.at(last_told_).told, true);
    if (first) --untold_;
    due.push_back({last_told_, first});
    changed_.erase(next);
  }
  next_ = now + step_;
  return due;
}

std::optional<TimePoint> Subscriptions::next_deadline() const {
  if (changed_.empty()) return std::nullopt;
  return next_;
}

}  // namespace mixer
