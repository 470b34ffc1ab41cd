// What others ask of a room's nodes (XEP-0060 §5, §6, §7).
#include <algorithm>
#include <pugixml.hpp>

#include "mixer/room_eventing.h"

namespace mixer {

namespace pep = jingle::pep;
namespace pubsub = jingle::pubsub;
using pubsub::Access;
using Answer = jingle::Result<std::string>;

// XEP-0060 §6.1.3, §6.5.9.
std::optional<jingle::StanzaError> RoomEventing::refuses(const std::string& room,
                                                         const jingle::Jid& bare) const {
  const Reader reader = rooms_.reader(room, bare);
  switch (access_) {
    case Access::open: return std::nullopt;
    case Access::whitelist:
      if (reader.listed) return std::nullopt;
      return pubsub::closed_node();
    case Access::roster:
      if (reader.contact && reader.in_group) return std::nullopt;
      if (reader.contact) return pubsub::not_in_roster_group();
      return pubsub::presence_subscription_required();
    case Access::presence:
    case Access::authorize: break;
  }
  if (reader.contact) return std::nullopt;
  return pubsub::presence_subscription_required();
}

std::vector<std::string> RoomEventing::nodes(const std::string& room,
                                             const jingle::Jid& bare) const {
  std::vector<std::string> ids;
  if (refuses(room, bare)) return ids;
  for (const Node node : nodes_) ids.emplace_back(pep::id_of(node));
  return ids;
}

jingle::Result<RoomEventing::Node> RoomEventing::readable(const std::string& room,
                                                          const jingle::Jid& who,
                                                          const std::string& id) const {
  const auto node = pep::node_of(id);
  const bool there = node && nodes_.contains(*node) && !leaving_;
  if (!there) return tl::unexpected(jingle::item_not_found());
  if (auto error = refuses(room, who.bare())) return tl::unexpected(std::move(*error));
  return *node;
}

Answer RoomEventing::answer(const std::string& room, const jingle::Jid& from,
                            const pubsub::Request& request, TimePoint now) {
  auto answer =
      std::visit([&](const auto& each) { return handle(room, from, each, now); }, request);
  settle(room);
  return answer;
}

Answer RoomEventing::handle(const std::string&, const jingle::Jid&, const pubsub::Publish& publish,
                            TimePoint) {
  if (const auto node = pep::node_of(publish.node)) {
    const auto payload = pep::parse(*node, publish.item.payload.root(), publish.item.id);
    if (!payload) return tl::unexpected(payload.error());
  }
  if (publish.options && publish.options->access != access_) {
    return tl::unexpected(pubsub::precondition_not_met());
  }
  return tl::unexpected(jingle::forbidden());
}

Answer RoomEventing::handle(const std::string& room, const jingle::Jid& from,
                            const pubsub::GetItems& get, TimePoint now) {
  const auto node = readable(room, from, get.node);
  if (!node) return tl::unexpected(node.error());
  const Entry& entry = entries_of(room, now).at(*node);
  std::vector<pubsub::Item> items;
  const bool asked_for = get.ids.empty() || std::ranges::find(get.ids, entry.item) != get.ids.end();
  if (entry.published_at && asked_for) items.push_back(item_of(*node, entry));
  return pubsub::items_xml(get.node, items);
}

Answer RoomEventing::handle(const std::string& room, const jingle::Jid& from,
                            const pubsub::Subscribe& subscribe, TimePoint now) {
  if (subscribe.jid.bare() != from.bare()) return tl::unexpected(pubsub::invalid_jid());
  const auto node = readable(room, from, subscribe.node);
  if (!node) return tl::unexpected(node.error());
  entries_of(room, now);
  if (!audience_.subscribe(room, subscribe.jid, *node, now)) {
    return tl::unexpected(pubsub::too_many_subscriptions());
  }
  return pubsub::subscribed_xml(subscribe);
}

Answer RoomEventing::handle(const std::string& room, const jingle::Jid& from,
                            const pubsub::Unsubscribe& unsubscribe, TimePoint) {
  if (unsubscribe.jid.bare() != from.bare()) return tl::unexpected(jingle::forbidden());
  const auto node = pep::node_of(unsubscribe.node);
  if (!node || !nodes_.contains(*node)) return tl::unexpected(jingle::item_not_found());
  if (!audience_.unsubscribe(room, unsubscribe.jid, *node)) {
    return tl::unexpected(pubsub::not_subscribed());
  }
  return std::string();
}

}  // namespace mixer
