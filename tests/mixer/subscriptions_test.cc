#include "mixer/subscriptions.h"

#include <algorithm>
#include <set>

#include "mixer/limits.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace {

using namespace std::chrono_literals;
using mixer::Subscriptions;
const mixer::TimePoint kStart{1000s};

jingle::Jid user(int n) { return jingle::Jid::of("u" + std::to_string(n), "a.example"); }

TEST(Subscriptions, ASubscriberHasABoundedNumberOfRooms) {
  Subscriptions rows;
  for (std::size_t i = 0; i < mixer::limits::kMaxRoomsPerSubscriber; ++i) {
    EXPECT_EQ(rows.add("r" + std::to_string(i), user(1)), Subscriptions::Outcome::added);
  }
  EXPECT_EQ(rows.add("r0", user(1)), Subscriptions::Outcome::known);
  EXPECT_EQ(rows.add("more", user(1)), Subscriptions::Outcome::refused);
  EXPECT_TRUE(rows.remove("r3", user(1)));
  EXPECT_FALSE(rows.remove("r3", user(1)));
  EXPECT_EQ(rows.add("more", user(1)), Subscriptions::Outcome::added);
}

TEST(Subscriptions, AStormOfChangesIsToldOnce) {
  Subscriptions rows;
  rows.add("r", user(1));
  rows.add("other", user(1));
  for (int i = 0; i < 100; ++i) rows.room_changed("r", kStart + i * 1ms);
  EXPECT_TRUE(rows.take_due(kStart + 500ms).empty());
  ASSERT_EQ(rows.next_deadline(), kStart + 1s);
  const auto due = rows.take_due(kStart + 1s);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due.front().row, Subscriptions::Row("r", user(1)));
  EXPECT_FALSE(rows.next_deadline());
}

TEST(Subscriptions, AtMostFiftyASecondAreTold) {
  Subscriptions rows;
  for (int i = 0; i < 120; ++i) rows.add("r", user(i));
  rows.all_changed(kStart);
  std::size_t told = 0;
  for (int second = 1; rows.next_deadline(); ++second) {
    const auto due = rows.take_due(*rows.next_deadline());
    EXPECT_LE(due.size(), mixer::limits::kPresencesPerSecond);
    told += due.size();
    ASSERT_LE(second, 3);
  }
  EXPECT_EQ(told, 120u);
}

TEST(Subscriptions, WhoLeavesIsNotTold) {
  Subscriptions rows;
  rows.add("r", user(1));
  rows.room_changed("r", kStart);
  rows.remove("r", user(1));
  EXPECT_FALSE(rows.next_deadline());
}

// A room where people come and go all the time must not keep the others' news back.
TEST(Subscriptions, EverybodyHasHisTurnWhateverOneRoomDoes) {
  Subscriptions rows;
  for (int i = 0; i < 60; ++i) rows.add("busy", user(i));
  for (int i = 0; i < 60; ++i) rows.add("quiet", user(i));
  rows.all_changed(kStart);
  std::set<Subscriptions::Row> told;
  for (int second = 1; second <= 4; ++second) {
    for (const auto& due : rows.take_due(kStart + second * 1s)) told.insert(due.row);
    rows.room_changed("busy", kStart + second * 1s);
  }
  EXPECT_EQ(told.size(), 120u);
}

TEST(Subscriptions, WhoIsToldForTheFirstTimeSinceTheStreamIsUpIsMarked) {
  Subscriptions rows;
  rows.restore("r", user(1), mixer::OwnSubscription::granted);
  EXPECT_FALSE(rows.was_told("r", user(1)));
  rows.all_changed(kStart);
  EXPECT_TRUE(rows.take_due(kStart + 1s).at(0).first);
  EXPECT_TRUE(rows.was_told("r", user(1)));
  rows.room_changed("r", kStart + 1s);
  EXPECT_FALSE(rows.take_due(kStart + 2s).at(0).first);
  rows.all_changed(kStart + 3s);
  EXPECT_FALSE(rows.was_told("r", user(1)));
}

TEST(Subscriptions, WhoIsUntoldIsCounted) {
  const auto seed = test_support::test_seed();
  test::Dice dice(seed);
  Subscriptions rows;
  for (int i = 0; i < 2000; ++i) {
    const int who = static_cast<int>(dice.below(200));
    switch (dice.below(5)) {
      case 0: rows.restore("r", user(who), mixer::OwnSubscription::granted); break;
      case 1: rows.add("r", user(who)); break;
      case 2: rows.remove("r", user(who)); break;
      case 3: dice.chance(0.1) ? rows.all_changed(kStart + i * 1s) : void(); break;
      default: rows.take_due(kStart + i * 1s);
    }
    std::size_t untold = 0;
    for (int n = 0; n < 200; ++n) untold += rows.own("r", user(n)) && !rows.was_told("r", user(n));
    ASSERT_EQ(rows.untold(), untold) << "TEST_SEED=" << seed;
  }
}

TEST(Subscriptions, WhatWasSavedIsKeptThoughTheLimitsAreLower) {
  Subscriptions rows;
  for (std::size_t i = 0; i < mixer::limits::kMaxRoomsPerSubscriber + 5; ++i) {
    rows.restore("r" + std::to_string(i), user(1), mixer::OwnSubscription::asked);
  }
  EXPECT_EQ(rows.size(), mixer::limits::kMaxRoomsPerSubscriber + 5);
  EXPECT_EQ(rows.add("more", user(1)), Subscriptions::Outcome::refused);
  EXPECT_TRUE(rows.take_touched().empty()) << "it is saved already";
}

TEST(Subscriptions, TheProcessIsBounded) {
  Subscriptions rows;
  for (std::size_t i = 0; i < mixer::limits::kMaxSubscriptions; ++i) {
    ASSERT_EQ(rows.add("r", user(static_cast<int>(i))), Subscriptions::Outcome::added);
  }
  EXPECT_EQ(rows.add("r", user(-1)), Subscriptions::Outcome::refused);
  EXPECT_EQ(rows.add("r", user(0)), Subscriptions::Outcome::known);
}

TEST(Subscriptions, EachChangeIsTouchedOnce) {
  Subscriptions rows;
  rows.add("r", user(1));
  rows.set_own("r", user(1), mixer::OwnSubscription::asked);
  EXPECT_EQ(rows.take_touched().size(), 1u);
  rows.set_own("r", user(1), mixer::OwnSubscription::asked);
  rows.add("r", user(1));
  EXPECT_TRUE(rows.take_touched().empty());
  rows.remove("r", user(1));
  EXPECT_EQ(rows.take_touched().size(), 1u);
}

TEST(Subscriptions, AllTakeLeaveInTimeAndOnce) {
  Subscriptions rows;
  for (std::size_t i = 0; i < mixer::limits::kMaxSubscriptions; ++i) {
    rows.add("r", user(static_cast<int>(i)));
  }
  rows.all_leave(kStart);
  std::size_t told = 0, most = 0;
  mixer::TimePoint now = kStart;
  for (; rows.next_deadline(); now = rows.next_deadline().value_or(now)) {
    const auto due = rows.take_due(now);
    ASSERT_FALSE(due.empty());
    told += due.size();
    most = std::max(most, due.size());
    rows.room_changed("r", now);
  }
  EXPECT_EQ(told, mixer::limits::kMaxSubscriptions);
  EXPECT_LE(now, kStart + mixer::limits::kFarewell);
  EXPECT_LE(most, 300u) << "evenly";
}

}  // namespace
