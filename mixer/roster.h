// mixer/roster.h: who is in the call, and the same as a conference document (RFC 4575 §5). One user
// per bare JID, or per occupant of a chat room, one endpoint per call; users behind other foci as
// those tell of them. Pure; signaling thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coin/conference_info.h"
#include "media/mix_plan.h"
#include "mixer/clock.h"
#include "mixer/config.h"
#include "mixer/listing.h"
#include "mixer/names.h"
#include "mixer/now_playing.h"
#include "signaling/jid.h"

namespace mixer {

// A call or an invitation, as the others may learn of it.
struct Participant {
  jingle::Jid peer;                  // bare while somebody invited has not said where he is
  std::string token;                 // stands for the resource where that is not disclosed
  std::uint32_t contributor_id = 0;  // its CSRC in the mix; 0: no media yet, none is listed
  media::LegPlan plan;               // what it says and hears
  coin::EndpointStatus status = coin::EndpointStatus::connected;
  coin::JoiningMethod joining_method = coin::JoiningMethod::dialed_in;
  // Empty: not written. `by` is an xmpp: URI, and goes no further than the room's `disclose`;
  // `reason` may be anybody's words.
  coin::Execution joining_info = {};
  bool occupant = false;  // of a chat room, whose bare JID he shares with the others there
  std::string nick = {};  // displayable; empty: none that we know (mixer/nicks.h)
  bool operator==(const Participant&) const = default;

  jingle::Jid user() const { return occupant ? peer : peer.bare(); }
};

// How somebody left (RFC 4575 §5.7.6, §5.7.7).
struct Departure {
  coin::DisconnectionMethod method = coin::DisconnectionMethod::departed;
  coin::Execution info = {};
  bool operator==(const Departure&) const = default;
};

class Roster {
 public:
  Roster(jingle::Jid room, const RoomConfig& config) : room_(std::move(room)), config_(config) {}

  // Adds or changes the participant of that leg. True if anything that others see changed.
  bool set(media::LegId leg, const Participant& participant);
  // True if it was there.
  bool remove(media::LegId leg);
  // It left. A user who has no other call, and is not behind another focus, stays listed as
  // disconnected until `until` or until he is there again, whichever is first; not at all if the
  // room keeps nobody (departed_for 0). Of many the last limits::kMaxDeparted are kept. True if it
  // was there.
  bool depart(media::LegId leg, const Departure& departure, TimePoint until);
  // Those whose time is up go. True if any did.
  bool expire(TimePoint now);
  std::optional<TimePoint> next_deadline() const;

  // That leg's peer is the focus of `conference` (a URI), and these users are connected to it
  // (§5.6.5 cascaded-focus: a flat list, whatever lies between). `conference` empty: it is a focus
  // no more. Each entity is listed once: as a participant of ours if it is one, else as the oldest
  // of these legs says; names are made unique. `does`: what that focus lists itself as, if it does:
  // then it is listed so here, too. False without that leg, which takes them with it when it goes.
  // True if anything that others see changed.
  bool set_cascade(media::LegId leg, const std::string& conference, std::vector<coin::User> behind,
                   const std::string& does = {});

  // What that user shows of himself to the others: elements for the end of his <user> (§5.6), as
  // coin::foreign_element() makes them; forgotten when he leaves. True if anything changed.
  bool set_shared(const jingle::Jid& user, std::vector<std::string> elements);

  // What the room itself does: meanwhile the focus is listed, by joining-method focus-owner
  // (§5.7.4), as "Recording", "Playing: TITLE" or both, on hold while that is paused; it counts for
  // nobody. free-text (§5.3.3) says, too, that it is recorded. Asked at each event of a room: the
  // same again costs nothing. True if that is news.
  bool set_doing(bool recorded, const std::optional<NowPlaying>& playing);

  // Users with a connected endpoint (on hold or muted is connected), those behind other foci not
  // counted.
  std::size_t users() const { return connected_; }
  bool has_connected(const jingle::Jid& user) const;
  // The display-text of that leg's user: his nick in a chat room, else the nick he told us, else of
  // his address; numbered if it is another's. Nobody's nick is like a name that is there, and it is
  // his address again when somebody comes who is called so by his own. Empty if unknown.
  std::string name_of(media::LegId leg) const;
  // The user with a connected endpoint of ours who has that display-text, in any case if no other
  // has it too, or that bare JID.
  std::optional<jingle::Jid> user_called(const std::string& name) const;
  // RFC 4575 §5.4.3; empty: none.
  void set_subject(std::string subject) { config_.subject = std::move(subject); }
  // As others may see it.
  std::string subject() const;
  // The display-text of every user with a connected endpoint, in the order of their JIDs; then of
  // those behind other foci.
  std::vector<std::string> names() const;

  // The whole truth, full, without version and sid; users in a stable order. For a receiver that is
  // itself a focus: without the users it told of (`without`), user-count counts who is listed, and
  // each cascaded-focus is the conference's own URI whatever the room discloses, for circles are
  // known by them.
  coin::ConferenceInfo info(std::optional<media::LegId> without = std::nullopt) const;
  // What of info(without) may have changed since the news with that revision; 0, or one that is
  // long past: all of it. O(changed). Law: a Listing that takes them all lists info(without)
  // (tests/mixer/roster_property_test.cc).
  News news(std::optional<media::LegId> without, std::uint64_t since) const;

 private:
  struct User {
    std::string display_text;
    std::string token;                     // stands for the JID where only the nick is disclosed
    std::set<media::LegId> legs;           // none: departed
    int connected = 0;                     // of them
    std::vector<std::string> shared = {};  // elements
    std::string nick = {};                 // Participant::nick
    bool has_nick = false;                 // that is his display_text
  };
  struct Departed {
    Participant participant;
    Departure departure;
    TimePoint until{};
  };
  struct Told {  // by another focus
    std::optional<jingle::Jid> bare;
    coin::User user;
    bool operator==(const Told&) const = default;
  };
  struct Link {
    std::string conference, does;
    std::vector<Told> users;
    bool operator==(const Link&) const = default;
  };
  struct Behind {
    coin::User user;                         // as other foci are told
    std::optional<std::string> shown_focus;  // its cascaded-focus as others are
    std::string called;                      // before its name was made unique
    std::set<media::LegId> links;            // that told of it
    bool operator==(const Behind&) const = default;
  };
  struct Touched {
    std::string entity;
    std::optional<jingle::Jid> bare;  // nullopt: behind another focus
  };

  void touch(const jingle::Jid& bare);
  void touch(Touched touched);
  void touch_those_asked_by(const jingle::Jid& bare);
  void count(const Participant& participant, int change);
  bool erase(media::LegId leg, const std::optional<Departed>& departed);
  void forget(const jingle::Jid& bare);
  bool told_of(const jingle::Jid& bare) const;
  bool list_behind();
  void count_behind();
  void name(const jingle::Jid& bare, User& user, const Participant& participant);
  bool rename(const jingle::Jid& bare, const Participant& participant);

  std::string user_entity(const jingle::Jid& bare, const User& user) const;
  std::string endpoint_entity(const Participant& participant) const;
  std::optional<std::string> disclosed(const std::string& uri) const;
  std::optional<coin::Execution> disclosed(coin::Execution info) const;
  std::string conference_of(media::LegId leg, const Link& link) const;
  coin::Endpoint endpoint(const Participant& participant) const;
  coin::Endpoint endpoint(const Departed& departed) const;
  coin::User shown(const jingle::Jid& bare, const User& user, bool for_focus) const;
  coin::User shown(const Behind& listed, bool for_focus) const;
  static bool is_listed(const Behind& listed, std::optional<media::LegId> without);
  coin::ConferenceInfo rest(std::size_t user_count) const;

  jingle::Jid room_;
  RoomConfig config_;
  std::map<media::LegId, Participant> participants_;
  std::map<jingle::Jid, User> users_;         // by Participant::user(); those departed, too
  std::map<jingle::Jid, Departed> departed_;  // the same
  std::map<media::LegId, Link> links_;
  std::map<std::string, Behind> behind_;  // by entity
  Names names_;                           // of users_, behind_ and own_
  bool recorded_ = false;
  std::optional<NowPlaying> playing_;
  std::optional<coin::User> own_;  // the focus, as it is listed
  std::size_t connected_ = 0;
  std::size_t connected_behind_ = 0;
  std::map<media::LegId, std::size_t> connected_by_link_;  // of them
  std::deque<Touched> touched_;  // the last of those that made up revision_
  std::uint64_t revision_ = 0;
};

// The participant's point of view (RFC 4575 §5.8.4): recvonly hears and is not heard.
coin::MediaStatus media_status(const media::LegPlan& plan);

}  // namespace mixer
