// What contacts see of a component's rooms in the end, whatever ends, breaks or is killed
// meanwhile.
#include <gmock/gmock.h>

#include "tests/mixer/eventing_world.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace mixer {
namespace {

using namespace eventing_world;
using testing::ElementsAre;
using testing::IsEmpty;

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
