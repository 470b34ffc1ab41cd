// mixer/cascade.h: the other foci in a room (RFC 4575 §5.6.5 cascaded-focus): what they tell of
// their conferences, and which of them must go because the room reaches it another way. Pure;
// signaling thread.
//
// Foci that dial each other form a graph, and a circle in it would carry every voice twice and back
// to where it came from. Each focus tells another only of users that it does not know from that
// one, so a conference that is told of by two links, or our own by any, closes a circle. Of the
// conferences in the circle the one with the least URI ends its own link to the greater of its two
// neighbours there; all see the same circle, so just one of them acts. A link is not mixed before
// there was time to notice.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coin/diff.h"
#include "media/mix_plan.h"
#include "mixer/clock.h"
#include "signaling/jid.h"

namespace mixer {

class Cascade {
 public:
  // `own`: our conference's URI (xmpp:room@domain).
  explicit Cascade(std::string own) : own_(std::move(own)) {}

  // The peer said isfocus in that leg's session, and its leg is connected.
  void add(media::LegId leg, const jingle::Jid& peer, TimePoint now);
  // isfocus='false', or the call has ended.
  void remove(media::LegId leg);
  bool has(media::LegId leg) const { return links_.contains(leg); }

  // A document from that focus (XEP-0298 §6), in whatever form clients write them: sip:, xmpp: and
  // bare entities, odd namespaces are unwrapped by the parser. Requires: has(leg).
  struct Received {
    bool changed = false;               // conference() or behind() did
    std::optional<std::string> defect;  // the first of its kind from this focus: for the log
  };
  Received receive(media::LegId leg, const coin::ConferenceInfo& document, TimePoint now);

  // The URI of the conference behind that leg: what its documents say, else its bare JID.
  const std::string& conference(media::LegId leg) const;
  // Its users as our participants are to see them: neither the other focus's view of us and of
  // what it has from us, nor a user listed by another link already; each with cascaded-focus, no
  // element that some client of ours must not get, bounded.
  std::vector<coin::User> behind(media::LegId leg) const;
  // People behind that leg; a focus that told nothing counts for one.
  std::size_t people_behind(media::LegId leg) const;

  // The link that we have to end because a circle was closed; nullopt: none.
  std::optional<media::LegId> redundant() const;
  // Whether its sound may be mixed by now.
  bool settled(media::LegId leg, TimePoint now) const;
  // When the next link settles.
  std::optional<TimePoint> next_deadline(TimePoint now) const;

 private:
  struct Link {
    coin::View view;
    std::string conference;
    TimePoint since{};
    std::set<std::string> defects;  // logged already
  };

  std::string own_;
  std::map<media::LegId, Link> links_;
};

}  // namespace mixer
