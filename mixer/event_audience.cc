#include "mixer/event_audience.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mixer {
namespace {

bool is_of(const jingle::Jid& jid, const jingle::Jid& who) {
  return who.is_bare() ? jid.bare() == who : jid == who;
}

}  // namespace

EventAudience::Nodes EventAudience::wanted_by(const jingle::DiscoInfo& info) {
  constexpr std::string_view kNotify = "+notify";
  Nodes nodes;
  for (const std::string_view feature : info.features) {
    if (!feature.ends_with(kNotify)) continue;
    const auto node = jingle::pep::node_of(feature.substr(0, feature.size() - kNotify.size()));
    if (node && node != Node::avatar_data) nodes.insert(*node);
  }
  return nodes;
}

bool EventAudience::may_be_present(const std::string& room, const jingle::Jid& full) const {
  if (present_ >= limits::kMaxEventReceivers) return false;
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return true;
  const auto& present = found->second.present;
  std::size_t others = 0;
  for (auto at = present.lower_bound(full.bare()); at != present.end() && is_of(*at, full.bare());
       ++at) {
    ++others;
  }
  return others < limits::kMaxResourcesTold;
}

bool EventAudience::present(const std::string& room, const jingle::Jid& full,
                            const std::optional<Nodes>& wants, TimePoint now) {
  const auto known = clients_.find(full);
  const bool here = known != clients_.end() && known->second.rooms.contains(room);
  if (!here && !may_be_present(room, full)) return false;
  Client& client = clients_[full];
  if (!here) {
    client.rooms.insert(room);
    rooms_[room].present.insert(full);
    ++present_;
    if (client.wants) tell(room, full, *client.wants, now);
  }
  if (wants) {
    learned(full, *wants, now);
    return false;
  }
  // An answer may be lost, and is no longer known for one after so long.
  if (client.asked && now < *client.asked + limits::kAwaitedFor) return false;
  client.asked = now;
  return true;
}

void EventAudience::learned(const jingle::Jid& full, const Nodes& wants, TimePoint now) {
  const auto found = clients_.find(full);
  if (found == clients_.end()) return;  // it has gone meanwhile
  Client& client = found->second;
  client.asked.reset();
  const Nodes before = std::exchange(client.wants, wants).value_or(Nodes());
  Nodes more, fewer;
  std::ranges::set_difference(wants, before, std::inserter(more, more.end()));
  std::ranges::set_difference(before, wants, std::inserter(fewer, fewer.end()));
  for (const std::string& room : client.rooms) {
    const auto& subscribed = rooms_.at(room).subscribed;
    const auto by_name = subscribed.find(full);
    for (const Node node : fewer) {
      const bool subscribes = by_name != subscribed.end() && by_name->second.contains(node);
      if (!subscribes) pending_.erase({room, node, full});
    }
    tell(room, full, more, now);
  }
}

void EventAudience::absent(const std::string& room, const jingle::Jid& jid) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  auto& present = found->second.present;
  for (auto at = present.lower_bound(jid); at != present.end() && is_of(*at, jid);) {
    if (!found->second.subscribed.contains(*at)) drop(room, *at);
    const auto client = clients_.find(*at);
    client->second.rooms.erase(room);
    if (client->second.rooms.empty()) clients_.erase(client);
    at = present.erase(at);
    --present_;
  }
  tidy(room);
}

void EventAudience::forget_presence() {
  clients_.clear();
  std::erase_if(pending_, [&](const auto& entry) {
    const auto room = rooms_.find(std::get<std::string>(entry.first));
    return room == rooms_.end() ||
           !room->second.subscribed.contains(std::get<jingle::Jid>(entry.first));
  });
  present_ = 0;
  for (auto& [name, room] : rooms_) room.present.clear();
  std::erase_if(rooms_, [](const auto& entry) { return entry.second.subscribed.empty(); });
}

bool EventAudience::subscribe(const std::string& room, const jingle::Jid& jid, Node node,
                              TimePoint now) {
  auto& subscribed = rooms_[room].subscribed;
  const bool known = subscribed.contains(jid) && subscribed[jid].contains(node);
  const auto of_his = std::ranges::count_if(
      subscribed, [&](const auto& entry) { return is_of(entry.first, jid.bare()); });
  const auto everywhere = subscribed_by_.find(jid.bare());
  const bool too_many = subscribed_ >= limits::kMaxNodeSubscriptions ||
                        (everywhere != subscribed_by_.end() &&
                         everywhere->second >= limits::kMaxNodesPerSubscriber) ||
                        (!subscribed.contains(jid) &&
                         of_his >= static_cast<std::ptrdiff_t>(limits::kMaxResourcesTold));
  if (!known && too_many) {
    tidy(room);
    return false;
  }
  if (!known) {
    add(room, jid, node);
    touched_.emplace(room, jid);
  }
  tell(room, jid, node, true, now);
  return true;
}

void EventAudience::add(const std::string& room, const jingle::Jid& jid, Node node) {
  if (!rooms_[room].subscribed[jid].insert(node).second) return;
  ++subscribed_;
  ++subscribed_by_[jid.bare()];
}

void EventAudience::removed(const std::string& room, const jingle::Jid& jid, std::size_t nodes) {
  subscribed_ -= nodes;
  const auto his = subscribed_by_.find(jid.bare());
  if ((his->second -= nodes) == 0) subscribed_by_.erase(his);
  touched_.emplace(room, jid);
}

bool EventAudience::unsubscribe(const std::string& room, const jingle::Jid& jid, Node node) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return false;
  auto& subscribed = found->second.subscribed;
  const auto entry = subscribed.find(jid);
  if (entry == subscribed.end() || entry->second.erase(node) == 0) return false;
  removed(room, jid, 1);
  if (entry->second.empty()) subscribed.erase(entry);
  if (!found->second.present.contains(jid) || !wants(jid, node)) pending_.erase({room, node, jid});
  tidy(room);
  return true;
}

void EventAudience::unsubscribe_all(const std::string& room, const jingle::Jid& jid) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  std::erase_if(found->second.subscribed, [&](const auto& entry) {
    if (!is_of(entry.first, jid)) return false;
    removed(room, entry.first, entry.second.size());
    drop(room, entry.first);
    return true;
  });
  tidy(room);
}

void EventAudience::restore(const Subscribed& row) {
  for (const Node node : row.nodes) add(row.room, row.jid, node);
}

std::vector<EventAudience::Subscribed> EventAudience::take_touched() {
  std::vector<Subscribed> rows;
  for (const auto& [room, jid] : std::exchange(touched_, {})) {
    rows.push_back({room, jid, {}});
    const auto found = rooms_.find(room);
    if (found == rooms_.end()) continue;
    const auto his = found->second.subscribed.find(jid);
    if (his != found->second.subscribed.end()) rows.back().nodes = his->second;
  }
  return rows;
}

void EventAudience::remind(TimePoint now) {
  for (const auto& [name, room] : rooms_) {
    for (const auto& [jid, nodes] : room.subscribed) tell(name, jid, nodes, now);
  }
}

void EventAudience::tidy(const std::string& room) {
  const auto found = rooms_.find(room);
  if (found != rooms_.end() && found->second.present.empty() && found->second.subscribed.empty()) {
    rooms_.erase(found);
  }
}

// XEP-0163 §4.3.2: one notification to each JID that wants it. Who has subscribed by his bare JID
// is told at the clients that want it; at the bare JID only if nothing is known of them.
void EventAudience::news(const std::string& room, Node node, TimePoint now) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  const auto& present = found->second.present;
  for (const jingle::Jid& full : present) {
    if (wants(full, node)) tell(room, full, node, false, now);
  }
  for (const auto& [jid, nodes] : found->second.subscribed) {
    const auto first = present.lower_bound(jid);
    const bool known = jid.is_bare() && first != present.end() && is_of(*first, jid);
    if (nodes.contains(node) && !known) tell(room, jid, node, false, now);
  }
}

bool EventAudience::wants(const jingle::Jid& full, Node node) const {
  const auto& nodes = clients_.at(full).wants;
  return nodes && nodes->contains(node);
}

void EventAudience::tell(const std::string& room, const jingle::Jid& to, const Nodes& nodes,
                         TimePoint now) {
  for (const Node node : nodes) tell(room, to, node, true, now);
}

void EventAudience::tell(const std::string& room, const jingle::Jid& to, Node node, bool late,
                         TimePoint now) {
  if (pending_.empty()) next_ = std::max(next_, now);
  bool& is_late = pending_.try_emplace({room, node, to}, late).first->second;
  is_late = is_late && late;
}

void EventAudience::drop(const std::string& room, const jingle::Jid& to) {
  for (std::size_t node = 0; node < jingle::pep::kNodes; ++node) {
    pending_.erase({room, static_cast<Node>(node), to});
  }
}

bool EventAudience::awaits(const std::string& room, Node node) const {
  const auto first = pending_.lower_bound({room, node, jingle::Jid()});
  return first != pending_.end() && std::get<std::string>(first->first) == room &&
         std::get<Node>(first->first) == node;
}

void EventAudience::hurry(TimePoint now) {
  constexpr std::size_t kSteps = limits::kFarewell / limits::kFarewellStep;
  batch_ = std::max(batch_, pending_.size() / kSteps + 1);
  step_ = limits::kFarewellStep;
  next_ = now;
}

std::vector<EventAudience::Due> EventAudience::take_due(TimePoint now) {
  std::vector<Due> due;
  if (pending_.empty() || now < next_) return due;
  while (!pending_.empty() && due.size() < batch_) {
    auto next = pending_.upper_bound(last_told_);
    if (next == pending_.end()) next = pending_.begin();
    last_told_ = next->first;
    const auto& [room, node, to] = next->first;
    due.push_back({room, to, node, next->second});
    pending_.erase(next);
  }
  next_ = now + step_;
  return due;
}

std::optional<TimePoint> EventAudience::next_deadline() const {
  if (pending_.empty()) return std::nullopt;
  return next_;
}

}  // namespace mixer
