// The focus's dealings by message: Jingle Message Initiation as callee (XEP-0353; as caller:
// focus_dial.cc), receipts (XEP-0184); and the account's contacts.
#include <algorithm>
#include <pugixml.hpp>

#include "mixer/focus.h"
#include "mixer/limits.h"
#include "mixer/reasons.h"
#include "signaling/namespaces.h"

namespace mixer {

namespace jmi = jingle::jmi;

void Focus::message(const jingle::Message& message, TimePoint now) {
  if (place_of(message.to) != Place::room || message.from.empty()) return;
  const std::string room = room_of(message.to);
  if (message.type == "error") return proposal_bounced(room, message, now);
  if (message.type == "groupchat") return;
  if (message.from.bare() == bare_of(room)) return;  // carbons of our own
  const auto receipt = jingle::child(message.xml.root(), jingle::ns::kReceipts, "received");
  if (receipt) dialling_.delivered(room, message.from, receipt.attribute("id").value());
  // Receipts are not acknowledged (XEP-0184 §5.6), or two would never stop.
  const bool wants_receipt = !message.id.empty() && !receipt &&
                             jingle::child(message.xml.root(), jingle::ns::kReceipts, "request");
  // Stored on the way: by now the caller has given up or called again. There is
  // no wall clock here to tell how long ago that was, and no need.
  const bool late = bool(jingle::child(message.xml.root(), jingle::ns::kDelay, "delay"));
  const auto event = late || message.type == "headline" ? std::nullopt : jmi::parse(message);
  if (!event && !wants_receipt) return;
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
  if (!event) return;
  if (const auto* proposal = std::get_if<jmi::Propose>(&event->payload)) {
    propose(message, room, event->id, *proposal, now);
  } else if (std::holds_alternative<jmi::Ringing>(event->payload)) {
    rang(room, message.from, event->id, now);
  } else if (std::holds_alternative<jmi::Proceed>(event->payload)) {
    proceeded(room, message.from, event->id, now);
  } else if (const auto* reject = std::get_if<jmi::Reject>(&event->payload);
             !reject || !rejected(room, message.from, event->id, *reject, now)) {
    // Live calls end by session-terminate, whatever messages say.
    (void)invitations_.take(room, message.from, event->id);
  }
}

void Focus::propose(const jingle::Message& message, const std::string& room, const jingle::Sid& sid,
                    const jmi::Propose& proposal, TimePoint now) {
  const jingle::Jid& peer = message.from;
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
  std::optional<media::LegId> moves;
  if (conference && !chat_rooms_.is_occupant(peer)) moves = conference->call_elsewhere(peer);
  const bool crowded = conference && conference->full() && !moves && !yields;
  if (!audio || crowded || over_limits(peer, false, now)) {
    send_jmi(room, peer, sid, jmi::Reject{reasons::make("busy"), false});
    return;
  }
  if (!invitations_.add({.room = room,
                         .peer = peer,
                         .sid = sid,
                         .replaces = moves,
                         .expires = now + limits::kProceedToInitiate})) {
    send_jmi(room, peer, sid, jmi::Reject{reasons::make("busy"), false});
    return;
  }
  if (yields) {
    withdraw(Dial(*dialling_.of(room, peer)), reasons::tie_break(), now);
    settle(room, now);
    conference = find(room);
  }
  // XEP-0353 §3.4: without our presence the caller's client could not send to our full JID. As
  // urgent as what follows, or that would overtake it.
  if (!sees_us(room, peer)) show_presence(room, peer, jingle::Priority::urgent);
  send_jmi(room, peer, sid, jmi::Ringing{});
  if (moves) conference->migrate(*moves, sid, out_, now);
  send_jmi(room, peer, sid, jmi::Proceed{});
}

void Focus::send_jmi(const std::string& room, const jingle::Jid& to, const jingle::Sid& sid,
                     jmi::Payload payload) {
  out_.put(SendMessage{full_of(room), to, "chat", out_.next_id(),
                       jmi::write({sid, std::move(payload)})});
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
