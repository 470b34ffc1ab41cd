// tests/mixer/eventing_world.h: the rooms of a component as services of personal eventing, in a
// process that may be killed, what it saves, and clients that keep what they were told last. One
// thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <pugixml.hpp>

#include "mixer/room_eventing.h"

namespace mixer::eventing_world {

using namespace std::chrono_literals;
namespace pep = jingle::pep;
namespace pubsub = jingle::pubsub;
using pep::Node;

inline constexpr char kTune[] = "http://jabber.org/protocol/tune";
inline constexpr char kDomain[] = "mixer.localhost";
inline const std::vector<std::string> kRooms = {"room", "other"};

class World {
 public:
  using Seen = std::map<std::pair<std::string, Node>, std::string>;  // by room

  explicit World(std::set<Node> nodes = {Node::tune, Node::mood}) { start(std::move(nodes)); }

  // A new process. Nobody has answered its probes yet.
  void start(std::set<Node> shown) {
    nodes = std::move(shown);
    playing.clear();
    std::vector<NodeSubscription> kept;
    for (const auto& [of, row] : subscribed) kept.push_back(row);
    service = std::make_unique<RoomEventing>(
        RoomEventing::Rooms{.domain = kDomain,
                            .standing =
                                [this](const auto&) {
                                  return nodes.contains(Node::mood)
                                             ? Shown{{Node::mood, pep::Mood{"happy", ""}}}
                                             : Shown();
                                },
                            .of_call =
                                [this](const std::string& room) {
                                  pep::Tune tune;
                                  tune.title = playing[room];
                                  const bool plays =
                                      nodes.contains(Node::tune) && !tune.title.empty();
                                  return plays ? Shown{{Node::tune, tune}} : Shown();
                                },
                            .reader =
                                [this](const auto&, const jingle::Jid& who) {
                                  return RoomEventing::Reader{.contact = !strangers.contains(who)};
                                },
                            .wall = [](TimePoint) { return std::chrono::sys_seconds(); }},
        pubsub::Access::presence, nodes, rows, kept);
    up();
  }
  void up() {
    connected = true;
    service->connection_up(now);
    unprobed.clear();
    for (const auto& [who, seen] : clients) {
      if (!online.contains(who)) continue;
      for (const std::string& room : kRooms) unprobed.emplace_back(room, who);
    }
    step();
  }
  void down() {
    connected = false;
    service->connection_down();
    unprobed.clear();
  }
  void play(const std::string& room, const std::string& title) {
    playing[room] = title;
    service->changed(room, now);
    step();
  }
  void come(const jingle::Jid& who) {
    clients[who];
    online.insert(who);
    for (const std::string& room : kRooms) answer_probe({room, who});
  }
  void go(const jingle::Jid& who) {
    clients.erase(who);
    online.erase(who);
    std::erase_if(unprobed, [&](const auto& probe) { return probe.second == who; });
    for (const std::string& room : kRooms) service->absent(room, who);
    step();
  }
  // By name, of somebody whose client may never be present. False: refused.
  bool follow(const jingle::Jid& who, const std::string& room, Node node) {
    clients[who].erase({room, node});
    return asked(room, who, pubsub::Subscribe{std::string(pep::id_of(node)), who});
  }
  bool unfollow(const jingle::Jid& who, const std::string& room, Node node) {
    return asked(room, who, pubsub::Unsubscribe{std::string(pep::id_of(node)), who});
  }
  using Probe = std::pair<std::string, jingle::Jid>;
  void answer_probe(const Probe& probe) {
    if (!connected) return;
    service->present(probe.first, probe.second, {{Node::tune, Node::mood}}, now);
    std::erase(unprobed, probe);
    step();
  }
  void answer_probes() {
    while (!unprobed.empty()) answer_probe(unprobed.back());
    service->everybody_probed(now);
    step();
  }
  void wait(std::chrono::milliseconds duration) {
    const TimePoint end = now + duration;
    for (int guard = 0; guard < 10000; ++guard) {
      const auto at = service->next_deadline();
      if (!at || *at > end) break;
      now = std::max(now, *at);
      step();
      ASSERT_TRUE(!service->next_deadline() || *service->next_deadline() > now) << "no progress";
    }
    now = end;
  }
  // `most`: it is killed when so many of its commands are carried out.
  void step(std::size_t most = 1000) {
    service->advance(out, now);
    Commands commands = out.take();
    commands.resize(std::min(most, commands.size()), Log{});
    for (const Command& command : commands) {
      if (const auto* message = std::get_if<SendMessage>(&command)) heard(*message);
      if (const auto* save = std::get_if<SavePublished>(&command)) rows.push_back(save->row);
      if (const auto* save = std::get_if<SaveNodeSubscription>(&command)) keep(save->row);
      if (const auto* forget = std::get_if<ForgetPublished>(&command)) {
        EXPECT_EQ(std::erase_if(rows,
                                [&](const Published& row) {
                                  return row.by == forget->by && row.node == forget->node;
                                }),
                  1u);
      }
    }
  }
  std::string seen(const jingle::Jid& who, const std::string& room, Node node) {
    return clients[who][{room, node}];
  }

  TimePoint now{1000s};
  std::set<Node> nodes;
  std::map<std::string, std::string> playing;
  std::map<jingle::Jid, Seen> clients;  // that are online, or follow something by name
  std::vector<Probe> unprobed;
  bool connected = false;
  std::vector<Published> rows;
  std::map<std::pair<std::string, jingle::Jid>, NodeSubscription> subscribed;  // as it is kept
  std::set<jingle::Jid> strangers, online;
  std::unique_ptr<RoomEventing> service;

 private:
  bool asked(const std::string& room, const jingle::Jid& who, const pubsub::Request& request) {
    const bool done = service->answer(room, who, request, now).has_value();
    step();
    return done;
  }
  void keep(const NodeSubscription& row) {
    const std::pair of(row.room.local(), row.subscriber);
    EXPECT_NE(subscribed.contains(of) ? subscribed[of].nodes : std::set<Node>(), row.nodes)
        << "written for nothing";
    if (row.nodes.empty()) {
      subscribed.erase(of);
    } else {
      subscribed[of] = row;
    }
  }
  void heard(const SendMessage& message) {
    auto xml =
        jingle::Xml::parse("<message xmlns='jabber:client'>" + message.payload + "</message>");
    const auto event = pubsub::parse_event({"headline", {}, {}, {}, *xml});
    const auto node = *pep::node_of(event->node);
    const auto payload = pep::parse(node, event->items.at(0).payload.root(), "").value();
    const auto client = clients.find(message.to);
    if (client == clients.end()) return;  // it has gone
    if (!online.contains(message.to)) {
      const auto row = subscribed.find({message.from.local(), message.to});
      EXPECT_TRUE(row != subscribed.end() && row->second.nodes.contains(node))
          << message.to.str() << " does not follow " << event->node;
    }
    std::string& seen = client->second[{message.from.local(), node}];
    if (const auto* tune = std::get_if<pep::Tune>(&payload)) seen = tune->title;
    if (const auto* mood = std::get_if<pep::Mood>(&payload)) seen = mood->mood;
    const std::string by = is_of_a_call(node) ? message.from.str() : kDomain;
    if (!seen.empty()) {
      EXPECT_TRUE(std::ranges::any_of(rows, [&](const Published& row) {
        return row.by.str() == by && row.node == event->node;
      })) << "not saved before it can be seen";
    }
  }

  Outbox out{[] { return 7; }};
};

inline jingle::Jid client(std::uint64_t n) {
  return jingle::Jid::of("c" + std::to_string(n), "localhost", "x");
}

}  // namespace mixer::eventing_world
