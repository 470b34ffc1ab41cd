// Whoever has subscribed to a room's node by name (XEP-0060 §6.1) is told of it until he
// unsubscribes or may not read it any more, whatever becomes of the process.
#include "mixer/node_subscription.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/mixer/eventing_world.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace mixer {
namespace {

using namespace eventing_world;
using testing::IsEmpty;

const jingle::Jid kZoe = jingle::Jid::of("zoe", "localhost");
const jingle::Jid kYan = jingle::Jid::of("yan", "localhost");

TEST(NodeSubscription, LastsUntilItIsEndedWhateverBecomesOfTheProcess) {
  const auto seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  test::Dice dice(seed);
  const std::vector<std::set<Node>> configurations = {{Node::tune, Node::mood}, {Node::tune}, {}};
  const std::vector<jingle::Jid> people = {kZoe, kZoe.with_resource("tv"), kYan};
  for (int round = 0; round < 100; ++round) {
    World world;
    std::map<std::pair<std::string, jingle::Jid>, std::set<Node>> model;
    const auto forget_if = [&](const auto& over) {
      for (auto& entry : model) {
        std::erase_if(entry.second,
                      [&](Node node) { return over(entry.first.first, entry.first.second, node); });
      }
      std::erase_if(model, [](const auto& entry) { return entry.second.empty(); });
    };
    for (int i = 0; i < 60; ++i) {
      const jingle::Jid who = dice.one_of(people);
      const std::string room = dice.one_of(kRooms);
      const Node node = dice.chance(0.5) ? Node::tune : Node::mood;
      switch (dice.below(8)) {
        case 0:
        case 1: {
          if (!world.connected) break;
          const bool may = world.nodes.contains(node) && !world.strangers.contains(who.bare());
          EXPECT_EQ(world.follow(who, room, node), may);
          if (may) model[{room, who}].insert(node);
          break;
        }
        case 2:
          if (!world.connected || !world.nodes.contains(node)) break;
          EXPECT_EQ(world.unfollow(who, room, node), (model[{room, who}].erase(node) == 1));
          break;
        case 3: world.play(room, dice.chance(0.5) ? std::to_string(dice.below(3)) : ""); break;
        case 4:
          if (!dice.chance(0.3)) break;
          world.connected ? world.down() : world.up();
          break;
        case 5: {
          if (!dice.chance(0.4)) break;
          if (world.connected) world.step(dice.below(10));           // and is killed
          if (dice.chance(0.2)) world.strangers.insert(who.bare());  // by configuration
          const std::vector<Published> left = world.rows;
          world.start(dice.chance(0.7) ? world.nodes : dice.one_of(configurations));
          forget_if([&](const std::string& in, const jingle::Jid& of, Node node) {
            const auto may_show = [&](const Published& row) {
              return row.node == pep::id_of(node) &&
                     (row.by.local().empty() || row.by.local() == in);
            };
            const bool there = world.nodes.contains(node) || std::ranges::any_of(left, may_show);
            return !there || world.strangers.contains(of.bare());
          });
          break;
        }
        case 6:
          if (!world.connected || !dice.chance(0.3)) break;
          if (world.strangers.erase(who.bare()) > 0) break;
          world.strangers.insert(who.bare());
          for (const std::string& each : kRooms) world.service->cancel(each, who.bare());
          world.step();
          forget_if(
              [&](const auto&, const jingle::Jid& of, Node) { return of.bare() == who.bare(); });
          break;
        default: world.wait(dice.up_to(30s));
      }
    }
    if (!world.connected) world.up();
    world.answer_probes();
    world.wait(5min);
    forget_if([](const auto&, const auto&, Node) { return false; });
    EXPECT_EQ(world.subscribed.size(), model.size());
    for (const auto& [of, nodes] : model) {
      EXPECT_EQ(world.subscribed[of].nodes, nodes);
      for (const Node node : nodes) {
        const std::string stands = node == Node::mood ? "happy" : world.playing[of.first];
        EXPECT_EQ(world.seen(of.second, of.first, node), world.nodes.contains(node) ? stands : "");
      }
    }
  }
}

// What had been queued for him went out behind the answer.
TEST(NodeSubscription, WhatIsOnItsWayIsNotToldToWhoHasUnsubscribed) {
  World world;
  for (int n = 0; n < 100; ++n) world.come(client(n));
  const jingle::Jid last = client(99);
  ASSERT_TRUE(world.follow(kZoe, "room", Node::tune));
  ASSERT_TRUE(world.follow(last, "room", Node::tune));
  world.answer_probes();
  world.play("room", "heard");
  world.wait(5min);
  ASSERT_EQ(world.seen(kZoe, "room", Node::tune), "heard");
  world.play("room", "");
  ASSERT_GT(world.service->waiting(), 2u);
  EXPECT_TRUE(world.unfollow(kZoe, "room", Node::tune));
  EXPECT_TRUE(world.unfollow(last, "room", Node::tune));
  world.wait(5min);
  EXPECT_EQ(world.seen(kZoe, "room", Node::tune), "heard");
  EXPECT_EQ(world.seen(last, "room", Node::tune), "") << "its client wants it by its features";
}

// A dead process's rows name what it has shown: only those who follow it see that still.
TEST(NodeSubscription, EndsWithItsNodeWhenHeKnowsThatThereIsNoMoreOfIt) {
  World world;
  ASSERT_TRUE(world.follow(kZoe, "room", Node::mood));
  EXPECT_EQ(world.seen(kZoe, "room", Node::mood), "happy");
  world.start({Node::tune});  // killed before
  world.answer_probes();
  world.wait(5min);
  EXPECT_EQ(world.seen(kZoe, "room", Node::mood), "");
  EXPECT_THAT(world.rows, IsEmpty());
  world.start({Node::tune});
  EXPECT_THAT(world.subscribed, IsEmpty());
}

TEST(NodeSubscription, OfAnotherDomainIsLeftAlone) {
  World world;
  const NodeSubscription row{jingle::Jid::of("room", "elsewhere.example"), kZoe, {Node::tune}};
  world.subscribed[{"room", kZoe}] = row;
  world.start(world.nodes);
  world.play("room", "heard");
  world.wait(1min);
  EXPECT_EQ(world.subscribed.size(), 1u);
  EXPECT_EQ(world.seen(kZoe, "room", Node::tune), "");
}

TEST(NodeSubscription, NobodyHasMoreThanHisShareOfThem) {
  World world;
  const auto follows_all = [&](const jingle::Jid& who) {
    std::size_t rooms = 0;
    while (rooms < 1000 && world.follow(who, std::to_string(rooms), Node::tune)) ++rooms;
    return rooms;
  };
  EXPECT_EQ(follows_all(kZoe), limits::kMaxNodesPerSubscriber);
  EXPECT_FALSE(world.follow(kZoe.with_resource("tv"), "room", Node::tune));
  EXPECT_TRUE(world.follow(kYan, "room", Node::tune));
  world.start(world.nodes);
  EXPECT_FALSE(world.follow(kZoe, "room", Node::tune)) << "they are his still";
  EXPECT_TRUE(world.follow(kZoe, "7", Node::tune)) << "it is so already";
  EXPECT_TRUE(world.unfollow(kZoe, "7", Node::tune));
  EXPECT_TRUE(world.follow(kZoe, "room", Node::tune));
  world.service->cancel("8", kZoe);
  EXPECT_TRUE(world.follow(kZoe, "room", Node::mood));
  EXPECT_FALSE(world.follow(kZoe, "8", Node::tune));
}

}  // namespace
}  // namespace mixer
