// The focus's dealings by message: Jingle Message Initiation as callee (XEP-0353; as caller:
// focus_dial.cc), receipts (XEP-0184); and the account's contacts.
#include <algorithm>
#include <pugixml.hpp>

#include "mixer/focus.h"
#include "mixer/limits.h"
#include "mixer/overloaded.h"
#include "mixer/reasons.h"
#include "signaling/date_time.h"
#include "signaling/namespaces.h"

namespace mixer {

namespace jmi = jingle::jmi;

namespace {

// XEP-0203: by now its sender has given up or called again. Of several stamps the oldest counts; of
// one that cannot be read nobody knows better.
bool is_late(const jingle::Message& message, std::chrono::sys_seconds now) {
  for (const pugi::xml_node& node : message.xml.root().children()) {
    if (!jingle::is(node, jingle::ns::kDelay, "delay")) continue;
    const auto sent = jingle::parse_date_time(node.attribute("stamp").value());
    if (!sent || now - *sent > limits::kProposalKept) return true;
  }
  return false;
}

}  // namespace

void Focus::message(const jingle::Message& message, TimePoint now) {
  if (place_of(message.to) != Place::room || message.from.empty()) return;
  const std::string room = room_of(message.to);
  if (message.type == "error") {
    // XEP-0163 §4.3.1: what was notified comes back to the bare JID. An account is there still
    // while its server is away.
    const bool away =
        message.from.is_bare() && jingle::StanzaError::parse(message.xml.root()).passes();
    if (eventing_ && message.to.is_bare() && !away) eventing_->cancel(room, message.from);
    return proposal_bounced(room, message, now);
  }
  if (message.type == "groupchat") return;
  // Copies of what others sent or got (XEP-0280) come from there only; we ask for none.
  if (message.from.bare() == bare_of(room)) return;
  if (const auto event = jingle::pubsub::parse_event(message)) {
    const Conference* conference = find(room);
    const bool shares = conference && conference->shares(message.from.bare());
    if (!shares && !access_.allows(message.from)) {
      return log_refusal("event", message.from, now, " error=stranger");
    }
    return notified(room, message.from, *event, now);
  }
  const auto receipt = jingle::child(message.xml.root(), jingle::ns::kReceipts, "received");
  if (receipt) dialling_.delivered(room, message.from, receipt.attribute("id").value());
  // Receipts are not acknowledged (XEP-0184 §5.6), or two would never stop.
  const bool wants_receipt = !message.id.empty() && !receipt &&
                             jingle::child(message.xml.root(), jingle::ns::kReceipts, "request");
  const auto event = message.type == "headline" ? std::nullopt : jmi::parse(message);
  const auto stanza = message.xml.root();
  const bool speaks = !!jingle::child(stanza, jingle::effective_ns(stanza), "body");
  if (!event && !wants_receipt && !speaks) return;
  if (!access_.allows(message.from)) {  // silence (XEP-0353 §6)
    log_refusal("message", message.from, now);
    return;
  }
  if (!room_exists(room)) return;
  // Conversations 2.12 rings on the receipt of its propose.
  if (wants_receipt) {
    out_.put(SendMessage{full_of(room), message.from,
                         message.type.empty() ? "normal" : message.type, out_.next_id(),
                         std::string("<received xmlns='") + jingle::ns::kReceipts + "' id='" +
                             jingle::escape(message.id) + "'/>"});
  }
  if (!event) return told(room, message, now);
  if (const auto* proposal = std::get_if<jmi::Propose>(&event->payload)) {
    if (!is_late(message, wall_(now))) proposed(room, message.from, event->id, *proposal, now);
  } else {
    said(room, message.from, *event, now);
  }
}

void Focus::proposed(const std::string& room, const jingle::Jid& peer, const jingle::Sid& sid,
                     const jmi::Propose& proposal, TimePoint now) {
  Conference* conference = find(room);
  const bool repeated =
      invitations_.has(room, peer, sid) || (conference && conference->has_session(peer, sid));
  if (repeated || peer.is_bare() || calls_.blocked(chat_rooms_.user_of(peer).str(), now)) return;
  const auto crossing = dialling_.proposal_crosses(room, peer, sid, full_of(room));
  if (crossing == Dialling::Crossing::prevail) {
    send_jmi(room, peer, sid, jmi::Reject{reasons::tie_break(), true});
    return;
  }
  const bool yields = crossing == Dialling::Crossing::yield;
  const bool audio = std::ranges::find(proposal.media, "audio") != proposal.media.end();
  std::optional<media::LegId> replaces;
  if (conference) replaces = conference->call_to_replace(peer, continued_by(room, peer));
  if (const auto error = over_limits(peer, false, now)) {
    log_refusal("proposal over a limit", peer, now);
    send_jmi(room, peer, sid, jmi::Reject{reasons::make("busy", error->text.c_str()), false});
  } else if (!audio) {
    say_no(room, peer, sid, reasons::make("busy", "This conference takes audio only."), now);
  } else if (conference && conference->full() && !replaces && !yields) {
    say_no(room, peer, sid, reasons::room_full(), now);
  } else {
    if (yields) {
      withdraw(Dial(*dialling_.of(room, peer)), reasons::tie_break(), now);
      settle(room, now);
    }
    proceed({.room = room, .peer = peer, .sid = sid, .replaces = replaces, .began = now}, now);
  }
}

jingle::Jid Focus::continued_by(const std::string& room, const jingle::Jid& peer) const {
  return config_of(room).multi_device ? peer : chat_rooms_.user_of(peer);
}

// `busy`, whatever the truth may be (XEP-0353 §6).
void Focus::say_no(const std::string& room, const jingle::Jid& peer, const jingle::Sid& sid,
                   const jingle::Reason& reason, TimePoint now) {
  send_jmi(room, peer, sid, jmi::Reject{reason, false});
  log_unmade({.room = room, .peer = peer, .sid = sid, .replaces = {}, .began = now}, reason, false,
             now);
}

void Focus::proceed(Invitation invitation, TimePoint now) {
  const std::string room = invitation.room;
  const jingle::Jid peer = invitation.peer;
  const jingle::Sid sid = invitation.sid;
  // XEP-0353 §4.2: this one is the continuation of whatever there is with that user.
  std::vector<Invitation> older;
  while (auto next = invitations_.take_any(room, continued_by(room, peer))) {
    older.push_back(std::move(*next));
  }
  for (const Invitation& old : older) {
    if (!invitation.replaces) invitation.replaces = old.replaces;
  }
  const auto replaces = invitation.replaces;
  if (!invitations_.add(std::move(invitation))) {
    return say_no(room, peer, sid, reasons::make("busy", "The mixer is full."), now);
  }
  // XEP-0353 §3.4: without our presence the caller's client could not send to our full JID. As
  // urgent as what follows, or that would overtake it.
  if (!sees_us(room, peer)) show_presence(room, peer, jingle::Priority::urgent);
  send_jmi(room, peer, sid, jmi::Ringing{});
  for (const Invitation& old : older) finish(old, reasons::replaced(), sid, now);
  Conference* conference = find(room);
  if (replaces && conference) conference->migrate(*replaces, sid, out_, now);
  send_jmi(room, peer, sid, jmi::Proceed{});
}

void Focus::said(const std::string& room, const jingle::Jid& from, const jmi::Event& event,
                 TimePoint now) {
  const jingle::Sid& sid = event.id;
  std::visit(
      Overloaded{
          [](const jmi::Propose&) {},
          [&](const jmi::Ringing&) { rang(room, from, sid, now); },
          [&](const jmi::Proceed&) { proceeded(room, from, sid, now); },
          [&](const jmi::Reject& reject) {
            if (rejected(room, from, sid, reject.reason, reject.tie_break, now)) return;
            called_off(room, from, sid, reject.reason, now);
          },
          [&](const jmi::Retract& retract) { called_off(room, from, sid, retract.reason, now); },
          [&](const jmi::Finish& finish) {
            if (rejected(room, from, sid, finish.reason, false, now)) return;
            called_off(room, from, sid, finish.reason, now);
          },
      },
      event.payload);
}

// Live calls end by session-terminate, whatever messages say.
void Focus::called_off(const std::string& room, const jingle::Jid& from, const jingle::Sid& sid,
                       const jingle::Reason& reason, TimePoint now) {
  const auto invitation = invitations_.take(room, from, sid);
  if (invitation) log_unmade(*invitation, reason, true, now);
}

void Focus::log_unmade(const Invitation& invitation, const jingle::Reason& why, bool by_peer,
                       TimePoint now) {
  out_.log(Log::Level::info, to_log({.room = invitation.room,
                                     .peer = invitation.peer,
                                     .sid = invitation.sid,
                                     .began = invitation.began,
                                     .ended = now,
                                     .reason = why,
                                     .by_peer = by_peer}));
}

void Focus::finish(const Invitation& invitation, const jingle::Reason& why,
                   const jingle::Sid& migrated, TimePoint now) {
  send_jmi(invitation.room, invitation.peer, invitation.sid,
           jmi::Finish{reasons::finish(why, false), migrated.value});
  log_unmade(invitation, why, false, now);
}

void Focus::send_jmi(const std::string& room, const jingle::Jid& to, const jingle::Sid& sid,
                     jmi::Payload payload, const std::string& more) {
  out_.put(SendMessage{full_of(room), to, "chat", out_.next_id(),
                       jmi::write({sid, std::move(payload)}) + more});
}

void Focus::ask_roster(TimePoint now) {
  // RFC 6121 §2.1.3: to the own account, whose answer comes from its bare JID.
  out_.ask({.from = self_,
            .to = config_.xmpp.jid,
            .id = {},
            .is_set = false,
            .payload = "<query xmlns='jabber:iq:roster'/>",
            .priority = jingle::Priority::normal},
           {config_.xmpp.jid, Purpose::roster, {}, {}, now});
}

}  // namespace mixer
