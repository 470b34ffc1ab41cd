// mixer/subscriptions.h: who sees a room's presence (RFC 6121 §3; component mode), and the paced
// telling of them. Pure; signaling thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mixer/clock.h"
#include "mixer/limits.h"
#include "mixer/subscription.h"
#include "signaling/jid.h"

namespace mixer {

class Subscriptions {
 public:
  using Row = std::pair<std::string, jingle::Jid>;  // room, bare JID

  // Limits do not count: they did when the row was added, and nobody is to lose it by an upgrade.
  void restore(const std::string& room, const jingle::Jid& bare, OwnSubscription own);
  enum class Outcome { added, known, refused };  // refused: limits.h
  // Requires: whoever is added is shown the presence at once.
  Outcome add(const std::string& room, const jingle::Jid& bare);
  bool remove(const std::string& room, const jingle::Jid& bare);

  // nullopt: no such row.
  std::optional<OwnSubscription> own(const std::string& room, const jingle::Jid& bare) const;
  void set_own(const std::string& room, const jingle::Jid& bare, OwnSubscription own);
  // Since the stream is up. False for strangers.
  bool was_told(const std::string& room, const jingle::Jid& bare) const;
  // Who was not, yet.
  std::size_t untold() const { return untold_; }
  std::size_t size() const { return rows_.size(); }

  // Rows that were added, changed (set_own) or removed since the last call: what has to be kept.
  std::vector<Row> take_touched();

  // The presence of that room has to be told anew; not at once: a join storm is one change.
  void room_changed(const std::string& room, TimePoint now);
  // The stream is up: nobody knows anything.
  void all_changed(TimePoint now);
  // For the last time: everybody, within limits::kFarewell. Nothing changes after that.
  void all_leave(TimePoint now);
  struct Due {
    Row row;
    bool first = false;  // since the stream is up
    bool operator==(const Due&) const = default;
  };
  // Those to tell now, at most limits::kPresencesPerSecond a second, in turn whatever room changes
  // how often.
  std::vector<Due> take_due(TimePoint now);
  std::size_t waiting() const { return changed_.size(); }
  std::optional<TimePoint> next_deadline() const;

 private:
  struct Entry {
    OwnSubscription own = OwnSubscription::none;
    bool told = false;
  };
  using Rows = std::map<Row, Entry>;
  void insert(const Row& row, Entry entry);
  void mark(Rows::const_iterator from, Rows::const_iterator to, TimePoint now);

  Rows rows_;
  std::size_t untold_ = 0;
  std::map<jingle::Jid, std::size_t> rooms_of_;
  std::set<Row> touched_;
  std::set<Row> changed_;
  Row last_told_;
  TimePoint next_{};
  std::size_t batch_ = limits::kPresencesPerSecond;
  std::chrono::milliseconds step_ = limits::kPresenceCoalesce;
  bool leaving_ = false;
};

}  // namespace mixer
