// The focus's dealings by personal eventing (XEP-0163): what the account shows of itself, and what
// participants show of themselves.
#include <algorithm>
#include <pugixml.hpp>

#include "mixer/focus.h"
#include "mixer/limits.h"
#include "signaling/namespaces.h"

namespace mixer {

std::string Focus::name_of(const std::string& room) const {
  const std::string& text = config_of(room).display_text;
  return text.empty() ? bare_of(room).unescaped_local() : text;
}

Situation Focus::situation_of(const std::string& name) const {
  const RoomConfig& config = config_of(name);
  Situation situation;
  situation.name = name_of(name);
  situation.topic = config.subject.empty() ? situation.name : config.subject;
  if (const auto room = rooms_.find(name); room != rooms_.end()) {
    const Conference& conference = room->second.conference;
    situation.users = conference.users();
    if (std::string subject = conference.subject(); !subject.empty()) {
      situation.topic = std::move(subject);
    }
    situation.playing = conference.now_playing();
    situation.status = room->second.status;
  }
  return situation;
}

bool Focus::publishes(jingle::pep::Node node) const {
  return (publisher_ || eventing_) && config_.presence.publish.contains(node);
}

void Focus::show_extended(const std::string& room, TimePoint now) {
  if (eventing_) eventing_->changed(room, now);
  if (!publisher_) return;
  Situation situation = situation_of(room);
  // Most events change nothing of it, and an avatar is not hashed for each.
  if (situation == shown_) return;
  publisher_->show(extended_presence(config_.presence, situation), now);
  shown_ = std::move(situation);
}

RoomEventing::Reader Focus::reader_of(const std::string& room, const jingle::Jid& bare) const {
  if (!room_exists(room)) return {};  // any more: rows outlive the configuration
  const auto& moderators = config_of(room).moderators;
  return {.contact = subscriptions_.own(room, bare).has_value() && access_.allows(bare),
          .in_group = std::ranges::find(moderators, bare) != moderators.end(),
          .listed = config_.presence.whitelist.contains(bare)};
}

void Focus::attend(const std::string& room, const jingle::Presence& presence, TimePoint now) {
  const jingle::Jid& from = presence.from;
  const pugi::xml_node stanza = presence.xml.root();
  const auto priority = jingle::child(stanza, jingle::effective_ns(stanza), "priority");
  const bool listens = presence.type.empty() && !jingle::text_of(priority).starts_with('-');
  if (!listens) return eventing_->absent(room, from);
  // A server leaves out caps that are as before (XEP-0115 §8.4).
  if (from.is_bare() || !jingle::child(stanza, jingle::ns::kCaps, "c")) return;
  std::optional<EventAudience::Nodes> wants;
  if (const auto* info = clients_.said_of_itself(from)) wants = EventAudience::wanted_by(*info);
  if (!eventing_->present(room, from, wants, now)) return;
  ask_interests(room, from, clients_.caps_node(from), now);
}

void Focus::ask_interests(const std::string& room, const jingle::Jid& who, const std::string& node,
                          TimePoint now) {
  out_.ask_disco_info(bare_of(room), {who, Purpose::interests, room, {}, now, node});
}

void Focus::interests_answered(const Awaited& awaited, const jingle::Iq& iq, TimePoint now) {
  const pugi::xml_node query = jingle::child(iq.xml.root(), jingle::ns::kDiscoInfo, "query");
  auto info = jingle::DiscoInfo::parse(query);
  const bool error = iq.type == jingle::Iq::Type::error;
  const std::string node = clients_.caps_node(iq.from);
  if (!awaited.node.empty() && !node.empty() && awaited.node != node) {  // it has others meanwhile
    return ask_interests(awaited.room, iq.from, node, now);
  }
  if (error && !awaited.node.empty() &&
      jingle::StanzaError::parse(iq.xml.root()).condition == "item-not-found") {
    return ask_interests(awaited.room, iq.from, {}, now);
  }
  if (error || !info) return eventing_->learned(iq.from, {}, now);
  eventing_->learned(iq.from, EventAudience::wanted_by(*info), now);
  clients_.learned(iq.from, std::move(*info), now);
}

// Only what a user himself publishes, which his server says in his name (XEP-0163 §4.3).
void Focus::notified(const std::string& room, const jingle::Jid& from,
                     const jingle::pubsub::Event& event, TimePoint now) {
  if (!from.is_bare()) return;
  Conference* conference = find(room);
  if (!conference) return;
  conference->published(from, event, out_, now);
  settle(room, now);
}

void Focus::items_answered(const Awaited& awaited, const jingle::Iq& iq, TimePoint now) {
  if (iq.type == jingle::Iq::Type::error) return;  // there is none, or it is not for us
  auto items = jingle::pubsub::parse_items(iq.xml.root(), awaited.node);
  if (!items.empty()) notified(awaited.room, iq.from, {awaited.node, std::move(items)}, now);
}

void Focus::end_sharing(const std::string& room, const jingle::Jid& user, TimePoint now) {
  learn_nick(room, user, {}, now);
  Conference* conference = find(room);
  if (!conference) return;
  conference->unshare(user, now);
  settle(room, now);
}

}  // namespace mixer
