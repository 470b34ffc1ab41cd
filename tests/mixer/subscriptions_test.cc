#include "mixer/subscriptions.h"

#include "mixer/limits.h"

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
  EXPECT_EQ(due.front(), Subscriptions::Row("r", user(1)));
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

}  // namespace
