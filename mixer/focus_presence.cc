// The focus's dealings by presence: subscriptions to rooms (RFC 6121 §3), which are saved, probes,
// and what a room shows of itself.
#include <pugixml.hpp>

#include "mixer/features.h"
#include "mixer/focus.h"
#include "mixer/limits.h"
#include "signaling/namespaces.h"

namespace mixer {

void Focus::presence(const jingle::Presence& presence, TimePoint now) {
  if (place_of(presence.to) != Place::room || presence.from.empty()) return;
  const std::string room = room_of(presence.to);
  const jingle::Jid bare = presence.from.bare();
  if (bare == bare_of(room)) return;
  const std::string& type = presence.type;
  if (type.empty() || type == "unavailable") {
    clients_.presence(presence, now);
    learn_chat_room(presence, room, now);
    if (eventing_) attend(room, presence, now);
    if (Conference* conference = find(room)) {
      conference->peer_presence(presence.from, type.empty(), out_, now);
      settle(room, now);
    }
  } else if (type == "subscribe") {
    const auto nick = jingle::child(presence.xml.root(), jingle::ns::kNick, "nick");
    const bool granted = subscribe(room, bare, now);
    if (granted && nick) learn_nick(room, bare, jingle::text_of(nick), now);
  } else if (type == "subscribed" || type == "unsubscribed") {
    own_subscription(room, bare, type == "subscribed", now);
    if (type == "unsubscribed") end_sharing(room, bare, now);
  } else if (type == "unsubscribe") {
    end_sharing(room, bare, now);
    if (subscriptions_.own(room, bare)) end_subscription(room, bare, now);
  } else if (type == "probe") {
    probe(room, presence.from, now);
  } else if (type == "error") {
    bounced(room, presence, now);
  }
}

void Focus::learn_chat_room(const jingle::Presence& presence, const std::string& room,
                            TimePoint now) {
  if (!access_.allows(presence.from) || !chat_rooms_.claimed_by(presence)) return;
  const jingle::Jid bare = presence.from.bare();
  out_.ask_disco_info(full_of(room), {bare, Purpose::chat_room, room, {}, now});
}

bool Focus::may_subscribe(const std::string& room, const jingle::Jid& who) const {
  return access_.allows(who) && room_exists(room);
}

bool Focus::subscribe(const std::string& room, const jingle::Jid& who, TimePoint now) {
  const jingle::Jid bare = bare_of(room);
  if (!may_subscribe(room, who)) {
    log_refusal("subscribe", who, now);
    end_subscription(room, who, now);
    return false;
  }
  if (client_mode()) {  // the account's server keeps the roster and delivers our presence
    out_.put(SendPresence{bare, who, "subscribed", {}});
    // Who shows something of himself shows it to those whom he lets see him; and what we show
    // reaches whoever lets our server see when he comes (XEP-0163 §3.4).
    if (!config_.presence.relay.empty() || !config_.presence.publish.empty()) {
      ask_to_see(room, who);
    }
    return true;
  }
  if (subscriptions_.add(room, who) == Subscriptions::Outcome::refused) {
    log_refusal("subscribe over a limit", who, now);
    end_subscription(room, who, now);
    return false;
  }
  out_.put(SendPresence{bare, who, "subscribed", {}});
  show_presence(room, who);
  // Once: a server that answers each of ours with one of its own must not find an echo.
  if (subscriptions_.own(room, who) == OwnSubscription::none) ask_to_see(room, who);
  return true;
}

// As he told that room himself (XEP-0172 §4.1), and for as long as he may see it: whoever may see
// few rooms names himself in few. Empty: no more.
void Focus::learn_nick(const std::string& room, const jingle::Jid& bare, const std::string& nick,
                       TimePoint now) {
  if (!nicks_.set(room, bare, nick)) return;
  Conference* conference = find(room);
  if (!conference) return;
  conference->renamed(bare, now);
  settle(room, now);
}

bool Focus::sees(const std::string& room, const jingle::Jid& who) const {
  return client_mode() ? seen_.contains(who)
                       : subscriptions_.own(room, who) == OwnSubscription::granted;
}

// RFC 6121 §3.1.3: his server does not bother him if he has been asked, and answers for him if he
// has said yes.
void Focus::ask_to_see(const std::string& room, const jingle::Jid& who) {
  if (subscriptions_.own(room, who)) subscriptions_.set_own(room, who, OwnSubscription::asked);
  out_.put(SendPresence{bare_of(room), who, "subscribe", {}});
}

// RFC 6121 §3.1.6, §3.2.3. Whoever lets us see nothing of him may still see the room.
void Focus::own_subscription(const std::string& room, const jingle::Jid& who, bool granted,
                             TimePoint now) {
  const auto own = subscriptions_.own(room, who);
  if (!granted) {
    if (own == OwnSubscription::asked || own == OwnSubscription::granted) {
      subscriptions_.set_own(room, who, OwnSubscription::refused);
    }
    return;
  }
  Conference* conference = find(room);
  const bool unseen = conference && conference->shares_unseen(who);
  if (own == OwnSubscription::asked) {
    subscriptions_.set_own(room, who, OwnSubscription::granted);
  } else if (!unseen && !(client_mode() && may_subscribe(room, who))) {
    return;  // to a question that we know nothing of
  }
  // ejabberd sends what he publishes only to whoever has shown caps since it knows of his consent.
  show_presence(room, who);
  if (unseen) conference->came_to_see(who, out_, now);
}

void Focus::end_subscription(const std::string& room, const jingle::Jid& bare, TimePoint now) {
  learn_nick(room, bare, {}, now);
  const auto own = subscriptions_.own(room, bare);
  out_.put(SendPresence{bare_of(room), bare, "unsubscribed", {}});
  if (!own) return;
  out_.put(SendPresence{full_of(room), bare, "unavailable", {}});
  if (own == OwnSubscription::asked || own == OwnSubscription::granted) {
    out_.put(SendPresence{bare_of(room), bare, "unsubscribe", {}});
  }
  (void)subscriptions_.remove(room, bare);
  if (eventing_) eventing_->cancel(room, bare);
}

// RFC 6121 §4.3.2. A server asks because its user is subscribed, by what it remembers. We may have
// lost what we remembered, so its word is taken, from whoever would be granted it anyway.
void Focus::probe(const std::string& room, const jingle::Jid& who, TimePoint now) {
  if (client_mode()) return;
  if (!may_subscribe(room, who) ||
      subscriptions_.add(room, who.bare()) == Subscriptions::Outcome::refused) {
    log_refusal("probe", who, now);
    return end_subscription(room, who.bare(), now);
  }
  show_presence(room, who);
}

void Focus::bounced(const std::string& room, const jingle::Presence& presence, TimePoint now) {
  const auto error = jingle::StanzaError::parse(presence.xml.root());
  // Of the account or its whole domain; a server that is away for a while says so with `wait`. Who
  // is lost by mistake is back with the next probe of his server.
  if (!presence.from.is_bare() || error.passes()) return;
  learn_nick(room, presence.from, {}, now);
  (void)subscriptions_.remove(room, presence.from);
  if (eventing_) eventing_->cancel(room, presence.from);
}

bool Focus::sees_us(const std::string& room, const jingle::Jid& who) const {
  // XEP-0045 §7.6: presence to an occupant would ask the chat room for his nick.
  if (chat_rooms_.may_be_occupant(who)) return true;
  return client_mode() ? seers_.contains(who.bare()) : subscriptions_.was_told(room, who.bare());
}

void Focus::show_presence(const std::string& room, const jingle::Jid& to,
                          jingle::Priority priority) {
  if (shutting_down_) return;  // `unavailable` has been said, and nobody would say it again
  const Conference* conference = find(room);
  out_.put(SendPresence{full_of(room),
                        to,
                        {},
                        room_presence(room_features(config_.xmpp.mode, config_.presence.relay),
                                      conference ? conference->users() : 0),
                        priority});
}

void Focus::presence_due(TimePoint now) {
  if (!connected_) return;  // nobody would hear it; there is more to tell when the stream is back
  for (const auto& [row, first] : subscriptions_.take_due(now)) {
    const auto& [room, who] = row;
    if (shutting_down_) {
      out_.put(SendPresence{full_of(room), who, "unavailable", {}});
    } else if (!may_subscribe(room, who)) {  // the configuration has changed since
      log_refusal("subscription", who, now);
      end_subscription(room, who, now);
    } else {
      show_presence(room, who);
      // Whatever he has shown since the last stream, we have missed (RFC 6121 §4.3.1).
      if (first && subscriptions_.own(room, who) == OwnSubscription::granted) {
        out_.put(SendPresence{bare_of(room), who, "probe", {}});
      }
    }
  }
  if (eventing_ && subscriptions_.untold() == 0) eventing_->everybody_probed(now);
  if (broadcast_at_ && *broadcast_at_ <= now) {
    broadcast_at_.reset();
    show_presence(config_.xmpp.jid.local(), jingle::Jid());
  }
}

std::size_t Focus::farewells() const {
  if (!shutting_down_ || !connected_) return 0;
  return subscriptions_.waiting() + (publisher_ ? publisher_->stopping() : 0) +
         (eventing_ ? eventing_->waiting() : 0);
}

void Focus::save_subscriptions() {
  for (const auto& [room, who] : subscriptions_.take_touched()) {
    if (const auto own = subscriptions_.own(room, who)) {
      out_.put(SaveSubscription{{bare_of(room), who, *own}});
    } else {
      out_.put(ForgetSubscription{bare_of(room), who});
    }
  }
}

}  // namespace mixer
