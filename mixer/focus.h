// mixer/focus.h: the domain (or the bot's account) as a state machine: routes to conferences,
// answers disco, decides who may dial, and is the one place that replies to an IQ. Pure: no socket,
// thread, clock or log inside. Signaling thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mixer/access.h"
#include "mixer/call_limit.h"
#include "mixer/chat_rooms.h"
#include "mixer/chatters.h"
#include "mixer/clients.h"
#include "mixer/clock.h"
#include "mixer/command.h"
#include "mixer/conference.h"
#include "mixer/config.h"
#include "mixer/control.h"
#include "mixer/dialling.h"
#include "mixer/event.h"
#include "mixer/extended_presence.h"
#include "mixer/ice_services.h"
#include "mixer/invitations.h"
#include "mixer/nicks.h"
#include "mixer/outbox.h"
#include "mixer/publisher.h"
#include "mixer/rate_window.h"
#include "mixer/room_eventing.h"
#include "mixer/subscriptions.h"
#include "signaling/iq_router.h"
#include "signaling/jingle_message.h"

namespace mixer {

class Focus {
 public:
  // `random` feeds contributor ids, tokens and IQ ids: seeded in tests, the system's in production.
  // `wall` dates what documents tell. `rows`, `subscribed`: the subscriptions that an earlier
  // process saved; `published`: what it has left at the account's nodes.
  Focus(Config config, Random random, WallTime wall, const std::vector<Subscription>& rows = {},
        const std::vector<Published>& published = {},
        const std::vector<NodeSubscription>& subscribed = {});

  Focus(const Focus&) = delete;
  Focus& operator=(const Focus&) = delete;

  // All effects of one event at once, and of every deadline up to `now`. An IqReceived yields
  // exactly one Reply: of a set before everything else, of a get after what it presupposes.
  // Requires: `now` never goes back.
  [[nodiscard]] Commands handle(const Event& event, TimePoint now);
  // Dials out (RFC 4575 §5.7.3 dialed-out): whoever Access allows, one invitation at a time each.
  // The configuration's invitations need no call of this.
  struct Invited {
    std::optional<InviteRefusal> refused;  // nullopt: under way
    Commands commands;
  };
  [[nodiscard]] Invited invite(const Invite& invite, TimePoint now);
  // When to send DeadlinePassed; nullopt: no need.
  std::optional<TimePoint> next_deadline() const;
  // Legs not closed yet; shutdown waits for 0.
  std::size_t legs() const { return legs_.size(); }
  // Subscribers who have not been told yet that we stop; shutdown waits for 0, too.
  std::size_t farewells() const;
  // Recordings of rooms that are over whose ends nobody has been told yet; shutdown waits for 0,
  // too.
  std::size_t recordings() const { return last_recordings_.size(); }
  // Rooms with somebody in them. An idle room is at most a line of the configuration.
  std::size_t rooms() const { return rooms_.size(); }

 private:
  struct Room {
    Conference conference;
    std::optional<TimePoint> deadline;  // as it stands in deadlines_
    std::size_t users_told = 0;         // by presence
    // Those of RoomConfig::invite and when they are dialled next; empty while nobody is here.
    std::map<jingle::Jid, TimePoint> redial = {};
    std::string status = {};  // for contacts, in place of the configured one
  };
  struct Leg {
    std::string room;
    std::optional<CallRecord> ended;  // set: closing, LegClosed brings the statistics
  };
  enum class Place { nowhere, domain, room };

  // focus.cc: routing and time.
  void dispatch(const Event& event, TimePoint now);
  void media_event(const media::Event& event, TimePoint now);
  // A piece's or a recording's.
  void room_event(const media::Event& event, TimePoint now);
  void iq_answered(const jingle::Iq& iq, TimePoint now);
  void connection_up(const jingle::XmppConnection::Up& up, TimePoint now);
  void connection_down();
  void shut_down(TimePoint now);
  void advance(TimePoint now);
  // Brings the indices up to date after a room was touched; ends a room that nobody is in.
  void settle(const std::string& name, TimePoint now);
  bool client_mode() const { return config_.xmpp.mode == Config::Xmpp::Mode::client; }
  Place place_of(const jingle::Jid& to) const;
  std::string room_of(const jingle::Jid& to) const;  // requires: place_of(to) == Place::room
  jingle::Jid bare_of(const std::string& room) const;
  jingle::Jid full_of(const std::string& room) const;  // what we are called from
  Conference* find(const std::string& room);
  // One line of each JID in limits::kRefusalLoggedAgain. `why`: key=value fields.
  void log_refusal(std::string_view what, const jingle::Jid& who, TimePoint now,
                   std::string_view why = {});

  // focus_iq.cc: requests.
  Reply reply_to(const jingle::Iq& iq, TimePoint now);
  jingle::Result<std::string> answer(const jingle::Iq& iq, TimePoint now);
  // Whether he may have a large answer now; counted.
  bool may_have(std::size_t bytes, const jingle::Jid& who, TimePoint now);
  jingle::Result<std::string> handle(const jingle::Iq&, const jingle::DiscoInfoQuery&, TimePoint);
  jingle::Result<std::string> handle(const jingle::Iq&, const jingle::DiscoItemsQuery&, TimePoint);
  jingle::Result<std::string> handle(const jingle::Iq&, const jingle::XmppPing&, TimePoint);
  jingle::Result<std::string> handle(const jingle::Iq&, const jingle::ConferenceInfoSet&,
                                     TimePoint);
  jingle::Result<std::string> handle(const jingle::Iq&, const jingle::ConferenceInfoGet&,
                                     TimePoint);
  jingle::Result<std::string> handle(const jingle::Iq&, const jingle::ExternalServices&, TimePoint);
  jingle::Result<std::string> handle(const jingle::Iq&, const jingle::PubsubRequest&, TimePoint);
  jingle::Result<std::string> handle(const jingle::Iq&, const jingle::Request&, TimePoint);
  bool has_node(const jingle::Iq& iq, const std::string& node) const;
  jingle::Result<std::string> initiate(const jingle::Iq&, const jingle::Sid&,
                                       const jingle::SessionInitiate&, TimePoint);
  Dialling::Crossing crossing_of(const jingle::Iq&, const jingle::Sid&,
                                 const jingle::SessionInitiate&) const;
  std::optional<jingle::StanzaError> over_limits(const jingle::Jid& caller, bool proposed,
                                                 TimePoint now);
  // Opens the room if need be; nullptr: too many new rooms for that caller's domain.
  Conference* open(const std::string& room, const jingle::Jid& caller, TimePoint now);
  bool room_exists(const std::string& room) const;
  int pending_of(const jingle::Jid& user) const;
  const RoomConfig& config_of(const std::string& room) const;
  bool is_roster_push(const jingle::Iq& iq) const;

  // focus_messages.cc: Jingle Message Initiation.
  void message(const jingle::Message& message, TimePoint now);
  void proposed(const std::string& room, const jingle::Jid& peer, const jingle::Sid& sid,
                const jingle::jmi::Propose& propose, TimePoint now);
  void say_no(const std::string& room, const jingle::Jid& peer, const jingle::Sid& sid,
              const jingle::Reason& reason, TimePoint now);
  // Of whom a proposal of that peer continues what there is.
  jingle::Jid continued_by(const std::string& room, const jingle::Jid& peer) const;
  void proceed(Invitation invitation, TimePoint now);
  // Anything else about that proposal, theirs or ours.
  void said(const std::string& room, const jingle::Jid& from, const jingle::jmi::Event& event,
            TimePoint now);
  void called_off(const std::string& room, const jingle::Jid& from, const jingle::Sid& sid,
                  const jingle::Reason& reason, TimePoint now);
  // No call has come of it. finish() tells the peer, too.
  void log_unmade(const Invitation& invitation, const jingle::Reason& why, bool by_peer,
                  TimePoint now);
  void finish(const Invitation& invitation, const jingle::Reason& why, const jingle::Sid& migrated,
              TimePoint now);
  void send_jmi(const std::string& room, const jingle::Jid& to, const jingle::Sid& sid,
                jingle::jmi::Payload payload, const std::string& more = "");
  void ask_roster(TimePoint now);

  // focus_controls.cc: what people say in words.
  void told(const std::string& room, const jingle::Message& message, TimePoint now);
  void chatter_answered(const jingle::Iq& iq, TimePoint now);
  void respond(const Said& said, TimePoint now);
  Role role_of(const std::string& room, const jingle::Jid& who) const;
  // The answer. Requires: the room exists.
  std::string carry_out(const std::string& room, const jingle::Jid& who, const Told& told,
                        TimePoint now);

  // focus_presence.cc: presence and subscriptions.
  void presence(const jingle::Presence& presence, TimePoint now);
  // True: granted.
  bool subscribe(const std::string& room, const jingle::Jid& who, TimePoint now);
  void learn_nick(const std::string& room, const jingle::Jid& bare, const std::string& nick,
                  TimePoint now);
  void own_subscription(const std::string& room, const jingle::Jid& who, bool granted,
                        TimePoint now);
  // Whether we may see that bare JID, as far as we know; and to ask it.
  bool sees(const std::string& room, const jingle::Jid& who) const;
  void ask_to_see(const std::string& room, const jingle::Jid& who);
  void probe(const std::string& room, const jingle::Jid& who, TimePoint now);
  void bounced(const std::string& room, const jingle::Presence& presence, TimePoint now);
  // Says so, and that we want to see him no more either. Harmless to strangers.
  void end_subscription(const std::string& room, const jingle::Jid& bare, TimePoint now);
  void learn_chat_room(const jingle::Presence& presence, const std::string& room, TimePoint now);
  bool may_subscribe(const std::string& room, const jingle::Jid& who) const;
  bool sees_us(const std::string& room, const jingle::Jid& who) const;
  void show_presence(const std::string& room, const jingle::Jid& to,
                     jingle::Priority priority = jingle::Priority::normal);
  void presence_due(TimePoint now);
  void save_subscriptions();

  // focus_pep.cc: personal eventing.
  std::string name_of(const std::string& room) const;  // for people
  Situation situation_of(const std::string& room) const;
  bool publishes(jingle::pep::Node node) const;
  // The names of commands.
  std::set<std::string_view> switched_off(const std::string& room) const;
  // A room's situation may have changed; what it shows follows.
  void show_extended(const std::string& room, TimePoint now);
  RoomEventing::Reader reader_of(const std::string& room, const jingle::Jid& bare) const;
  // Presence of somebody's client, with caps (XEP-0163 §4.3.3).
  void attend(const std::string& room, const jingle::Presence& presence, TimePoint now);
  void ask_interests(const std::string& room, const jingle::Jid& who, const std::string& node,
                     TimePoint now);
  void interests_answered(const Awaited& awaited, const jingle::Iq& iq, TimePoint now);
  void notified(const std::string& room, const jingle::Jid& from,
                const jingle::pubsub::Event& event, TimePoint now);
  void items_answered(const Awaited& awaited, const jingle::Iq& iq, TimePoint now);
  void end_sharing(const std::string& room, const jingle::Jid& user, TimePoint now);

  // focus_dial.cc: dialling out.
  std::optional<InviteRefusal> dial(const Invite& invite, TimePoint now);
  std::optional<InviteRefusal> refuses(const Invite& invite, TimePoint now);
  bool is_own(const jingle::Jid& target) const;
  void dial_configured(const std::string& name, Room& room, TimePoint now);
  // One line for each that never will be dialled.
  void complain_of_invites();
  void redial_after_reconnect(TimePoint now);
  void dials_due(TimePoint now);
  void propose(Dial dial, TimePoint now);
  void call_out(const Dial& dial, const jingle::Jid& peer, bool proposed, TimePoint now);
  void call_directly(Dial proposal, const jingle::Jid& peer, TimePoint now);
  void retract(const Dial& dial, const jingle::Reason& reason);
  void rang(const std::string& room, const jingle::Jid& from, const jingle::Sid& sid,
            TimePoint now);
  void proceeded(const std::string& room, const jingle::Jid& from, const jingle::Sid& sid,
                 TimePoint now);
  // False: nothing of ours.
  bool rejected(const std::string& room, const jingle::Jid& from, const jingle::Sid& sid,
                jingle::Reason reason, bool tie_break, TimePoint now);
  void proposal_bounced(const std::string& room, const jingle::Message& message, TimePoint now);
  // It came to nothing, and the room shows how.
  void failed(const Dial& dial, const jingle::Reason& reason, bool by_peer, TimePoint now);
  void log_unmade(const Dial& dial, const jingle::Reason& reason, bool by_peer, TimePoint now);
  // It is over, and the room shows nothing of it. withdraw() tells the invited why.
  void forget(const Dial& dial, const jingle::Reason& reason, TimePoint now);
  void withdraw(const Dial& dial, const jingle::Reason& reason, TimePoint now);
  // Gives way to their session-initiate `sid`.
  void yield_to(Conference& conference, const Dial& ours, const jingle::Sid& sid, TimePoint now);
  void withdraw_all(const std::string& room, const jingle::Reason& reason, TimePoint now);

  // Constant after construction.
  Config config_;
  WallTime wall_;

  Access access_;
  Outbox out_;
  Clients clients_{config_.coin.profiles};
  Chatters chatters_;
  ChatRooms chat_rooms_;
  IceServices ice_services_{config_, wall_};
  Subscriptions subscriptions_;
  // What is shown (XEP-0119): at an account's nodes, or by the rooms themselves.
  std::optional<Publisher> publisher_;
  std::optional<Situation> shown_;  // by it
  std::optional<RoomEventing> eventing_;
  Invitations invitations_;  // of us
  Dialling dialling_;        // by us
  CallLimit calls_;
  RateWindow new_rooms_, refusals_logged_, refusals_of_each_, controls_, hints_,
      large_answers_{limits::kLargeAnswersPerMinute, std::chrono::minutes(1)};
  Rate large_answer_bytes_{limits::kLargeAnswerBytes};
  ByteBudget documents_;  // outlives rooms_, which spend it
  Nicks nicks_;           // outlives rooms_, which read it

  std::map<std::string, Room> rooms_;
  std::map<media::RoomId, Recording> last_recordings_;  // of rooms that are over
  std::set<std::pair<TimePoint, std::string>> deadlines_;
  std::map<media::LegId, Leg> legs_;
  std::uint64_t last_leg_ = 0, last_media_room_ = 0;

  jingle::Jid self_;                        // client mode: the bound full JID
  std::set<jingle::Jid> seen_, seers_;      // client mode: who shows us presence; is shown ours
  std::optional<TimePoint> broadcast_at_;   // client mode: our presence has changed
  std::optional<TimePoint> no_port_until_;  // the port range was exhausted a moment ago
  bool connected_ = false;
  bool complained_ = false;
  bool shutting_down_ = false;
};

}  // namespace mixer
