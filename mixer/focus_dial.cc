// Dialling out (RFC 4575 §5.7.3): whom the focus invites, by message as initiator (XEP-0353) or by
// session-initiate at once, and what comes of it. Who yields to whom is in dialling.h.
#include <algorithm>
#include <pugixml.hpp>

#include "mixer/focus.h"
#include "mixer/limits.h"
#include "mixer/reasons.h"
#include "signaling/namespaces.h"

namespace mixer {

namespace jmi = jingle::jmi;

namespace {

// XEP-0280, XEP-0334: no carbons.
constexpr char kForOneDevice[] =
    "<private xmlns='urn:xmpp:carbons:2'/><no-copy xmlns='urn:xmpp:hints'/>";

Outgoing outgoing(const Dial& dial) {
  return {.leg = dial.leg,
          .sid = dial.sid,
          .target = dial.target,
          .by = dial.by,
          .reason = dial.reason};
}

}  // namespace

Focus::Invited Focus::invite(const Invite& invite, TimePoint now) {
  const auto refused = dial(invite, now);
  settle(invite.room, now);
  advance(now);
  return {refused, out_.take()};
}

bool Focus::is_own(const jingle::Jid& target) const {
  const jingle::Jid& own = config_.xmpp.jid;
  return client_mode() ? target.bare() == own : target.domain() == own.domain();
}

std::optional<InviteRefusal> Focus::refuses(const Invite& invite, TimePoint now) {
  const jingle::Jid& target = invite.target;
  if (shutting_down_) return InviteRefusal::shutting_down;
  if (!connected_) return InviteRefusal::not_connected;
  if (is_own(target)) return InviteRefusal::own_address;
  if (!access_.allows(target)) return InviteRefusal::not_allowed;
  const bool is_account = invite.room == config_.xmpp.jid.local();
  if (client_mode() ? !is_account : !room_exists(invite.room)) return InviteRefusal::no_such_room;
  if (invitations_.has_any(invite.room, target.bare())) return InviteRefusal::already_invited;
  if (auto refusal = dialling_.refuses(target, now)) return refusal;
  if (Conference* conference = find(invite.room)) {
    if (conference->has_user(target.bare())) return InviteRefusal::already_here;
    if (conference->full()) return InviteRefusal::room_full;
  }
  const auto participants = static_cast<std::size_t>(config_.limits.participants);
  const bool no_port = no_port_until_ && now < *no_port_until_;
  if (legs_.size() >= participants || no_port) return InviteRefusal::over_limit;
  return std::nullopt;
}

std::optional<InviteRefusal> Focus::dial(const Invite& invite, TimePoint now) {
  if (auto refusal = refuses(invite, now)) return refusal;
  Conference* conference = open(invite.room, invite.by.value_or(invite.target), now);
  if (!conference) return InviteRefusal::over_limit;
  Dial dial{.room = invite.room,
            .leg = {++last_leg_},
            .sid = {out_.token()},
            .target = invite.target,
            .by = invite.by,
            .reason = invite.reason,
            .began = now};
  conference->invited(outgoing(dial), out_, now);
  if (invite.target.is_bare()) {
    propose(std::move(dial), now);
  } else {
    call_out(dial, invite.target, false, now);
  }
  return std::nullopt;
}

void Focus::propose(Dial dial, TimePoint now) {
  const jingle::Jid& target = dial.target;
  // XEP-0353 §3.1: with our presence they see what we are and may answer our full JID.
  if (!sees_us(dial.room, target)) show_presence(dial.room, target);
  dial.message_id = out_.next_id();
  // Conversations says only by the receipt that it rings.
  out_.put(SendMessage{full_of(dial.room), target, "chat", dial.message_id,
                       jmi::write({dial.sid, jmi::Propose{{"audio"}}}) + "<request xmlns='" +
                           jingle::ns::kReceipts + "'/>"});
  // Should nobody answer, we want to know by then which of them could be called.
  for (const jingle::Jid& full : clients_.unasked(target, limits::kMaxAskedResources)) {
    out_.ask_disco_info(full_of(dial.room),
                        {full, Purpose::client_disco, dial.room, dial.leg, now});
  }
  dialling_.propose(std::move(dial), now);
}

void Focus::call_out(const Dial& dial, const jingle::Jid& peer, bool proposed, TimePoint now) {
  Conference* conference = find(dial.room);
  if (!conference) return;
  const Outgoing made = outgoing(dial);
  dialling_.call(dial, peer);
  legs_.emplace(made.leg, Leg{dial.room, std::nullopt});
  conference->call(made.leg, peer, proposed, clients_.known(peer, now), out_, now);
}

// Under a sid of its own: who saw the proposal has seen it end.
void Focus::call_directly(Dial dial, const jingle::Jid& peer, TimePoint now) {
  forget(dial, reasons::make("cancel"), now);
  dial.leg = {++last_leg_};
  dial.sid = {out_.token()};
  if (Conference* conference = find(dial.room)) conference->invited(outgoing(dial), out_, now);
  call_out(dial, peer, false, now);
}

void Focus::retract(const Dial& dial, const jingle::Reason& reason) {
  send_jmi(dial.room, dial.target, dial.sid, jmi::Retract{reason, reason == reasons::tie_break()});
}

void Focus::rang(const std::string& room, const jingle::Jid& from, const jingle::Sid& sid,
                 TimePoint now) {
  const Dial* dial = dialling_.rang(room, from, sid);
  Conference* conference = find(room);
  if (!dial || !conference) return;
  conference->ringing(dial->leg);
  settle(room, now);
}

void Focus::proceeded(const std::string& room, const jingle::Jid& from, const jingle::Sid& sid,
                      TimePoint now) {
  if (from.is_bare()) return log_refusal("proceed of no device", from, now);
  if (const Dial* dial = dialling_.proposal(room, from, sid)) {
    call_out(Dial(*dial), from, true, now);
    return settle(room, now);
  }
  const Conference* conference = find(room);
  if (conference && conference->has_session(from, sid)) return;  // says so twice
  // Retracted, or of before we were started; or another device was faster, which need not hear of
  // it: no carbon for that one (XEP-0280).
  const bool faster = conference && conference->has_session(from.bare(), sid);
  log_refusal(faster ? "proceed of a second device" : "proceed to no open proposal", from, now);
  send_jmi(room, from, sid, jmi::Finish{reasons::make("expired"), {}}, faster ? kForOneDevice : "");
}

bool Focus::rejected(const std::string& room, const jingle::Jid& from, const jingle::Sid& sid,
                     jingle::Reason reason, bool tie_break, TimePoint now) {
  const Dial* found = dialling_.proposal(room, from, sid);
  if (!found) return false;
  const Dial dial = *found;
  if (tie_break) {
    log_unmade(dial, reason, true, now);
    forget(dial, reason, now);
  } else {
    failed(dial, reason, true, now);
  }
  settle(room, now);
  return true;
}

void Focus::proposal_bounced(const std::string& room, const jingle::Message& message,
                             TimePoint now) {
  const Dial* found = dialling_.bounced(room, message.from, message.id);
  if (!found) return;
  const Dial dial = *found;
  if (const auto peer = clients_.callable(dial.target)) {
    call_directly(dial, *peer, now);
  } else {
    failed(dial, reasons::make("gone", "Not reachable."), true, now);
  }
  settle(room, now);
}

void Focus::failed(const Dial& dial, const jingle::Reason& reason, bool by_peer, TimePoint now) {
  log_unmade(dial, reason, by_peer, now);
  if (Conference* conference = find(dial.room))
    conference->uninvited(dial.leg, reason, by_peer, now);
  dialling_.end(dial.leg, true, now);
}

void Focus::log_unmade(const Dial& dial, const jingle::Reason& reason, bool by_peer,
                       TimePoint now) {
  out_.log(Log::Level::info, to_log({.room = dial.room,
                                     .peer = dial.target,
                                     .sid = dial.sid,
                                     .dialled_out = true,
                                     .began = dial.began,
                                     .ended = now,
                                     .reason = reason,
                                     .by_peer = by_peer}));
}

void Focus::forget(const Dial& dial, const jingle::Reason& reason, TimePoint now) {
  if (Conference* conference = find(dial.room)) conference->withdraw(dial.leg, reason, out_, now);
  dialling_.end(dial.leg, false, now);
}

void Focus::withdraw(const Dial& dial, const jingle::Reason& reason, TimePoint now) {
  if (dial.state != Dial::State::called) {
    retract(dial, reason);
    log_unmade(dial, reason, false, now);
  }
  forget(dial, reason, now);
}

// A client that knows no tie-break would let our call ring on, so it is ended in so many words; but
// not by a sid that is theirs too.
void Focus::yield_to(Conference& conference, const Dial& ours, const jingle::Sid& sid,
                     TimePoint now) {
  if (ours.state != Dial::State::called) {
    return withdraw(ours, reasons::make("cancel", "You have called."), now);
  }
  if (ours.sid != sid) return withdraw(ours, reasons::alternative(sid, "You have called."), now);
  const jingle::StanzaError lost = jingle::tie_break();
  conference.answered({ours.peer, Purpose::session_initiate, ours.room, ours.leg, now}, {}, &lost,
                      out_, now);
  dialling_.end(ours.leg, false, now);
}

void Focus::withdraw_all(const std::string& room, const jingle::Reason& reason, TimePoint now) {
  for (const Dial& dial : dialling_.all(room)) {
    if (dialling_.stands(dial)) withdraw(dial, reason, now);
  }
}

void Focus::dials_due(TimePoint now) {
  // What is done about one may end another: its room has become empty, say.
  for (const Dial& dial : dialling_.take_silent(now)) {
    // Who has it rings (Conversations says no more), but for clients that know no proposals and
    // send receipts for whatever they get (StanzaJS).
    const bool rings = std::ranges::any_of(dial.delivered_to, [&](const jingle::Jid& device) {
      return clients_.may_know_proposals(device);
    });
    const auto peer = clients_.callable(dial.target);
    if (rings || !peer || !dialling_.stands(dial)) continue;
    retract(dial, reasons::make("cancel", "Calling you directly."));
    call_directly(dial, *peer, now);
    settle(dial.room, now);
  }
  for (const Dial& dial : dialling_.expired(now)) {
    if (!dialling_.stands(dial)) continue;
    retract(dial, reasons::make("cancel", "Nobody answered."));
    failed(dial, reasons::unanswered(), false, now);
    settle(dial.room, now);
  }
}

void Focus::dial_configured(const std::string& name, Room& room, TimePoint now) {
  if (!connected_ || shutting_down_) return;
  for (auto& [target, at] : room.redial) {
    if (at > now) continue;
    at = now + limits::kRedialAfter;
    const auto refusal = dial({.room = name, .target = target, .by = std::nullopt}, now);
    if (refusal == InviteRefusal::refused_lately) {
      at = dialling_.left_alone_until(target);
    } else if (refusal && refusal != InviteRefusal::already_here) {
      out_.log(Log::Level::warning, "not invited: room=" + quoted(name) +
                                        " target=" + quoted(target.str()) +
                                        " cause=" + quoted(std::string(to_string(*refusal))));
    }
  }
}

void Focus::complain_of_invites() {
  const auto complain = [&](const std::string& name, const RoomConfig& config) {
    for (const jingle::Jid& target : config.invite) {
      const bool own = is_own(target);
      if (!own && (access_.allows(target) || access_.roster_counts())) continue;
      out_.log(Log::Level::error,
               "room " + quoted(name) + " can never invite " + quoted(target.str()) + ": " +
                   (own ? "that is this mixer itself" : "access.dial does not allow it"));
    }
  };
  for (const auto& [name, config] : config_.rooms) complain(name, config);
  complain("*", config_.room_defaults);
}

// What was answered to a proposal meanwhile is lost, and we may have another name: propose anew.
void Focus::redial_after_reconnect(TimePoint now) {
  for (const Dial& old : dialling_.all()) {
    if (old.state == Dial::State::called || !dialling_.stands(old)) continue;
    withdraw(old, reasons::make("cancel", "The mixer was disconnected meanwhile."), now);
    (void)dial({.room = old.room, .target = old.target, .by = old.by, .reason = old.reason}, now);
  }
}

}  // namespace mixer
