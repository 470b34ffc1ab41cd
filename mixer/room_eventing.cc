#include "mixer/room_eventing.h"

#include <algorithm>
#include <pugixml.hpp>

#include "mixer/features.h"
#include "mixer/limits.h"
#include "signaling/namespaces.h"

namespace mixer {

namespace pep = jingle::pep;
namespace pubsub = jingle::pubsub;
using pubsub::Access;

RoomEventing::RoomEventing(Rooms rooms, Access access, std::set<Node> nodes,
                           const std::vector<Published>& rows,
                           const std::vector<NodeSubscription>& subscribed)
    : rooms_(std::move(rooms)), access_(access), nodes_(std::move(nodes)) {
  if (nodes_.contains(Node::avatar)) nodes_.insert(Node::avatar_data);
  for (const Published& row : rows) {
    const auto node = pep::node_of(row.node);
    if (row.by.domain() != rooms_.domain || !node) continue;
    if (row.by.local().empty()) {
      (nodes_.contains(*node) ? told_ : gone_).insert(*node);
    } else {
      Entry& entry = entries_[row.by.local()][*node];
      entry.item = row.item;
      entry.saved = true;
    }
  }
  for (const NodeSubscription& row : subscribed) restore(row);
}

void RoomEventing::restore(const NodeSubscription& row) {
  if (row.room.domain() != rooms_.domain) return;
  const std::string& room = row.room.local();
  const bool refused = refuses(room, row.subscriber.bare()).has_value();
  audience_.restore({room, row.subscriber, row.nodes});
  const Entries& left = entries_[room];
  for (const Node node : row.nodes) {
    const bool there = nodes_.contains(node) || gone_.contains(node) || left.contains(node);
    if (refused || !there) (void)audience_.unsubscribe(room, row.subscriber, node);
  }
  settle(room);
}

void RoomEventing::announce(jingle::DiscoInfo& info) const {
  const auto can = [&](const std::string& feature) {
    info.features.insert(std::string(jingle::ns::kPubsub) + '#' + feature);
  };
  can("access-" + std::string(to_string(access_)));
  for (const char* feature : {"auto-subscribe", "filtered-notifications", "last-published",
                              "persistent-items", "retrieve-items", "subscribe"}) {
    can(feature);
  }
}

// An idle room's are made when somebody looks: nobody was told anything else of it.
RoomEventing::Entries& RoomEventing::entries_of(const std::string& room, TimePoint now) {
  Entries& entries = entries_[room];
  const auto has = [&](Node node) { return entries.contains(node); };
  for (const Node node : gone_) {
    if (has(node)) continue;
    entries[node].item = item_id(pep::stop_of(node));
    entries[node].published_at = now;
  }
  if (std::ranges::all_of(nodes_, has)) return entries;
  for (const Node node : nodes_) entries.try_emplace(node);
  for (const auto& [node, payload] : rooms_.standing(room)) {
    Entry& entry = entries[node];
    entry.want(&payload, now);
    publish(room, node, entry, now);
  }
  return entries;
}

std::vector<std::string> RoomEventing::names() const {
  std::vector<std::string> names;
  for (const auto& [room, entries] : entries_) names.push_back(room);
  return names;
}

void RoomEventing::changed(const std::string& room, TimePoint now) {
  if (leaving_) return;
  const Shown shown = rooms_.of_call(room);
  if (shown.empty() && !entries_.contains(room)) return;  // nothing, to nobody
  for (auto& [node, entry] : entries_of(room, now)) {
    if (!is_of_a_call(node)) continue;
    const auto payload = shown.find(node);
    entry.want(payload == shown.end() ? nullptr : &payload->second, now);
  }
  settle(room);
}

void RoomEventing::leave(TimePoint now) {
  leaving_ = true;
  for (const std::string& room : names()) {
    for (auto& [node, entry] : entries_.at(room)) {
      entry.want(nullptr, now);
      if (has_ended(entry)) publish(room, node, entry, now);
    }
    settle(room);
  }
  audience_.hurry(now);
}

void RoomEventing::connection_up(TimePoint now) {
  connected_ = true;
  known_at_.reset();
  for (const std::string& room : names()) {
    if (audience_.anybody(room) && !leaving_) entries_of(room, now);
    for (auto& [node, entry] : entries_.at(room)) {
      if (entry.saved && !entry.wanted && !entry.published_at) entry.published_at = now;
    }
    settle(room);
  }
  audience_.remind(now);
}

void RoomEventing::everybody_probed(TimePoint now) {
  if (!connected_ || known_at_) return;
  known_at_ = now + limits::kLeftoverKept;
  for (const std::string& room : names()) settle(room);
}

void RoomEventing::connection_down() {
  connected_ = false;
  audience_.forget_presence();
  for (const std::string& room : names()) settle(room);
}

bool RoomEventing::present(const std::string& room, const jingle::Jid& full,
                           const std::optional<EventAudience::Nodes>& wants, TimePoint now) {
  if (leaving_ || refuses(room, full.bare())) return false;
  entries_of(room, now);
  const bool ask = audience_.present(room, full, wants, now);
  settle(room);
  return ask;
}

void RoomEventing::absent(const std::string& room, const jingle::Jid& jid) {
  audience_.absent(room, jid);
  settle(room);
}

void RoomEventing::cancel(const std::string& room, const jingle::Jid& jid) {
  audience_.unsubscribe_all(room, jid);
  absent(room, jid);
}

std::optional<TimePoint> RoomEventing::due(const std::string& room, Node node,
                                           const Entry& entry) const {
  const bool needs_row = is_of_a_call(node) && !entry.saved;
  if (entry.needs_publishing()) return needs_row ? TimePoint() : entry.due();
  if (has_ended(entry)) return TimePoint();
  return forget_at(room, node, entry);
}

std::optional<TimePoint> RoomEventing::forget_at(const std::string& room, Node node,
                                                 const Entry& entry) const {
  const bool over = entry.saved && !entry.wanted && !entry.shown;
  return over && !audience_.awaits(room, node) ? known_at_ : std::nullopt;
}

// Brings the index up to date; forgets what can be made anew.
void RoomEventing::settle(const std::string& room) {
  const auto found = entries_.find(room);
  if (found == entries_.end()) return;
  std::optional<TimePoint> next;
  bool needed = audience_.anybody(room);
  for (const auto& [node, entry] : found->second) {
    const auto at = due(room, node, entry);
    if (at && (!next || *at < *next)) next = at;
    needed = needed || at || entry.saved || (is_of_a_call(node) && entry.wanted);
  }
  due_.set(room, next);
  if (!needed) entries_.erase(found);
}

void RoomEventing::publish(const std::string& room, Node node, Entry& entry, TimePoint now) {
  entry.shown = entry.wanted;
  if (entry.shown) entry.item = item_id(*entry.shown);  // a stop has that of what it ends
  entry.published_at = now;
  audience_.news(room, node, now);
}

void RoomEventing::advance(const std::string& room, Outbox& out, TimePoint now) {
  const auto found = entries_.find(room);
  if (found == entries_.end()) return;
  // An image before what names it (XEP-0084 §3.1): from the last node to the first.
  for (auto at = found->second.rbegin(); at != found->second.rend(); ++at) {
    auto& [node, entry] = *at;
    const std::string id(pep::id_of(node));
    if (is_of_a_call(node) && entry.wanted && !entry.saved) {
      entry.saved = true;
      out.put(SavePublished{{bare_of(room), id, item_id(*entry.wanted)}});
    }
    const auto when = due(room, node, entry);
    if (!when || *when > now) continue;
    if (entry.needs_publishing() || has_ended(entry)) publish(room, node, entry, now);
    if (const auto at = forget_at(room, node, entry); at && *at <= now) {
      entry.saved = false;
      out.put(ForgetPublished{bare_of(room), id});
    }
  }
  settle(room);
}

std::optional<TimePoint> RoomEventing::next_deadline() const {
  if (!connected_) return std::nullopt;
  std::optional<TimePoint> next;
  for (const auto& at :
       {due_.next(), audience_.next_deadline(), gone_.empty() ? std::nullopt : known_at_}) {
    if (at && (!next || *at < *next)) next = at;
  }
  return next;
}

void RoomEventing::advance(Outbox& out, TimePoint now) {
  for (auto& [room, jid, nodes] : audience_.take_touched()) {
    out.put(SaveNodeSubscription{{bare_of(room), jid, std::move(nodes)}});
  }
  if (!connected_) return;
  for (const std::string& room : due_.due(now)) advance(room, out, now);
  std::set<std::string> told;
  for (const auto& due : audience_.take_due(now)) {
    notify(due, out);
    told.insert(due.room);
  }
  for (const std::string& room : told) advance(room, out, now);  // rows nobody needs any more
  forget_standing(out, now);
}

void RoomEventing::forget_standing(Outbox& out, TimePoint now) {
  if (!known_at_ || *known_at_ > now) return;
  std::set<Node> over = std::exchange(gone_, {});
  if (leaving_ && audience_.waiting() == 0) over.merge(told_);
  for (const Node node : over) {
    out.put(ForgetPublished{bare_of(""), std::string(pep::id_of(node))});
  }
}

pubsub::Item RoomEventing::item_of(Node node, const Entry& entry) const {
  const pep::Payload payload = entry.shown.value_or(pep::stop_of(node));
  return {entry.item, jingle::Xml::parse(pep::write(payload)).value()};
}

void RoomEventing::notify(const EventAudience::Due& due, Outbox& out) {
  const auto room = entries_.find(due.room);
  if (room == entries_.end() || refuses(due.room, due.to.bare())) return;
  const auto found = room->second.find(due.node);
  if (found == room->second.end() || !found->second.published_at) return;
  const Entry& entry = found->second;
  const bool stands = !is_of_a_call(due.node) && due.node != Node::avatar_data && entry.shown;
  if (stands && told_.insert(due.node).second) {
    out.put(SavePublished{{bare_of(""), std::string(pep::id_of(due.node)), entry.item}});
  }
  std::string payload =
      pubsub::write(pubsub::Event{std::string(pep::id_of(due.node)), {item_of(due.node, entry)}});
  const jingle::Jid bare = bare_of(due.room);
  if (rooms_.reader(due.room, due.to.bare()).contact) {  // XEP-0163 §4.3.1
    payload += std::string("<addresses xmlns='") + jingle::ns::kAddress +
               "'><address type='replyto' jid='" +
               jingle::escape(bare.with_resource(kFocusResource).str()) + "'/></addresses>";
  }
  if (due.late) {
    payload += std::string("<delay xmlns='") + jingle::ns::kDelay + "' stamp='" +
               date_time(rooms_.wall(*entry.published_at)) + "'/>";
  }
  out.put(SendMessage{bare, due.to, "headline", out.next_id(), std::move(payload)});
}

}  // namespace mixer
