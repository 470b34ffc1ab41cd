#include "media/fan_out.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/seed.h"

namespace media {
namespace {

// How many legs are where, counted beside the one that is tested.
struct Counted {
  explicit Counted(std::size_t threads) : all(threads), fan_out(threads) {}

  std::size_t add(RoomId room) {
    const std::size_t thread = fan_out.add(room);
    of(room).at(thread) += 1;
    all.at(thread) += 1;
    legs.push_back({room, thread});
    return thread;
  }
  void remove(std::size_t leg) {
    const auto [room, thread] = legs.at(leg);
    fan_out.remove(room, thread);
    of(room).at(thread) -= 1;
    all.at(thread) -= 1;
    legs.erase(legs.begin() + static_cast<std::ptrdiff_t>(leg));
  }
  std::vector<int>& of(RoomId room) { return rooms.try_emplace(room, all.size()).first->second; }
  static int spread(const std::vector<int>& counts) {
    return std::ranges::max(counts) - std::ranges::min(counts);
  }

  std::map<RoomId, std::vector<int>> rooms;
  std::vector<int> all;
  std::vector<std::pair<RoomId, std::size_t>> legs;
  FanOut fan_out;
};

class FanOutLaws : public testing::Test {
 protected:
  const unsigned seed_ = test_support::test_seed();
  const testing::ScopedTrace trace_{__FILE__, __LINE__, "TEST_SEED=" + std::to_string(seed_)};
  std::mt19937 random_{seed_};
};

TEST_F(FanOutLaws, EveryRoomAndAllTogetherAreSpreadEvenlyWhileTheyGrow) {
  for (std::size_t threads = 1; threads <= 8; ++threads) {
    Counted counted(threads);
    for (int leg = 0; leg < 300; ++leg) {
      const RoomId room{random_() % 5};
      counted.add(room);
      ASSERT_LE(Counted::spread(counted.of(room)), 1) << threads << " threads, leg " << leg;
    }
    EXPECT_LE(Counted::spread(counted.all), 5) << "one for each room";
  }
}

// Turn by turn over all rooms, each of two rooms joined in turn was on one thread.
TEST_F(FanOutLaws, RoomsThatGrowInTurnAreSpreadEachForItself) {
  Counted counted(2);
  for (int leg = 0; leg < 100; ++leg) counted.add({leg % 2 == 0 ? 1U : 2U});
  EXPECT_EQ(counted.rooms.at({1}), (std::vector<int>{25, 25}));
  EXPECT_EQ(counted.rooms.at({2}), (std::vector<int>{25, 25}));
}

TEST_F(FanOutLaws, RoomsOfOneAreSpreadOverTheThreads) {
  Counted counted(4);
  for (std::uint64_t room = 0; room < 100; ++room) counted.add({room});
  EXPECT_EQ(counted.all, (std::vector<int>(4, 25)));
}

TEST_F(FanOutLaws, WhoComesGoesWhereTheRoomHasTheFewestWhoeverLeft) {
  Counted counted(3);
  for (int step = 0; step < 3000; ++step) {
    if (!counted.legs.empty() && random_() % 2 == 0) {
      counted.remove(random_() % counted.legs.size());
      continue;
    }
    const RoomId room{random_() % 4};
    const std::vector<int> before = counted.of(room);
    const std::vector<int> all = counted.all;
    const std::size_t thread = counted.add(room);
    for (std::size_t other = 0; other < before.size(); ++other) {
      ASSERT_LE(before[thread], before[other]) << "step " << step;
      if (before[thread] == before[other]) {
        ASSERT_LE(all[thread], all[other]) << "step " << step;
      }
    }
  }
}

}  // namespace
}  // namespace media
