// What contacts see of a component's rooms in the end, whatever ends, breaks or is killed
// meanwhile.
#include <gmock/gmock.h>

#include <memory>
#include <pugixml.hpp>

#include "mixer/room_eventing.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace mixer {
namespace {

using namespace std::chrono_literals;
namespace pep = jingle::pep;
namespace pubsub = jingle::pubsub;
using pep::Node;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kTune[] = "http://jabber.org/protocol/tune";
constexpr char kDomain[] = "mixer.localhost";
const std::vector<std::string> kRooms = {"room", "other"};

// A process that may be killed, what it saves, and clients that keep what they were told last.
class World {
 public:
  using Seen = std::map<std::pair<std::string, Node>, std::string>;  // by room

  explicit World(std::set<Node> nodes = {Node::tune, Node::mood}) { start(std::move(nodes)); }

  // A new process. Nobody has answered its probes yet.
  void start(std::set<Node> shown) {
    nodes = std::move(shown);
    playing.clear();
    service = std::make_unique<RoomEventing>(
        RoomEventing::Rooms{
            .domain = kDomain,
            .standing =
                [this](const auto&) {
                  return nodes.contains(Node::mood) ? Shown{{Node::mood, pep::Mood{"happy", ""}}}
                                                    : Shown();
                },
            .of_call =
                [this](const std::string& room) {
                  pep::Tune tune;
                  tune.title = playing[room];
                  const bool plays = nodes.contains(Node::tune) && !tune.title.empty();
                  return plays ? Shown{{Node::tune, tune}} : Shown();
                },
            .reader = [](const auto&,
                         const auto&) { return RoomEventing::Reader{.contact = true}; },
            .wall = [](TimePoint) { return std::chrono::sys_seconds(); }},
        pubsub::Access::presence, nodes, rows);
    up();
  }
  void up() {
    connected = true;
    service->connection_up(now);
    unprobed.clear();
    for (const auto& [who, seen] : clients) {
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
    for (const std::string& room : kRooms) answer_probe({room, who});
  }
  void go(const jingle::Jid& who) {
    clients.erase(who);
    std::erase_if(unprobed, [&](const auto& probe) { return probe.second == who; });
    for (const std::string& room : kRooms) service->absent(room, who);
    step();
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
  std::map<jingle::Jid, Seen> clients;  // that are online
  std::vector<Probe> unprobed;
  bool connected = false;
  std::vector<Published> rows;
  std::unique_ptr<RoomEventing> service;

 private:
  void heard(const SendMessage& message) {
    auto xml =
        jingle::Xml::parse("<message xmlns='jabber:client'>" + message.payload + "</message>");
    const auto event = pubsub::parse_event({"headline", {}, {}, {}, *xml});
    const auto node = *pep::node_of(event->node);
    const auto payload = pep::parse(node, event->items.at(0).payload.root(), "").value();
    const auto client = clients.find(message.to);
    if (client == clients.end()) return;  // it has gone
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

jingle::Jid client(std::uint64_t n) {
  return jingle::Jid::of("c" + std::to_string(n), "localhost", "x");
}

// The row went when the stop was queued, and with it the stop.
TEST(RoomEventing, AStopIsRememberedUntilEverybodyWasToldOfIt) {
  World world;
  for (int n = 0; n < 100; ++n) world.come(client(n));
  world.answer_probes();
  world.wait(5min);
  world.play("room", "heard");
  world.wait(1min);
  world.play("room", "");
  EXPECT_GT(world.service->waiting(), 0u);
  EXPECT_EQ(world.rows.size(), 2u) << "of the tune, and of the mood";
  world.start(world.nodes);  // killed, and back
  world.answer_probes();
  world.wait(5min);
  for (int n = 0; n < 100; ++n) EXPECT_EQ(world.seen(client(n), "room", Node::tune), "") << n;
  EXPECT_EQ(world.rows.size(), 1u);
}

TEST(RoomEventing, AStopThatABrokenStreamHasSwallowedIsToldWhenItIsBack) {
  for (const bool ends_meanwhile : {true, false}) {
    World world;
    for (int n = 0; n < 100; ++n) world.come(client(n));
    world.answer_probes();
    world.play("room", "heard");
    world.wait(5min);
    if (!ends_meanwhile) world.play("room", "");
    world.down();
    world.wait(10s);
    if (ends_meanwhile) world.play("room", "");
    world.up();
    world.wait(2min);
    world.answer_probes();
    world.wait(5min);
    for (int n = 0; n < 100; ++n) EXPECT_EQ(world.seen(client(n), "room", Node::tune), "") << n;
  }
}

TEST(RoomEventing, WhoFollowsByNameIsToldOfAStopThatABrokenStreamHasHeldUp) {
  World world;
  const jingle::Jid zoe = jingle::Jid::of("zoe", "localhost");
  for (int n = 0; n < 100; ++n) world.come(client(n));
  world.clients[zoe];
  ASSERT_TRUE(world.service->answer("room", zoe, pubsub::Subscribe{kTune, zoe}, world.now));
  world.play("room", "heard");
  world.wait(5min);
  EXPECT_EQ(world.seen(zoe, "room", Node::tune), "heard");
  world.play("room", "");
  EXPECT_EQ(world.seen(zoe, "room", Node::tune), "heard") << "it has not come to her yet";
  world.down();
  world.up();
  world.wait(1min);
  EXPECT_EQ(world.seen(zoe, "room", Node::tune), "");
}

// Nothing told that rooms had shown it.
TEST(RoomEventing, WhatRoomsHaveShownAlwaysIsTakenBackWhenTheConfigurationHasItNoMore) {
  for (const std::set<Node>& then : {std::set<Node>{Node::tune}, std::set<Node>{}}) {
    World world;
    world.come(client(0));
    world.answer_probes();
    world.wait(5min);
    EXPECT_EQ(world.seen(client(0), "other", Node::mood), "happy");
    EXPECT_THAT(world.rows, ElementsAre(Published{jingle::Jid::of("", kDomain),
                                                  std::string(pep::id_of(Node::mood)), "current"}));
    world.start(then);  // killed before
    world.answer_probes();
    world.wait(1s);
    for (const std::string& room : kRooms) EXPECT_EQ(world.seen(client(0), room, Node::mood), "");
    EXPECT_EQ(world.rows.size(), 1u) << "another crash may be near";
    world.wait(5min);
    EXPECT_THAT(world.rows, IsEmpty());
  }
}

TEST(RoomEventing, NobodySeesForEverWhatIsOver) {
  const auto seed = test_support::test_seed();
  test::Dice dice(seed);
  const std::vector<std::set<Node>> configurations = {{Node::tune, Node::mood}, {Node::tune}, {}};
  for (int round = 0; round < 100; ++round) {
    World world;
    for (int i = 0; i < 60; ++i) {
      const jingle::Jid who = client(dice.below(40));
      switch (dice.below(8)) {
        case 0:
        case 1: world.come(who); break;
        case 2: world.go(who); break;
        case 3:
          world.play(dice.one_of(kRooms), dice.chance(0.5) ? std::to_string(dice.below(3)) : "");
          break;
        case 4:
          if (!dice.chance(0.3)) break;
          world.connected ? world.down() : world.up();
          break;
        case 5:
          if (!dice.chance(0.2)) break;
          if (world.connected) world.step(dice.below(10));  // and is killed
          world.start(dice.one_of(configurations));
          break;
        case 6:
          if (!world.unprobed.empty()) world.answer_probe(dice.one_of(world.unprobed));
          if (world.connected && world.unprobed.empty()) world.service->everybody_probed(world.now);
          break;
        default: world.wait(dice.up_to(30s));
      }
    }
    if (!world.connected) world.up();
    world.answer_probes();
    world.wait(5min);
    for (const auto& [who, seen] : world.clients) {
      for (const std::string& room : kRooms) {
        EXPECT_EQ(world.seen(who, room, Node::tune),
                  world.nodes.contains(Node::tune) ? world.playing[room] : "")
            << "TEST_SEED=" << seed;
        EXPECT_EQ(world.seen(who, room, Node::mood),
                  world.nodes.contains(Node::mood) ? "happy" : "")
            << "TEST_SEED=" << seed;
      }
    }
    for (const Published& row : world.rows) {
      const bool plays = !world.playing[row.by.local()].empty();
      const Node node = *pep::node_of(row.node);
      EXPECT_TRUE(world.nodes.contains(node)) << "TEST_SEED=" << seed;
      EXPECT_TRUE(node == Node::mood || plays) << "TEST_SEED=" << seed;
    }
    world.service->leave(world.now);
    world.wait(1min);
    for (const auto& [who, seen] : world.clients) {
      for (const auto& [of, text] : seen) EXPECT_EQ(text, "") << "TEST_SEED=" << seed;
    }
    EXPECT_THAT(world.rows, IsEmpty()) << "TEST_SEED=" << seed;
  }
}

}  // namespace
}  // namespace mixer
