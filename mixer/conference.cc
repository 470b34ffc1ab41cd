#include "mixer/conference.h"

#include <algorithm>

#include "mixer/limits.h"
#include "mixer/overloaded.h"
#include "mixer/reasons.h"
#include "signaling/jingle_message.h"
#include "signaling/namespaces.h"

namespace mixer {

Conference::Conference(Place place, const Config& config, ByteBudget& documents, const Nicks& nicks,
                       WallTime wall)
    : place_(std::move(place)),
      push_(config.coin.push),
      capacity_(config.limits.participants_per_room),
      bitrate_bps_(config.media.bitrate_bps),
      wall_(std::move(wall)),
      nicks_(nicks),
      isfocus_(place_.config.focus == FocusWhen::always),
      links_(place_.bare.uri()),
      roster_(place_.bare, place_.config),
      sharing_(config.presence.relay),
      notifier_(place_.name, config.coin, documents),
      jukebox_({.name = place_.name,
                .full = place_.full,
                .room = place_.media_room,
                .media_dir = config.play.media_dir,
                .loudness_lufs = static_cast<double>(config.play.loudness_lufs),
                .hold_music = place_.config.hold_music,
                .chimes = place_.config.chimes}),
      recording_({.name = place_.name,
                  .title = place_.config.display_text.empty() ? place_.bare.unescaped_local()
                                                              : place_.config.display_text,
                  .full = place_.full,
                  .room = place_.media_room,
                  .directory = place_.config.record ? config.record.directory : "",
                  .longest = config.record.longest,
                  .most_bytes = config.record.most_bytes,
                  .least_free_bytes = config.record.least_free_bytes},
                 wall_) {}

Conference::Member* Conference::member(media::LegId leg) {
  const auto found = members_.find(leg);
  return found == members_.end() ? nullptr : &found->second;
}

std::vector<media::LegId> Conference::calls_of(const jingle::Jid& jid) const {
  std::vector<media::LegId> legs;
  // A bare JID sorts before the full ones that begin with it.
  for (auto at = sessions_.lower_bound({jid, jingle::Sid{}}); at != sessions_.end(); ++at) {
    const jingle::Jid& peer = at->first.first;
    if (peer != jid && !(jid.is_bare() && peer.bare() == jid)) break;
    legs.push_back(at->second);
  }
  return legs;
}

// A connected call of that peer if there is one, else any.
Conference::Member* Conference::member_of(const jingle::Jid& peer) {
  Member* any = nullptr;
  for (const media::LegId leg : calls_of(peer)) {
    any = member(leg);
    if (any->joined) break;
  }
  return any;
}

bool Conference::has_session(const jingle::Jid& peer, const jingle::Sid& sid) const {
  if (!peer.is_bare()) return sessions_.contains({peer, sid});
  return std::ranges::any_of(calls_of(peer), [&](media::LegId leg) {
    return members_.at(leg).call.session().sid() == sid;
  });
}

bool Conference::full() const {
  return members_.size() + invited_.size() >= static_cast<std::size_t>(capacity_);
}

int Conference::pending_of(const jingle::Jid& user) const {
  return static_cast<int>(std::ranges::count_if(calls_of(user), [&](media::LegId leg) {
    const Call& call = members_.at(leg).call;
    return call.role() == jingle::Role::responder && !call.connected();
  }));
}

std::optional<media::LegId> Conference::call_to_replace(const jingle::Jid& peer,
                                                        const jingle::Jid& of) const {
  std::optional<media::LegId> found;
  for (const media::LegId leg : calls_of(of)) {
    const Call& call = members_.at(leg).call;
    if (!call.accepted()) continue;
    if (call.peer() == peer) return leg;
    if (!found || call.connected()) found = leg;
  }
  return found;
}

void Conference::migrate(media::LegId leg, const jingle::Sid& to, Outbox& out, TimePoint now) {
  Member* moving = member(leg);
  if (!moving) return;
  moving->moves_until = now + limits::kProceedToInitiate;
  moving->call.migrate(to, out);
}

bool Conference::initiate(const Incoming& incoming, Outbox& out, TimePoint now) {
  auto agreed = negotiate(*incoming.offer, bitrate_bps_);
  if (!agreed) {
    refuse(incoming, agreed.error(), out, now);
    return false;
  }
  // The same full JID again. Its old call may be dead without our having noticed: then
  // the new one takes its place once it is connected, and the Coin user stays throughout.
  bool replaces = incoming.replaces.has_value();
  for (const media::LegId leg : calls_of(incoming.peer)) {
    const Call& older = members_.at(leg).call;
    if (!older.stale(now) && incoming.replaces != leg) {
      refuse(incoming, reasons::alternative(older.session().sid()), out, now);
      return false;
    }
    replaces = true;
  }
  const auto user = incoming.occupant ? incoming.peer : incoming.peer.bare();
  if (calls_of(user).size() >= limits::kMaxCallsPerUser && !replaces) {
    refuse(incoming, reasons::make("busy", "You have too many calls in this room."), out, now);
    return false;
  }
  if (full() && !replaces) {
    refuse(incoming, reasons::room_full(), out, now);
    return false;
  }
  add({.room = place_.name,
       .sid = incoming.sid,
       .local = incoming.local,
       .peer = incoming.peer,
       .focus = place_.full,
       .media_room = place_.media_room,
       .leg = incoming.leg,
       .contributor_id = new_contributor_id(out),
       .agreed = std::move(*agreed),
       .max_bitrate_bps = bitrate_bps_,
       .isfocus = isfocus_,
       .peer_is_focus = incoming.offer->isfocus.value_or(false),
       .proposed = incoming.proposed,
       .replaces = incoming.replaces,
       .occupant = incoming.occupant},
      incoming.profile, out, now);
  return true;
}

void Conference::add(Call::Setup setup, const ClientProfile* profile, Outbox& out, TimePoint now) {
  const media::LegId leg = setup.leg;
  setup.voice = place_.config.voice;
  sessions_.emplace(std::pair(setup.peer, setup.sid), leg);
  contributor_ids_.insert(setup.contributor_id);
  if (const auto moving = moving_.find(setup.replaces.value_or(leg)); moving != moving_.end()) {
    moving->second.calls = true;
  }
  const auto added = members_.emplace(leg, Member{.call = Call(std::move(setup), out, now),
                                                  .profile = profile,
                                                  .profile_deadline = now + limits::kDiscoTimeout});
  if (!profile) ask_client(added.first->second.call, out, now);
  reindex(added.first->second);
}

void Conference::refuse(const Incoming& incoming, const jingle::Reason& reason, Outbox& out,
                        TimePoint now) const {
  out.jingle(incoming.local, incoming.peer, {incoming.sid, jingle::SessionTerminate{reason}});
  if (incoming.proposed) {
    const jingle::jmi::Finish finish{reasons::finish(reason, false), {}};
    out.put(SendMessage{place_.full, incoming.peer, "chat", out.next_id(),
                        jingle::jmi::write({incoming.sid, finish})});
  }
  out.log(Log::Level::info, to_log({.room = place_.name,
                                    .peer = incoming.peer,
                                    .sid = incoming.sid,
                                    .began = now,
                                    .ended = now,
                                    .reason = reason}));
}

std::uint32_t Conference::new_contributor_id(Outbox& out) const {
  for (;;) {
    const auto id = static_cast<std::uint32_t>(out.random());
    if (id != 0 && !contributor_ids_.contains(id)) return id;
  }
}

// In component mode no caps come by themselves.
void Conference::ask_client(const Call& call, Outbox& out, TimePoint now) const {
  out.ask_disco_info(call.session().local(),
                     {call.peer(), Purpose::client_disco, place_.name, call.leg(), now});
}

std::optional<jingle::StanzaError> Conference::request(const jingle::Jid& peer,
                                                       const jingle::Request& request, Outbox& out,
                                                       TimePoint now) {
  const auto found = sessions_.find({peer, request.sid});
  if (found == sessions_.end()) return jingle::unknown_session();
  const media::LegId leg = found->second;
  auto error = members_.at(leg).call.receive(request.payload, out, now);
  settle(leg, out, now);
  return error;
}

void Conference::media_event(const media::Event& event, Outbox& out, TimePoint now) {
  const auto of = media::leg_of(event);
  if (!of) {
    jukebox_.media_event(event, out, now);
    recording_.media_event(event, out, now);
    return settle_doing(out);
  }
  const media::LegId leg = *of;
  Member* found = member(leg);
  if (!found) return;
  Call& call = found->call;
  std::visit(Overloaded{
                 [&](const media::LegOpened& e) { call.opened(e, out, now); },
                 [&](const media::CandidatesGathered& e) { call.gathered(e, out); },
                 [&](const media::IceRestarted& e) { call.ice_restarted(e, out, now); },
                 [&](const media::LegConnected& e) { call.leg_connected(e, out, now); },
                 [&](const media::LegFailed& e) { call.leg_failed(e, out, now); },
                 [&](const media::LegQuiet&) { call.set_quiet(true, now); },
                 [&](const media::LegHeard&) { call.set_quiet(false, now); },
                 [&](const media::DigitPressed& e) {
                   out.log(Log::Level::debug, "digit pressed: room=" + quoted(place_.name) +
                                                  " digit=" + std::string(1, e.digit));
                 },
                 // Closed without our asking: the engine has nothing left of it.
                 [&](const media::LegClosed&) {
                   call.leg_failed({leg, media::LegFailure::media_error, "closed"}, out, now);
                 },
                 [](const auto&) {},
             },
             event);
  settle(leg, out, now);
}

void Conference::answered(const Awaited& awaited, const std::string& id,
                          const jingle::StanzaError* error, Outbox& out, TimePoint now) {
  if (awaited.purpose == Purpose::coin) {
    notifier_.answered(awaited.leg, id, error, now);
  } else if (Member* found = member(awaited.leg); found && error) {
    found->call.refused(*error, awaited.purpose, out);
    settle(awaited.leg, out, now);
  } else if (found && awaited.purpose == Purpose::ice_restart) {
    found->call.restart_acknowledged(out, now);
    settle(awaited.leg, out, now);
  }
}

void Conference::client_known(const jingle::Jid& peer, const ClientProfile& profile, Outbox& out,
                              TimePoint now) {
  for (const media::LegId leg : calls_of(peer)) {
    Member* found = member(leg);
    if (!found) continue;  // settled with another
    set_profile(*found, shown_as(*found, profile));
    settle(leg, out, now);
  }
}

void Conference::peer_presence(const jingle::Jid& peer, bool available, Outbox& out,
                               TimePoint now) {
  for (const media::LegId leg : calls_of(peer)) {
    Member* found = member(leg);
    if (!found) continue;  // settled with another
    found->call.set_available(available, out, now);
    if (found->call.ended()) {
      settle(leg, out, now);
    } else {
      reindex(*found);
    }
  }
}

void Conference::connection_up(const std::optional<jingle::Jid>& local, TimePoint now) {
  notifier_.connection_up(now);
  for (auto& [leg, member] : members_) {
    const jingle::Jid& dialled = member.call.session().local();
    if (local && !dialled.is_bare() && dialled != *local) member.call.orphan(now);
    reindex(member);
  }
}

void Conference::end_all(const jingle::Reason& reason, Outbox& out, TimePoint now) {
  while (!members_.empty()) {
    const media::LegId leg = members_.begin()->first;
    members_.begin()->second.call.end(reason, out);
    settle(leg, out, now);
  }
  invited_.clear();
}

void Conference::reindex(const Member& member) {
  std::optional<TimePoint> at = member.call.next_deadline();
  if (!member.profile && (!at || member.profile_deadline < *at)) at = member.profile_deadline;
  due_.set(member.call.leg(), at);
}

std::optional<TimePoint> Conference::next_deadline() const {
  if (plan_changed_) return TimePoint{};
  std::optional<TimePoint> next;
  const auto consider = [&](std::optional<TimePoint> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (const auto& at :
       {notifier_.next_deadline(), due_.next(), links_due_, roster_.next_deadline(),
        jukebox_.next_deadline(), recording_.next_deadline()}) {
    consider(at);
  }
  for (const auto& [leg, moving] : moving_) {
    if (!moving.calls) consider(moving.until);
  }
  return next;
}

void Conference::advance(Outbox& out, TimePoint now) {
  for (const media::LegId leg : due_.due(now)) {
    Member* found = member(leg);
    if (!found) continue;
    found->call.advance(out, now);
    if (!found->profile && found->profile_deadline <= now) found->profile = &profile_of({});
    settle(leg, out, now);
  }
  if (links_due_ && *links_due_ <= now) {
    settle_links(out, now);
    settle_isfocus(out);
    settle_audience(out, now);
  }
  std::vector<media::LegId> over;
  for (const auto& [leg, moving] : moving_) {
    if (moving.until <= now && !moving.calls) over.push_back(leg);
  }
  for (const media::LegId leg : over) move_failed(leg, now);
  if (!over.empty()) settle_isfocus(out);
  if (roster_.expire(now)) notifier_.touch();
  // Whoever is to hear an announcement does when it begins, and is recorded from its end on.
  send_plan(out);
  jukebox_.advance(out, now);
  recording_.advance(out, now);
  settle_doing(out);
  send_plan(out);
  notifier_.advance(roster_, out, now);
}

}  // namespace mixer
