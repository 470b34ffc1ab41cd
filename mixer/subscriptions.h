// mixer/subscriptions.h: who sees a room's presence (RFC 6121 §3; component mode), and the paced
// telling of them. In memory. Pure; signaling thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mixer/clock.h"
#include "signaling/jid.h"

namespace mixer {

class Subscriptions {
 public:
  using Row = std::pair<std::string, jingle::Jid>;  // room, bare JID

  enum class Outcome { added, known, refused };  // refused: limits.h
  Outcome add(const std::string& room, const jingle::Jid& bare);
  bool remove(const std::string& room, const jingle::Jid& bare);
  bool has(const std::string& room, const jingle::Jid& bare) const;
  const std::set<Row>& rows() const { return rows_; }

  // The presence of that room, of all rooms, has to be told anew; not at once: a join storm is one
  // change.
  void room_changed(const std::string& room, TimePoint now);
  void all_changed(TimePoint now);
  // Those to tell now, at most limits::kPresencesPerSecond a second.
  std::vector<Row> take_due(TimePoint now);
  std::optional<TimePoint> next_deadline() const;

 private:
  void mark(std::set<Row>::const_iterator from, std::set<Row>::const_iterator to, TimePoint now);

  std::set<Row> rows_;
  std::map<jingle::Jid, std::size_t> rooms_of_;
  std::set<Row> changed_;
  TimePoint next_{};
};

}  // namespace mixer
