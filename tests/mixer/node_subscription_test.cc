// Whoever has subscribed to a room's node by name (XEP-0060 §6.1) is told of it until he
// unsubscribes.
#include <gtest/gtest.h>

#include "tests/mixer/eventing_world.h"

namespace mixer {
namespace {

using namespace eventing_world;

const jingle::Jid kZoe = jingle::Jid::of("zoe", "localhost");

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

}  // namespace
}  // namespace mixer
