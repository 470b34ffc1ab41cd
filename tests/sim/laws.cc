#include "tests/sim/laws.h"

#include <algorithm>

namespace sim {

namespace jmi = jingle::jmi;

namespace {

const auto kCoalesce = mixer::Config::Coin().coalesce;

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  rosters += other.rosters;
  with_departed += other.with_departed;
  proposals += other.proposals;
  answered += other.answered;
  direct += other.direct;
  refused += other.refused;
  connected += other.connected;
  restarts += other.restarts;
  restarts_of_ours += other.restarts_of_ours;
  declined += other.declined;
  retracted += other.retracted;
  bounced += other.bounced;
  ties += other.ties;
  return *this;
}

std::ostream& operator<<(std::ostream& out, const Tally& tally) {
  return out << tally.rosters << " rosters, " << tally.with_departed << " with departed users; "
             << tally.proposals << " proposals: " << tally.answered << " answered, "
             << tally.declined << " declined, " << tally.bounced << " bounced, " << tally.retracted
             << " retracted; " << tally.direct << " called directly, " << tally.refused
             << " calls refused, " << tally.ties << " tie-breaks, " << tally.connected
             << " dialled calls connected, " << tally.restarts << " ICE restarts of theirs, "
             << tally.restarts_of_ours << " of ours";
}

bool Laws::alive(media::LegId leg) const {
  const auto found = engine_.legs().find(leg);
  return found != engine_.legs().end() && !found->second.closing;
}

bool Laws::connected(media::LegId leg) const {
  return alive(leg) && engine_.legs().at(leg).connected;
}

std::optional<media::LegId> Laws::leg_of(const jingle::Jid& peer, const std::string& sid) const {
  for (const auto& [leg, session] : sessions_) {
    if (session.peer == peer && session.sid == sid) return leg;
  }
  return std::nullopt;
}

void Laws::happens(const mixer::Event& event, TimePoint now) {
  event_ = &event;
  now_ = now;
  asked_.reset();
  proceeded_.reset();
  if (const auto* e = std::get_if<mixer::IqReceived>(&event)) received(e->iq);
  if (const auto* e = std::get_if<mixer::MessageReceived>(&event)) received(e->message);
  if (const auto* e = std::get_if<mixer::IqAnswered>(&event)) {
    const auto ours = initiates_.find(e->iq.id);
    if (ours != initiates_.end() && e->iq.type == jingle::Iq::Type::error) {
      const auto leg = leg_of(ours->second.first, ours->second.second);
      if (leg && !sessions_.at(*leg).accepted) open_.erase(ours->second);
      ++tally.refused;
    }
  }
}

void Laws::invites(const jingle::Jid& room, const jingle::Jid& target) {
  invited_[room].insert(target.bare());
}

void Laws::received(const jingle::Iq& iq) {
  const pugi::xml_node child = iq.xml.root().first_child();
  if (!jingle::is(child, jingle::ns::kJingle, "jingle")) return;
  if (auto request = jingle::parse_jingle(child)) asked_ = std::move(*request);
}

// What the invited say of the invitation. A message they did not send to it is none.
void Laws::received(const jingle::Message& message) {
  const auto found = invitations_.find(message.from.bare());
  if (found == invitations_.end() || found->second.called) return;
  Invitation& invitation = found->second;
  if (message.type == "error") {
    if (message.id != invitation.message_id || !message.from.is_bare()) return;
    ++tally.bounced;
    invitations_.erase(found);
    return;
  }
  const auto event = jmi::parse(message);
  if (!event || event->id.value != invitation.sid) return;
  if (std::holds_alternative<jmi::Reject>(event->payload)) {
    ++tally.declined;
    invitations_.erase(found);
  } else if (std::holds_alternative<jmi::Proceed>(event->payload)) {
    ++tally.answered;
    invitation.called = true;
    proceeded_ = message.from;
  }
}

// Every IQ is answered exactly once. A leg that closes leaves one line in the log.
void Laws::commanded(const mixer::Commands& commands) {
  const auto* asked = std::get_if<mixer::IqReceived>(event_);
  int replies = 0;
  for (const auto& command : commands) {
    const auto* reply = std::get_if<mixer::Reply>(&command);
    if (!reply) continue;
    ++replies;
    ASSERT_TRUE(asked) << "an answer to nothing";
    EXPECT_EQ(reply->id, asked->iq.id);
    EXPECT_EQ(reply->to, asked->iq.from);
    EXPECT_EQ(reply->from, asked->iq.to);
  }
  EXPECT_EQ(replies, asked ? 1 : 0);
  const auto* media = std::get_if<media::Event>(event_);
  if (!media || !std::holds_alternative<media::LegClosed>(*media)) return;
  EXPECT_EQ(std::ranges::count_if(commands,
                                  [](const mixer::Command& command) {
                                    const auto* log = std::get_if<mixer::Log>(&command);
                                    return log && log->text.starts_with("call=ended ");
                                  }),
            1);
}

void Laws::commanded(const mixer::Command& command) {
  if (const auto* reply = std::get_if<mixer::Reply>(&command)) replied(*reply);
  if (const auto* iq = std::get_if<mixer::SendIq>(&command)) sent(*iq);
  if (const auto* message = std::get_if<mixer::SendMessage>(&command)) sent(*message);
  if (const auto* open = std::get_if<mixer::OpenLeg>(&command)) opens(open->spec);
  if (const auto* close = std::get_if<mixer::CloseLeg>(&command)) closes(close->leg);
}

void Laws::replied(const mixer::Reply& reply) {
  if (!reply.result) {
    if (reply.result.error().app_name == "tie-break") ++tally.ties;
    return;
  }
  if (reply.result->starts_with("<conference-info")) document(reply.to, *reply.result);
  if (!asked_) return;
  const Key key{reply.to, asked_->sid.value};
  if (std::holds_alternative<jingle::SessionInitiate>(asked_->payload)) {
    open_.insert(key);
    ended_.erase(key);  // the same sid, another session
  } else if (std::holds_alternative<jingle::SessionTerminate>(asked_->payload)) {
    open_.erase(key);
  } else if (std::holds_alternative<jingle::SessionAccept>(asked_->payload)) {
    const auto leg = leg_of(key.first, key.second);
    ASSERT_TRUE(leg) << "accepted what was not offered";
    sessions_.at(*leg).accepted = true;
    std::erase_if(invitations_, [&](const auto& entry) { return entry.second.leg == leg; });
  }
}

void Laws::sent(const mixer::SendIq& iq) {
  const auto xml = jingle::Xml::parse(iq.payload);
  ASSERT_TRUE(xml) << iq.payload;
  if (jingle::is(xml->root(), jingle::ns::kJingle, "jingle")) {
    const auto request = jingle::parse_jingle(xml->root());
    ASSERT_TRUE(request) << iq.payload;
    said(iq, *request);
  } else if (iq.is_set) {
    document(iq.to, iq.payload);
  }
}

// A session that we ended is silent. Whom we send away knows why, in words.
void Laws::said(const mixer::SendIq& iq, const jingle::Request& request) {
  const Key key{iq.to, request.sid.value};
  EXPECT_FALSE(ended_.contains(key)) << "we had ended that session";
  if (std::holds_alternative<jingle::SessionInitiate>(request.payload)) initiates(iq, key.second);
  const auto leg = leg_of(key.first, key.second);
  if (const auto* terminate = std::get_if<jingle::SessionTerminate>(&request.payload)) {
    EXPECT_TRUE(open_.contains(key)) << "terminates what is over or never was";
    EXPECT_NE(terminate->reason.condition, "");
    EXPECT_NE(terminate->reason.text, "") << terminate->reason.condition;
    open_.erase(key);
    ended_.insert(key);
    return;
  }
  ASSERT_TRUE(leg) << "no leg, no session";
  Session& session = sessions_.at(*leg);
  if (const auto* initiate = std::get_if<jingle::SessionInitiate>(&request.payload)) {
    session.isfocus = initiate->isfocus.value_or(false);
  } else if (const auto* accept = std::get_if<jingle::SessionAccept>(&request.payload)) {
    session.accepted = true;
    session.isfocus = accept->isfocus.value_or(false);
  } else if (const auto* info = std::get_if<jingle::SessionInfo>(&request.payload)) {
    const auto* focus = std::get_if<jingle::FocusInfo>(&info->payload);
    if (focus) session.isfocus = focus->isfocus;
  }
}

// Our session-initiate follows from its leg's having opened.
void Laws::initiates(const mixer::SendIq& iq, const std::string& sid) {
  const auto* media = std::get_if<media::Event>(event_);
  const auto* opened = media ? std::get_if<media::LegOpened>(media) : nullptr;
  ASSERT_TRUE(opened) << "a session-initiate without a leg";
  const media::LegId leg = opened->leg;
  may_call(iq.to, leg, engine_.legs().at(leg).spec.room, true);
  Invitation& invitation = invitations_[iq.to.bare()];
  if (invitation.sid.empty()) {
    invitation = {.sid = sid, .message_id = {}, .called = true, .leg = leg};
    ++tally.direct;
  }
  EXPECT_EQ(invitation.sid, sid) << "two invitations of one target";
  EXPECT_TRUE(invitation.called) << "called while it rings";
  sessions_[leg] = {.room = iq.from.bare(), .peer = iq.to, .sid = sid, .dialled = true};
  initiates_[iq.id] = {iq.to, sid};
  open_.insert({iq.to, sid});
}

// At most one invitation of one target is open.
void Laws::sent(const mixer::SendMessage& message) {
  const auto read =
      stanza("<message xmlns='jabber:client' type='chat' from='" + message.from.str() + "' to='" +
             message.to.str() + "'>" + message.payload + "</message>");
  ASSERT_TRUE(read) << message.payload;
  const auto event = jmi::parse(std::get<jingle::Message>(*read));
  if (!event) return;
  const auto found = invitations_.find(message.to.bare());
  if (std::holds_alternative<jmi::Propose>(event->payload)) {
    EXPECT_TRUE(found == invitations_.end()) << "two invitations of " << message.to.str();
    invitations_[message.to.bare()] = {.sid = event->id.value, .message_id = message.id};
    ++tally.proposals;
  } else if (std::holds_alternative<jmi::Retract>(event->payload)) {
    ASSERT_TRUE(found != invitations_.end()) << "retracts what is over or never was";
    EXPECT_EQ(found->second.sid, event->id.value);
    EXPECT_FALSE(found->second.called) << "retracts a call";
    invitations_.erase(found);
    ++tally.retracted;
  } else if (const auto* reject = std::get_if<jmi::Reject>(&event->payload)) {
    if (reject->tie_break) ++tally.ties;
  }
}

void Laws::opens(const media::LegSpec& spec) {
  if (spec.ice_controlling) {  // we dial: whom is known from the proceed, or when we initiate
    const auto found = invitations_.find(proceeded_.value_or(jingle::Jid()).bare());
    if (found != invitations_.end() && !found->second.leg) found->second.leg = spec.leg;
    return;
  }
  const auto* asked = std::get_if<mixer::IqReceived>(event_);
  ASSERT_TRUE(asked && asked_ && std::holds_alternative<jingle::SessionInitiate>(asked_->payload))
      << "a leg for nobody";
  may_call(asked->iq.from, spec.leg, spec.room, false);
  sessions_[spec.leg] = {
      .room = asked->iq.to.bare(), .peer = asked->iq.from, .sid = asked_->sid.value};
}

// Never two sessions with one target: we call nobody who is in that room, and who calls while we
// call him ends our call.
void Laws::may_call(const jingle::Jid& peer, media::LegId leg, media::RoomId room,
                    bool dialled) const {
  for (const auto& [id, other] : sessions_) {
    if (id == leg || !alive(id) || engine_.legs().at(id).spec.room != room) continue;
    const bool unanswered = other.dialled && !other.accepted;
    if (other.peer.bare() != peer.bare() || (!dialled && !unanswered)) continue;
    ADD_FAILURE() << "two sessions with " << peer.str() << ": " << other.sid << " and another";
  }
}

void Laws::closes(media::LegId leg) {
  std::erase_if(invitations_, [&](const auto& entry) { return entry.second.leg == leg; });
  const auto session = sessions_.find(leg);
  if (session == sessions_.end()) return;
  if (connected(leg)) {
    const media::LegSpec& spec = engine_.legs().at(leg).spec;
    left_[spec.room].insert(session->second.peer.bare());
    were_connected_[std::to_string(spec.contributor_id)] = now_;
  }
  sessions_.erase(session);
}

// Nobody is sent a document before his leg is connected and he knows that we are focus; its
// versions rise by one; and nobody is listed as connected who is not, or was not at the time that
// is told of.
void Laws::document(const jingle::Jid& to, const std::string& text) {
  const auto info = coin::parse(text);
  ASSERT_TRUE(info && info->sid && info->version) << text;
  const auto leg = leg_of(to, *info->sid);
  ASSERT_TRUE(leg) << "a document in no session";
  EXPECT_TRUE(connected(*leg)) << "a document before the leg is connected";
  Session& session = sessions_.at(*leg);
  EXPECT_TRUE(session.isfocus) << "a document before isfocus";
  EXPECT_EQ(*info->version, session.version + 1);
  session.version = *info->version;
  if (!info->users) return;
  for (const coin::User& user : info->users->users) {
    for (const coin::Endpoint& endpoint : user.endpoints) {
      if (endpoint.status != coin::EndpointStatus::connected) continue;
      ASSERT_EQ(endpoint.media.size(), 1u);
      const auto is_it = [&](const auto& entry) {
        return connected(entry.first) &&
               std::to_string(entry.second.spec.contributor_id) == endpoint.media[0].src_id;
      };
      const auto was = were_connected_.find(endpoint.media[0].src_id.value_or(""));
      const bool was_it = was != were_connected_.end() && was->second + kCoalesce >= now_;
      EXPECT_TRUE(was_it || std::ranges::any_of(engine_.legs(), is_it))
          << user.entity << " is not connected";
    }
  }
}

// After all commands of an event are carried out.
void Laws::done() {
  for (const std::string& fault : engine_.faults()) ADD_FAILURE() << fault;
  std::set<std::pair<media::RoomId, jingle::Jid>> seen;
  for (const auto& [leg, session] : sessions_) {
    if (!connected(leg)) continue;
    EXPECT_TRUE(seen.emplace(engine_.legs().at(leg).spec.room, session.peer).second)
        << session.peer.str() << " is in the room twice";
  }
}

void Laws::quiet(const jingle::Jid& peer, const std::string& sid, const coin::View& view,
                 bool departed_are_kept) {
  const media::LegId asker = leg_of(peer, sid).value();
  const media::RoomId room = engine_.legs().at(asker).spec.room;
  // A room that is a conference while two are in it tells nothing while it is none.
  EXPECT_TRUE(sessions_.at(asker).isfocus || engine_.plans().at(room).legs.size() < 2);
  if (!sessions_.at(asker).isfocus) return;
  std::map<std::string, coin::MediaStatus> truth, told;
  for (const auto& planned : engine_.plans().at(room).legs) {
    EXPECT_TRUE(connected(planned.leg)) << "the plan names a dead leg";
    truth.emplace(std::to_string(engine_.legs().at(planned.leg).spec.contributor_id),
                  mixer::media_status(planned));
  }
  std::set<std::string> gone, told_gone;
  if (departed_are_kept) {
    for (const jingle::Jid& user : left_[room]) gone.insert(user.uri());
  }
  for (const auto& [leg, session] : sessions_) {
    if (!connected(leg) || engine_.legs().at(leg).spec.room != room) continue;
    EXPECT_TRUE(truth.contains(std::to_string(engine_.legs().at(leg).spec.contributor_id)));
    gone.erase(session.peer.bare().uri());  // he is back
  }
  ASSERT_TRUE(view.info()) << peer.str() << " was told nothing";
  EXPECT_FALSE(view.stale());
  for (const auto& user : view.info()->users->users) {
    for (const auto& endpoint : user.endpoints) {
      if (endpoint.status == coin::EndpointStatus::disconnected) {
        told_gone.insert(user.entity);
        continue;
      }
      ASSERT_EQ(endpoint.media.size(), 1u) << user.entity << " is still being dialled";
      told.emplace(endpoint.media[0].src_id.value(), endpoint.media[0].status.value());
    }
  }
  EXPECT_EQ(told, truth) << "what " << peer.str() << " was told";
  // Whoever was invited and did not come is listed as one who left; who calls meanwhile is not.
  for (const jingle::Jid& user : invited_[sessions_.at(asker).room]) {
    gone.erase(user.uri());
    told_gone.erase(user.uri());
  }
  EXPECT_EQ(told_gone, gone) << "what " << peer.str() << " was told";
  ++tally.rosters;
  if (!gone.empty()) ++tally.with_departed;
}

void Laws::over(const mixer::Focus& focus) const {
  EXPECT_EQ(focus.legs(), 0u);
  EXPECT_EQ(focus.rooms(), 0u);
  EXPECT_FALSE(focus.next_deadline());
  EXPECT_EQ(engine_.opened_count(), engine_.close_count());
  EXPECT_TRUE(engine_.legs().empty());
  EXPECT_TRUE(sessions_.empty());
  for (const auto& [target, invitation] : invitations_) {
    ADD_FAILURE() << target.str() << " still rings by " << invitation.sid;
  }
  for (const auto& key : open_) {
    ADD_FAILURE() << key.first.str() << " never heard that " << key.second << " is over";
  }
}

}  // namespace sim
