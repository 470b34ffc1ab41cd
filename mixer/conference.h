// mixer/conference.h: one room (XEP-0166 §6, XEP-0298, RFC 4575): its calls, who of them is in the
// mix, and what everybody is told of it. Pure; signaling thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mixer/call.h"
#include "mixer/config.h"
#include "mixer/deadlines.h"
#include "mixer/jukebox.h"
#include "mixer/links.h"
#include "mixer/nicks.h"
#include "mixer/notifier.h"
#include "mixer/recording.h"
#include "mixer/roster.h"
#include "mixer/sharing.h"

namespace mixer {

// A session-initiate that the focus let pass.
struct Incoming {
  jingle::Sid sid;
  jingle::Jid local, peer;
  const jingle::SessionInitiate* offer = nullptr;
  media::LegId leg;
  bool proposed = false;
  std::optional<media::LegId> replaces;    // another device's call that moves here
  bool occupant = false;                   // `peer` is the JID of an occupant of a chat room
  const ClientProfile* profile = nullptr;  // null: its client is asked what it is
};

// An invitation of ours that the focus let pass. Its leg opens when the call is made.
struct Outgoing {
  media::LegId leg;
  jingle::Sid sid;                // of the proposal and the session
  jingle::Jid target;             // as asked for, bare or full
  std::optional<jingle::Jid> by;  // who asked; nullopt: the configuration
  std::string reason = {};        // why, as he said
};

class Conference {
 public:
  struct Place {
    std::string name;
    jingle::Jid bare, full;  // the room's JID; what calls are answered from
    RoomConfig config;
    media::RoomId media_room;
  };
  // `documents`: the bytes of conference documents that all rooms share. Both outlive it.
  Conference(Place place, const Config& config, ByteBudget& documents, const Nicks& nicks,
             WallTime wall);

  // Accepts or ends the call (busy, alternative-session, or what negotiation says); the ack is the
  // focus's. True: there is a call now.
  bool initiate(const Incoming& incoming, Outbox& out, TimePoint now);
  // `peer` bare: with any of its devices.
  bool has_session(const jingle::Jid& peer, const jingle::Sid& sid) const;
  // Dialling out (RFC 4575 §5.7.2): the invited is listed at once, as dialing-out, or as pending
  // until there is an offer for the device that is called; alerting when it rings there; call()
  // when we know whom to send our session-initiate; uninvited() when it comes to nothing before
  // that (busy, failed). What becomes of the call is in take_ended().
  void invited(const Outgoing& outgoing, Outbox& out, TimePoint now);
  void ringing(media::LegId leg);
  void call(media::LegId leg, const jingle::Jid& peer, bool proposed, const ClientProfile* profile,
            Outbox& out, TimePoint now);
  void uninvited(media::LegId leg, const jingle::Reason& reason, bool by_peer, TimePoint now);
  // That invitation, or the call it has become, is over and leaves no trace in the roster: they
  // called us meanwhile, or nobody is left to see it. A call made already ends with `reason`.
  void withdraw(media::LegId leg, const jingle::Reason& reason, Outbox& out, TimePoint now);
  // That bare JID has a call here, is invited, or is behind another focus: there is no need to dial
  // it.
  bool has_user(const jingle::Jid& bare) const;

  // Any other Jingle request. nullopt: result. unknown-session unless `peer` itself has that sid.
  std::optional<jingle::StanzaError> request(const jingle::Jid& peer,
                                             const jingle::Request& request, Outbox& out,
                                             TimePoint now);
  // A conference document (XEP-0298 §6) or a wish for one, from a session's peer.
  std::optional<jingle::StanzaError> document_from(const jingle::Jid& peer,
                                                   const coin::ConferenceInfo& info, Outbox& out,
                                                   TimePoint now);
  jingle::Result<std::string> document_for(const jingle::Jid& peer, Outbox& out, TimePoint now);
  // One that could not be read: a line of the log for the first of a call.
  void malformed_document_from(const jingle::Jid& peer, const jingle::StanzaError& error,
                               Outbox& out);

  void media_event(const media::Event& event, Outbox& out, TimePoint now);
  // From whoever may. nullopt: done, or under way.
  std::optional<PlayRefusal> order(const PlayOrder& order, const jingle::Jid& by, Outbox& out);
  std::optional<NowPlaying> now_playing() const { return jukebox_.now_playing(); }
  std::string tell_what_plays(bool may_play) const { return jukebox_.tell(may_play); }
  std::optional<std::string> record(const RecordOrder& order, const jingle::Jid& by, Outbox& out,
                                    TimePoint now);
  // What is not over with the conference. Requires: empty().
  const Recording& recording() const { return recording_; }
  // The answer to an IQ of ours; nullptr: result.
  void answered(const Awaited& awaited, const std::string& id, const jingle::StanzaError* error,
                Outbox& out, TimePoint now);
  // `peer`, a full JID, is this client: whatever it was asked for, in time or late.
  void client_known(const jingle::Jid& peer, const ClientProfile& profile, Outbox& out,
                    TimePoint now);
  void peer_presence(const jingle::Jid& peer, bool available, Outbox& out, TimePoint now);

  // What a user wants the others to see of him; the answer, for him. nullopt: he is not in the
  // call. `seen`: we may see his presence, and so what he publishes (XEP-0163 §4.2).
  std::optional<std::string> share(const jingle::Jid& user, const ShareWish& wish, bool seen,
                                   Outbox& out, TimePoint now);
  bool shares(const jingle::Jid& user) const { return sharing_.shares(user); }
  // He shares what we may not see, as far as we know.
  bool shares_unseen(const jingle::Jid& user) const { return sharing_.is_unseen(user); }
  // We may from now on.
  void came_to_see(const jingle::Jid& user, Outbox& out, TimePoint now);
  // What stands at a node of that bare JID. Of no concern unless he shares it.
  void published(const jingle::Jid& user, const jingle::pubsub::Event& event, Outbox& out,
                 TimePoint now);
  void unshare(const jingle::Jid& user, TimePoint now);
  // `nicks` has another of that bare JID.
  void renamed(const jingle::Jid& user, TimePoint now);

  void connection_down() { notifier_.connection_down(); }
  // `local`: what we are called now, in client mode; calls to another name end before long.
  void connection_up(const std::optional<jingle::Jid>& local, TimePoint now);
  void end_all(const jingle::Reason& reason, Outbox& out, TimePoint now);

  // The call whose place a proposal of that peer takes (XEP-0353 §4.2), of those of `of`: a user's
  // bare JID, or only that device's own.
  std::optional<media::LegId> call_to_replace(const jingle::Jid& peer, const jingle::Jid& of) const;
  // Tells that call that it moves to session `to`. However it ends then, its user does not leave:
  // he is shown as dialling in until the other call is connected or comes to nothing.
  void migrate(media::LegId leg, const jingle::Sid& to, Outbox& out, TimePoint now);

  // conference_controls.cc: what a moderator or a participant tells it to do (control.h).
  bool has_participant(const jingle::Jid& user) const { return roster_.has_connected(user); }
  std::optional<jingle::Jid> user_called(const std::string& name) const {
    return roster_.user_called(name);
  }
  std::string who() const;
  std::string subject() const { return roster_.subject(); }
  void set_subject(std::string subject);
  // RFC 4575 §5.7.2 muted-via-focus: nobody hears that user, in this call or the next here, until
  // he may speak again. He is told. False: it is so already.
  bool mute(const jingle::Jid& user, bool muted, Outbox& out, TimePoint now);
  // His calls end; he may call again.
  void kick(const jingle::Jid& user, Outbox& out, TimePoint now);

  const Place& place() const { return place_; }
  // Who departed is nobody.
  bool empty() const { return members_.empty() && invited_.empty(); }
  bool full() const;
  // Those connected, and those who are moving to another device.
  std::size_t users() const { return roster_.users() + moving_.size(); }
  // Of all devices of a bare JID, or of a full one.
  int pending_of(const jingle::Jid& user) const;

  std::optional<TimePoint> next_deadline() const;
  void advance(Outbox& out, TimePoint now);
  // Calls that ended since the last time, for the log.
  std::vector<std::pair<media::LegId, CallRecord>> take_ended() {
    return std::exchange(ended_, {});
  }

 private:
  enum class Coin { unheard, asked, sent };  // what it did with documents itself
  struct Member {
    Call call;
    const ClientProfile* profile = nullptr;  // null: not known yet
    TimePoint profile_deadline{};            // then it announced nothing
    bool joined = false;                     // connected: in the mix
    std::string joined_at = {};              // by the calendar
    bool introduced = false;                 // told what it needs, by document or chat
    bool isfocus_repeated = false;
    Coin coin = Coin::unheard;
    bool malformed_logged = false;
    TimePoint moves_until{};  // to another device, whose call has begun by then
  };
  // A call that ended while it moved to another device.
  struct Moving {
    jingle::Jid user;
    Departure departure;
    TimePoint until{};   // if no call from there has begun
    bool calls = false;  // one has
  };
  struct Invited {
    Outgoing outgoing;
    Participant listed;
  };

  // conference.cc
  Member* member(media::LegId leg);
  Member* member_of(const jingle::Jid& peer);
  // The calls of that full JID, or of all devices of that bare one.
  std::vector<media::LegId> calls_of(const jingle::Jid& jid) const;
  void add(Call::Setup setup, const ClientProfile* profile, Outbox& out, TimePoint now);
  void refuse(const Incoming& incoming, const jingle::Reason& reason, Outbox& out,
              TimePoint now) const;
  std::uint32_t new_contributor_id(Outbox& out) const;
  void ask_client(const Call& call, Outbox& out, TimePoint now) const;
  // Is called after everything that may have moved a deadline of that call's.
  void reindex(const Member& member);

  // conference_members.cc. settle() draws the consequences after anything happened to that call.
  void settle(media::LegId leg, Outbox& out, TimePoint now);
  void show(const Member& member, TimePoint now);
  enum class Leaving { departs, replaced };
  void remove(media::LegId leg, Leaving how, TimePoint now);
  bool moves(const Member& member, TimePoint now) const;
  bool has_successor(media::LegId leg) const;  // not connected yet
  void hold(const Member& member, TimePoint now);
  void move_failed(media::LegId leg, TimePoint now);
  void join(Member& member, Outbox& out, TimePoint now);
  void introduce(Member& member, Outbox& out);
  void announce(const Member& member, Outbox& out) const;
  void announce_join(const Member& newcomer, Outbox& out) const;
  static void silence(Participant& participant);
  void chat(const Call& call, const std::string& text, Outbox& out) const;
  void send_plan(Outbox& out);
  void settle_audience(Outbox& out, TimePoint now);
  void settle_doing(Outbox& out);

  // conference_coin.cc
  void subscribe(const Member& member);
  void set_profile(Member& member, const ClientProfile& profile);
  void speaks_coin(Member& member, Coin coin, Outbox& out);
  static const ClientProfile& shown_as(const Member& member, const ClientProfile& announced);
  void settle_isfocus(Outbox& out);
  void say_isfocus(Member& member, Outbox& out);
  void settle_links(Outbox& out, TimePoint now);

  // conference_sharing.cc
  bool may_share(const jingle::Jid& user) const;
  void end_sharing(const jingle::Jid& user, TimePoint now);
  void show_shared(const jingle::Jid& user, TimePoint now);
  void ask_for(const std::set<jingle::pep::Node>& nodes, const jingle::Jid& user, Outbox& out,
               TimePoint now) const;
  Participant participant_of(const Call& call) const;

  // Constant after construction.
  Place place_;
  CoinPush push_;
  int capacity_;
  std::uint32_t bitrate_bps_;
  WallTime wall_;
  const Nicks& nicks_;

  std::map<media::LegId, Member> members_;
  std::map<media::LegId, Invited> invited_;  // without a call yet
  std::map<media::LegId, Moving> moving_;    // without a call any more
  std::set<jingle::Jid> muted_;              // by moderators: users, here or not
  std::set<std::uint32_t> contributor_ids_;  // of members_
  std::map<std::pair<jingle::Jid, jingle::Sid>, media::LegId> sessions_;
  Deadlines<media::LegId> due_;
  std::vector<media::LegPlan> plan_;  // of who is connected, by leg
  bool plan_changed_ = false;
  bool isfocus_ = false;  // whether it holds now (XEP-0298 §5)
  Links links_;
  std::optional<TimePoint> links_due_;
  Roster roster_;
  Sharing sharing_;
  Notifier notifier_;
  Jukebox jukebox_;
  Recording recording_;
  std::uint64_t recording_seen_ = 0;  // of its changes
  bool recording_told_ = false;       // by chat
  std::vector<std::pair<media::LegId, CallRecord>> ended_;
};

}  // namespace mixer
