#include "mixer/focus.h"

#include <algorithm>
#include <pugixml.hpp>
#include <vector>

#include "mixer/features.h"
#include "mixer/limits.h"
#include "mixer/overloaded.h"
#include "mixer/reasons.h"
#include "signaling/namespaces.h"

namespace mixer {
namespace {

using namespace std::chrono_literals;

}  // namespace

Focus::Focus(Config config, Random random, WallTime wall, const std::vector<Subscription>& rows,
             const std::vector<Published>& published,
             const std::vector<NodeSubscription>& subscribed)
    : config_(std::move(config)),
      wall_(std::move(wall)),
      access_(config_),
      out_(std::move(random)),
      calls_(config_.limits.calls_per_minute_per_jid),
      new_rooms_(config_.limits.rooms_per_domain_and_hour, 3600s),
      refusals_logged_(limits::kRefusalsLoggedPerMinute, 60s),
      refusals_of_each_(1, limits::kRefusalLoggedAgain),
      controls_(limits::kControlsPerMinute, std::chrono::minutes(1)),
      hints_(1, limits::kHintAgain),
      documents_(client_mode() ? limits::kCoinBytesAsClient : limits::kCoinBytesPerProcess,
                 client_mode() ? limits::kMaxDocumentBytesAsClient : limits::kMaxDocumentBytes) {
  for (const Subscription& row : rows) {
    // Those of another domain, which was ours once, are left alone: we cannot speak for it.
    if (client_mode() || place_of(row.room) != Place::room) continue;
    subscriptions_.restore(room_of(row.room), row.contact, row.own);
  }
  const bool has_nodes = !config_.presence.publish.empty() || !published.empty();
  if (client_mode() && has_nodes) {
    publisher_.emplace(config_.xmpp.jid, config_.presence.nodes, published,
                       config_.presence.publish);
  } else if (!client_mode() && (has_nodes || !subscribed.empty())) {
    eventing_.emplace(
        RoomEventing::Rooms{
            .domain = config_.xmpp.jid.domain(),
            .standing =
                [this](const std::string& room) {
                  return standing_presence(config_.presence, name_of(room));
                },
            .of_call =
                [this](const std::string& room) {
                  return call_presence(config_.presence, situation_of(room));
                },
            .reader = [this](const auto& room, const auto& who) { return reader_of(room, who); },
            .wall = wall_},
        config_.presence.nodes.access, config_.presence.publish, published, subscribed);
  }
}

Commands Focus::handle(const Event& event, TimePoint now) {
  Commands first;
  if (const auto* received = std::get_if<IqReceived>(&event)) {
    const jingle::Iq& iq = received->iq;
    Reply reply = reply_to(iq, now);
    // XEP-0166 §6.3.1 wants the ack before whatever follows from the request. Who asks for a
    // document is told first that we are focus (XEP-0298 §6), if he was not.
    if (iq.type == jingle::Iq::Type::get) first = out_.take();
    if (!reply.result && iq.type == jingle::Iq::Type::set) {
      const jingle::StanzaError& error = reply.result.error();
      log_refusal("request", iq.from, now,
                  " error=" + error.condition +
                      (error.app_name.empty() ? "" : "/" + error.app_name) +
                      (error.text.empty() ? "" : " text=" + quoted(error.text)));
    }
    first.emplace_back(std::move(reply));
  } else {
    dispatch(event, now);
  }
  advance(now);
  save_subscriptions();
  Commands rest = out_.take();
  std::ranges::move(rest, std::back_inserter(first));
  return first;
}

void Focus::dispatch(const Event& event, TimePoint now) {
  std::visit(Overloaded{
                 [](const IqReceived&) {},
                 [&](const IqAnswered& e) { iq_answered(e.iq, now); },
                 [&](const MessageReceived& e) { message(e.message, now); },
                 [&](const PresenceReceived& e) { presence(e.presence, now); },
                 [&](const ConnectionUp& e) { connection_up(e.up, now); },
                 [&](const ConnectionDown&) { connection_down(); },
                 [&](const media::Event& e) { media_event(e, now); },
                 [](const DeadlinePassed&) {},  // advance() follows every event
                 [&](const ShutdownRequested&) { shut_down(now); },
             },
             event);
}

void Focus::media_event(const media::Event& event, TimePoint now) {
  const auto id = media::leg_of(event);
  if (!id) return room_event(event, now);
  const auto found = legs_.find(*id);
  if (found == legs_.end()) return;
  const std::string room = found->second.room;
  if (const auto* failed = std::get_if<media::LegFailed>(&event);
      failed && failed->cause == media::LegFailure::no_port) {
    no_port_until_ = now + 10s;
  }
  if (Conference* conference = find(room); conference && !found->second.ended) {
    conference->media_event(event, out_, now);
    settle(room, now);
  }
  if (const auto* closed = std::get_if<media::LegClosed>(&event)) {
    if (found->second.ended) {
      out_.log(Log::Level::info, to_log(*found->second.ended, &closed->statistics));
    }
    legs_.erase(found);
  }
}

void Focus::room_event(const media::Event& event, TimePoint now) {
  const media::RoomId of = std::visit(
      [](const auto& e) {
        if constexpr (requires { e.play; }) return e.play.room;
        if constexpr (requires { e.record; }) return e.record.room;
        return media::RoomId{};
      },
      event);
  // Of a room that is over: its last pages are written when it is.
  if (const auto last = last_recordings_.find(of); last != last_recordings_.end()) {
    last->second.media_event(event, out_, now);
    if (!last->second.closing()) last_recordings_.erase(last);
    return;
  }
  for (auto& [name, room] : rooms_) {
    if (room.conference.place().media_room != of) continue;
    room.conference.media_event(event, out_, now);
    return settle(std::string(name), now);
  }
}

void Focus::iq_answered(const jingle::Iq& iq, TimePoint now) {
  const auto awaited = out_.answered(iq.id, iq.from);
  if (!awaited) return;
  if (awaited->purpose == Purpose::coin) documents_.answered(iq.id, now);
  const bool failed = iq.type == jingle::Iq::Type::error;
  if (awaited->purpose == Purpose::roster) {
    std::set<jingle::Jid> contacts, seen, seers;
    const pugi::xml_node query = jingle::child(iq.xml.root(), "jabber:iq:roster", "query");
    for (const pugi::xml_node item : query.children()) {
      const auto jid = jingle::Jid::parse(item.attribute("jid").value());
      if (!jid || contacts.size() >= limits::kMaxRosterContacts) continue;
      contacts.insert(jid->bare());
      const std::string_view subscription = item.attribute("subscription").value();
      if (subscription == "to" || subscription == "both") seen.insert(jid->bare());
      if (subscription == "from" || subscription == "both") seers.insert(jid->bare());
    }
    if (failed) return;
    access_.set_roster(std::move(contacts));
    seen_ = std::move(seen), seers_ = std::move(seers);
    return;
  }
  if (awaited->purpose == Purpose::chatter) return chatter_answered(iq, now);
  if (awaited->purpose == Purpose::interests) return interests_answered(*awaited, iq, now);
  if (awaited->purpose == Purpose::shared_items) return items_answered(*awaited, iq, now);
  if (awaited->purpose == Purpose::pep_service || awaited->purpose == Purpose::pep_publish) {
    return publisher_->answered(*awaited, iq, out_, now);
  }
  if (awaited->purpose == Purpose::stun_services || awaited->purpose == Purpose::turn_services ||
      awaited->purpose == Purpose::turn_credentials) {
    return ice_services_.answered(*awaited, iq, out_, now);
  }
  if (awaited->purpose == Purpose::chat_room) {
    const pugi::xml_node query = jingle::child(iq.xml.root(), jingle::ns::kDiscoInfo, "query");
    const auto info = failed ? std::nullopt : jingle::DiscoInfo::parse(query);
    return info ? chat_rooms_.learned(iq.from, *info) : chat_rooms_.unreachable(iq.from);
  }
  std::optional<jingle::StanzaError> error;
  if (failed) error = jingle::StanzaError::parse(iq.xml.root());
  const ClientProfile* profile = nullptr;
  if (awaited->purpose == Purpose::client_disco) {
    const pugi::xml_node query = jingle::child(iq.xml.root(), jingle::ns::kDiscoInfo, "query");
    auto info = failed ? std::nullopt : jingle::DiscoInfo::parse(query);
    profile = error && error->passes()
                  ? &clients_.guess(iq.from)
                  : &clients_.learned(iq.from, info.value_or(jingle::DiscoInfo{}), now);
  }
  Conference* conference = find(awaited->room);
  if (!conference) return;
  if (profile) {
    conference->client_known(iq.from, *profile, out_, now);
  } else {
    // Ours has lost against theirs, which is here or on its way.
    const bool ours = awaited->purpose == Purpose::session_initiate;
    if (ours && error && error->app_name == "tie-break") dialling_.end(awaited->leg, false, now);
    conference->answered(*awaited, iq.id, error ? &*error : nullptr, out_, now);
  }
  settle(awaited->room, now);
}

void Focus::connection_up(const jingle::XmppConnection::Up& up, TimePoint now) {
  if (!std::exchange(complained_, true)) {
    if (const auto complaint = access_.complaint()) out_.log(Log::Level::error, *complaint);
    complain_of_invites();
  }
  connected_ = true;
  std::optional<jingle::Jid> local;
  if (client_mode()) local = self_ = up.jid;
  ice_services_.connection_up(up.jid, up.resumed, out_, now);
  if (publisher_) publisher_->connection_up(self_, up.resumed, out_, now);
  if (eventing_) eventing_->connection_up(now);
  if (client_mode()) show_extended(config_.xmpp.jid.local(), now);
  if (!up.resumed) {
    if (client_mode()) {
      broadcast_at_ = now;
      ask_roster(now);
    } else {
      subscriptions_.all_changed(now);
    }
  }
  for (auto& [name, room] : rooms_) room.conference.connection_up(local, now);
  if (!up.resumed) redial_after_reconnect(now);
  std::vector<std::string> names;
  for (const auto& [name, room] : rooms_) names.push_back(name);
  for (const std::string& name : names) settle(name, now);
}

void Focus::connection_down() {
  connected_ = false;
  documents_.link_down();
  ice_services_.connection_down();
  if (publisher_) publisher_->connection_down();
  if (eventing_) eventing_->connection_down();
  for (auto& [name, room] : rooms_) room.conference.connection_down();
}

void Focus::shut_down(TimePoint now) {
  shutting_down_ = true;
  std::vector<std::string> names;
  for (const auto& [name, room] : rooms_) names.push_back(name);
  for (const std::string& name : names) {
    withdraw_all(name, reasons::shutting_down(), now);
    find(name)->end_all(reasons::shutting_down(), out_, now);
    settle(name, now);
  }
  for (const Invitation& invitation : invitations_.take_all()) {
    finish(invitation, reasons::shutting_down(), {}, now);
  }
  subscriptions_.all_leave(now);
  if (publisher_) publisher_->leave();
  if (eventing_) eventing_->leave(now);
}

void Focus::advance(TimePoint now) {
  dials_due(now);
  // Twice: whom a room dials when its time has come, it tells the others of at once.
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string> due;
    for (const auto& [at, name] : deadlines_) {
      if (at > now) break;
      due.push_back(name);
    }
    for (const std::string& name : due) {
      find(name)->advance(out_, now);
      settle(name, now);
    }
  }
  for (const Invitation& invitation : invitations_.take_expired(now)) {
    finish(invitation, reasons::not_followed_up(), {}, now);
  }
  for (const Said& said : chatters_.take_due(now)) respond(said, now);
  presence_due(now);
  ice_services_.advance(out_, now);
  if (publisher_) publisher_->advance(out_, now);
  if (eventing_) eventing_->advance(out_, now);
}

void Focus::settle(const std::string& name, TimePoint now) {
  const auto found = rooms_.find(name);
  if (found == rooms_.end()) return;
  Room& room = found->second;
  if (room.users_told != room.conference.users()) {
    const bool opens = std::exchange(room.users_told, room.conference.users()) == 0;
    if (opens) {
      for (const jingle::Jid& target : config_of(name).invite) room.redial[target] = now;
    } else if (room.users_told == 0) {
      room.redial.clear();
      withdraw_all(name, reasons::make("cancel", "The conference is over."), now);
    }
    subscriptions_.room_changed(name, now);
    if (client_mode() && !broadcast_at_) broadcast_at_ = now + limits::kPresenceCoalesce;
  }
  dial_configured(name, room, now);
  for (auto& [leg, record] : room.conference.take_ended()) {
    dialling_.end(leg, !record.connected, now);
    for (auto& [target, at] : room.redial) {
      if (target.bare() == record.peer.bare()) at = std::max(at, now + limits::kRedialAfter);
    }
    legs_.at(leg).ended = std::move(record);
  }
  if (room.deadline) deadlines_.erase({*room.deadline, name});
  if (room.conference.empty()) {
    const Recording& recording = room.conference.recording();
    if (recording.closing()) {
      last_recordings_.emplace(room.conference.place().media_room, recording);
    }
    rooms_.erase(found);
    return show_extended(name, now);
  }
  show_extended(name, now);
  room.deadline = room.conference.next_deadline();
  for (const auto& [target, at] : room.redial) {
    if (connected_ && (!room.deadline || at < *room.deadline)) room.deadline = at;
  }
  if (room.deadline) deadlines_.emplace(*room.deadline, name);
}

std::optional<TimePoint> Focus::next_deadline() const {
  std::optional<TimePoint> next;
  const auto consider = [&](std::optional<TimePoint> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  if (!deadlines_.empty()) consider(deadlines_.begin()->first);
  consider(invitations_.next_deadline());
  consider(dialling_.next_deadline());
  consider(chatters_.next_deadline());
  if (connected_) consider(subscriptions_.next_deadline());
  if (connected_) consider(broadcast_at_);
  consider(ice_services_.next_deadline());
  if (publisher_) consider(publisher_->next_deadline());
  if (eventing_) consider(eventing_->next_deadline());
  return next;
}

Focus::Place Focus::place_of(const jingle::Jid& to) const {
  if (client_mode()) {
    return to == config_.xmpp.jid || to == self_ ? Place::room : Place::nowhere;
  }
  if (to.domain() != config_.xmpp.jid.domain()) return Place::nowhere;
  if (to.local().empty()) return to.is_bare() ? Place::domain : Place::nowhere;
  const bool callable = to.is_bare() || to.resource() == kFocusResource;
  return callable && to.local().size() <= limits::kMaxLocalBytes ? Place::room : Place::nowhere;
}

std::string Focus::room_of(const jingle::Jid& to) const {
  return client_mode() ? config_.xmpp.jid.local() : to.local();
}

jingle::Jid Focus::bare_of(const std::string& room) const {
  return client_mode() ? config_.xmpp.jid : jingle::Jid::of(room, config_.xmpp.jid.domain());
}

jingle::Jid Focus::full_of(const std::string& room) const {
  if (client_mode() && !self_.empty()) return self_;
  return bare_of(room).with_resource(kFocusResource);
}

Conference* Focus::find(const std::string& room) {
  const auto found = rooms_.find(room);
  return found == rooms_.end() ? nullptr : &found->second.conference;
}

void Focus::log_refusal(std::string_view what, const jingle::Jid& who, TimePoint now,
                        std::string_view why) {
  if (!refusals_of_each_.take(who.bare().str(), now) || !refusals_logged_.take("", now)) return;
  // Who is kept out may want to be let in; what came too late or out of shape nobody can mend here.
  out_.log(why.empty() ? Log::Level::warning : Log::Level::info,
           "refused: " + std::string(what) + " from=" + quoted(who.str()) + std::string(why));
}

}  // namespace mixer
