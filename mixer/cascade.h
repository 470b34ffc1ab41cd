// mixer/cascade.h: the other foci in a room (RFC 4575 §5.6.5 cascaded-focus): what they tell of
// their conferences, and which of them must go because the room reaches it another way. Pure;
// signaling thread.
//
// Foci that dial each other form a graph, and a circle in it would carry every voice twice and back
// to where it came from. So the heaviest link of each circle ends, where a link is the heavier the
// lesser its lesser URI and, among those of one conference, the greater its other one: in a circle
// the conference with the least URI ends its link to the greater of its two neighbours. A link to a
// focus that does not play along (Jitsi, SylkServer) is heavier than all others, of two such the
// one of the lesser conference.
// Law: whatever is ended at once or on old news, the lightest links that connect everything stay,
// for none of them is the heaviest of any circle: what was connected stays connected, what remains
// is a forest (tests/mixer/mesh_test.cc).
//
// "The actual cascading graph cannot be deduced from the information provided in the package alone"
// (§5.6.5): that a conference is told of by two links may come of a circle elsewhere. So users from
// beyond a neighbour carry the conferences on their way, in a foreign attribute `via`. A focus
// passes on the best way it was told, one whose least URI is greatest, then the shortest; a way
// that passes through ourselves is no news. Thus the one that has to end its link comes to know it,
// nobody else believes that he has to, and old news do not go round.
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
  // isfocus='false', or the call has ended. behind() of other links may change.
  void remove(media::LegId leg, TimePoint now);
  bool has(media::LegId leg) const { return links_.contains(leg); }

  // A document from that focus (XEP-0298 §6), in whatever form clients write them: sip:, xmpp: and
  // bare entities; odd namespaces and nesting are the parser's. Requires: has(leg).
  struct Received {
    bool changed = false;               // behind() or does() of any link may have
    std::optional<std::string> defect;  // the first of its kind from this focus: for the log
  };
  Received receive(media::LegId leg, const coin::ConferenceInfo& document, TimePoint now);
  // The same in two steps, for the second costs as much as its whole conference, however little the
  // document says: what it says is kept, for list(). A defect.
  std::optional<std::string> apply(media::LegId leg, const coin::ConferenceInfo& document);
  // Lists what was applied so far. Requires: has(leg).
  Received list(media::LegId leg, TimePoint now);
  // Whether there is anything to list.
  bool unlisted(media::LegId leg) const { return links_.at(leg).unlisted; }

  // The URI of the conference behind that leg: its bare JID's, which nobody can choose, whatever
  // its documents say. Requires: has(leg).
  const std::string& conference(media::LegId leg) const;
  // Its users as our participants are to see them: neither us and those it has from us, nor users
  // listed by another link already, nor members of its sidebars; each with cascaded-focus, with a
  // name fit to be shown, with connected endpoints, bounded. Requires: has(leg).
  std::vector<coin::User> behind(media::LegId leg) const;
  // What the focus behind that leg lists itself as (joining-method focus-owner), while it does:
  // "Recording". Empty: nothing, or it may be a person who mixes. Requires: has(leg).
  std::string does(media::LegId leg) const;
  // People behind that leg, other foci not counted; a focus that told nothing counts for one.
  std::size_t people_behind(media::LegId leg) const;

  // The link that we have to end because a circle was closed; nullopt: none. Ask after every add,
  // remove and receive and at each deadline, until there is none.
  std::optional<media::LegId> redundant(TimePoint now) const;
  // Whether its sound may be mixed by now: there was time for news of a circle to come here, and
  // none is known that it belongs to. Once settled a link remains so.
  bool settled(media::LegId leg, TimePoint now) const;
  // When settled() or redundant() may be otherwise without an event before.
  std::optional<TimePoint> next_deadline(TimePoint now) const;

 private:
  enum class Defect { own_conference, no_base, gap, user_count, too_many };
  struct Told {                     // of one conference, by one link
    std::vector<std::string> way;   // URIs: the neighbour first, the conference last
    std::vector<coin::User> users;  // fit to be shown
    bool operator==(const Told&) const = default;
  };
  struct Link {
    std::string conference;
    TimePoint since{};        // connected
    TimePoint clear_since{};  // in no known circle
    coin::View view;
    std::size_t most_bytes = 0;  // of the view: it is no larger
    bool unlisted = false;       // it has changed since
    bool told_once = false;
    bool plays_along = false;  // it lists us by cascaded-focus
    bool told_back = false;    // of us, by a way that is not this link
    std::string does;
    bool in_circle = false;
    bool settled = false;
    std::map<std::string, Told> told;  // by conference
    std::set<std::string> addresses;   // whom it lists as its own, each as if a conference's URI
    std::set<Defect> defects;          // said already
  };

  // cascade_read.cc: what documents say.
  void read(Link& link, Received& received) const;
  void take(Link& link, const coin::User& user, std::set<std::string>& listed) const;
  std::optional<std::string> count_defect(Link& link) const;
  // The text, if that is the first of its kind.
  static std::optional<std::string> blame(Link& link, Defect defect, std::string text);
  static std::string key_of(const coin::User& user);

  void settle(TimePoint now);
  void reckon(TimePoint now);
  void choose();
  std::optional<std::string> shared_focus(const Link& link) const;
  bool is_in_circle(media::LegId leg, const Link& link) const;
  TimePoint decided_at(const Link& link) const;
  TimePoint settles_at(const Link& link) const;
  bool has_to_go(media::LegId leg, const Link& link, TimePoint now) const;

  std::string own_;
  std::map<media::LegId, Link> links_;
  // Of what several links tell, the best: conference -> link, user -> conference.
  std::map<std::string, media::LegId> chosen_;
  std::map<std::string, std::string> homes_;
};

// Takes the way off: it is for foci, and nobody else's business.
void forget_way(coin::User& user);

}  // namespace mixer
