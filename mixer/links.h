// mixer/links.h: the calls of a room whose peer said that it is a focus too (XEP-0298 §5): what
// their documents tell, from when they are mixed, and when such a call has to end. Pure; signaling
// thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mixer/call.h"
#include "mixer/cascade.h"
#include "mixer/roster.h"

namespace mixer {

class Links {
 public:
  // `own`: the URI of the room.
  explicit Links(std::string own) : cascade_(std::move(own)) {}

  // After anything happened to that call. True if it is a link now, or is one no more.
  bool update(const Call& call, TimePoint now);
  void remove(media::LegId leg, TimePoint now);
  bool has(media::LegId leg) const { return links_.contains(leg); }
  std::size_t size() const { return links_.size(); }
  std::vector<media::LegId> legs() const;
  // There is a user or a conference of that URI behind one of them.
  bool reach(const std::string& uri) const;

  // A document from that focus; one that comes before its leg is connected waits. A defect, if it
  // is the first of its kind.
  std::optional<std::string> receive(const Call& call, const coin::ConferenceInfo& document,
                                     TimePoint now);
  // Shows what is behind them. True if anything changed.
  bool show(Roster& roster);
  // A mixer's sound is mixed when it is clear that it closes no circle.
  void plan(media::LegPlan& plan, TimePoint now) const;

  // The next call to end: it closes a circle, or we dialled it and it serves nobody any more.
  // `people`: in the room, those who are no link.
  struct End {
    media::LegId leg;
    jingle::Reason reason;
  };
  std::optional<End> next_to_end(std::size_t people, TimePoint now);
  std::optional<TimePoint> next_deadline(TimePoint now) const;

 private:
  struct Link {
    bool dialled = false;
    std::optional<TimePoint> idle_since;
  };
  bool serves(media::LegId leg, std::size_t people) const;
  std::optional<std::string> take(media::LegId leg, const coin::ConferenceInfo& document,
                                  TimePoint now);

  Cascade cascade_;
  std::map<media::LegId, Link> links_;
  std::map<media::LegId, std::vector<coin::ConferenceInfo>> early_;
  bool changed_ = false;  // since show()
};

}  // namespace mixer
