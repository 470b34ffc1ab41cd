// mixer/links.h: the calls of a room whose peer said that it is a focus too (XEP-0298 §5): what
// their documents tell, from when they are mixed, and when such a call has to end. Pure; signaling
// thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mixer/byte_budget.h"
#include "mixer/call.h"
#include "mixer/cascade.h"
#include "mixer/recording.h"
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

  // A document from that focus; one that comes before its leg is connected waits. Error:
  // resource-constraint for more than a focus has to say; it is not applied, and a full one heals.
  std::optional<jingle::StanzaError> receive(const Call& call, const coin::ConferenceInfo& document,
                                             TimePoint now);
  // Reads what was received, a link's once in limits::kLinkListed.
  void list(TimePoint now);
  // What was odd about a link's documents, each kind once: for the log. Empties it.
  using Defects = std::vector<std::pair<media::LegId, std::string>>;
  Defects take_defects() { return std::exchange(defects_, {}); }
  // What is behind them has changed since show().
  bool changed() const { return changed_; }
  // Who is connected there, as their foci tell; who is on hold hears nothing.
  Recording::Behind callers() const;
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
    TimePoint listed{};
  };
  bool serves(media::LegId leg, std::size_t people) const;
  void apply(media::LegId leg, const coin::ConferenceInfo& document);
  void note(media::LegId leg, std::optional<std::string> defect);

  Cascade cascade_;
  std::map<media::LegId, Link> links_;
  std::map<media::LegId, Rate> rates_;  // of documents, early ones too
  std::map<media::LegId, std::vector<coin::ConferenceInfo>> early_;
  Defects defects_;
  bool changed_ = false;  // since show()
};

}  // namespace mixer
