// Laws of the turns, whenever somebody looks.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <string>

#include "tests/support/seed.h"
#include "tools/load/slot_clock.h"

namespace load {
namespace {

using namespace std::chrono_literals;
constexpr SlotClock::Time kStart{1h};

TEST(SlotClock, WhoIsInTimeHasEachTurnOnce) {
  SlotClock clock(kStart);
  std::size_t turns = 0;
  for (auto now = kStart; now < kStart + 1s; now += 1ms) {
    while (const auto turn = clock.take(now)) {
      EXPECT_EQ(turn->slot, turns++ % kSlots);
      EXPECT_LT(turn->late, kSlot);
    }
  }
  EXPECT_EQ(turns, 1s / kSlot);
}

TEST(SlotClock, WhatIsLittleLateIsCaughtUpAndWhatIsMoreIsLeftOutForAllAlike) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  SlotClock clock(kStart);
  std::array<int, kSlots> turns{};
  int due = 0;
  auto missed = 0ns;
  for (auto now = kStart; now < kStart + 60s;) {
    const bool stalled = random() % 50 == 0;
    now += stalled ? std::chrono::milliseconds(random() % 3000)
                   : std::chrono::milliseconds(random() % 10);
    std::size_t at_once = 0;
    while (const auto turn = clock.take(now)) {
      ++turns[turn->slot];
      ++at_once;
      if (turn->late > SlotClock::kMostLate) missed += turn->late / media::kTick * media::kTick;
    }
    EXPECT_LE(at_once, SlotClock::kMostLate / kSlot + 1);
    EXPECT_FALSE(clock.take(now));
    due = static_cast<int>((now - kStart - missed) / kSlot) + 1;
  }
  EXPECT_GT(missed, 0ns);
  EXPECT_EQ(std::accumulate(turns.begin(), turns.end(), 0), due);
  const auto [least, most] = std::ranges::minmax(turns);
  EXPECT_LE(most - least, 1);
}

// It never came to the end of a crowd that a machine was too slow for, and heard no order to stop.
TEST(SlotClock, WhoTakesLongerForATurnThanItLastsIsNeverFartherBehind) {
  SlotClock clock(kStart);
  auto now = kStart;
  for (int look = 0; look < 100; ++look) {
    const auto before = now;
    while (clock.take(before)) now += 5 * kSlot;
    EXPECT_LE(now - before, 5 * (SlotClock::kMostLate + kSlot));
  }
}

}  // namespace
}  // namespace load
