#include "media/gst/tick_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace media::gst {
namespace {

struct CountingRoom : TickPool::Room {
  void tick() override {
    EXPECT_FALSE(inside.exchange(true)) << "one thread at a time";
    ++unguarded;
    while (hold) std::this_thread::yield();
    inside = false;
    ++ticks;
  }
  std::atomic<bool> inside{false}, hold{false};
  std::atomic<int> ticks{0};
  int unguarded = 0;  // for TSan: the pool orders one tick before the next
};

void wait_for(const std::atomic<int>& value, int wanted) {
  while (value < wanted) std::this_thread::yield();
}

TEST(TickPool, TicksEveryQueuedRoomOnOneThreadAtATime) {
  TickPool pool(3);
  std::vector<CountingRoom> rooms(20);
  for (int round = 1; round <= 100; ++round) {
    for (auto& room : rooms) pool.queue(&room);
    for (auto& room : rooms) wait_for(room.ticks, round);
  }
  for (auto& room : rooms) {
    pool.remove(&room);
    EXPECT_EQ(room.unguarded, 100);
  }
}

// SIGSTOP, a stolen CPU: afterwards its clock calls for all that it has missed.
TEST(TickPool, HoweverOftenALateRoomIsCalledItIsTickedOnceMore) {
  TickPool pool(1);
  CountingRoom room;
  room.hold = true;
  pool.queue(&room);
  while (!room.inside) std::this_thread::yield();
  for (int i = 0; i < 50; ++i) pool.queue(&room);
  room.hold = false;
  wait_for(room.ticks, 2);
  CountingRoom next;  // behind whatever the first one has
  pool.queue(&next);
  wait_for(next.ticks, 1);
  pool.remove(&next);
  pool.remove(&room);
  EXPECT_EQ(room.ticks, 2);
}

TEST(TickPool, ACallDuringTheTickIsNotLost) {
  TickPool pool(2);
  CountingRoom room;
  for (int i = 1; i <= 1000; ++i) {
    room.hold = true;
    pool.queue(&room);
    while (!room.inside) std::this_thread::yield();
    pool.queue(&room);
    room.hold = false;
    wait_for(room.ticks, 2 * i);
  }
  pool.remove(&room);
}

TEST(TickPool, RemoveWaitsForTheTickThatRuns) {
  TickPool pool(2);
  CountingRoom room;
  room.hold = true;
  pool.queue(&room);
  while (!room.inside) std::this_thread::yield();
  pool.queue(&room);
  std::thread release([&room] { room.hold = false; });
  pool.remove(&room);
  EXPECT_FALSE(room.inside);
  EXPECT_EQ(room.ticks, 1) << "what was still waiting is not ticked";
  release.join();
  pool.remove(&room);  // again is harmless
}

TEST(TickPool, ARoomMayComeBack) {
  TickPool pool(1);
  CountingRoom room;
  for (int i = 1; i <= 3; ++i) {
    pool.queue(&room);
    wait_for(room.ticks, i);
    pool.remove(&room);
  }
}

TEST(TickPool, StaggersRoomsOverTheWholeTick) {
  TickPool pool(1);
  std::set<std::size_t> seen;
  for (int i = 0; i < 20; ++i) seen.insert(pool.next_stagger_ms());
  EXPECT_EQ(seen.size(), 20U);
  EXPECT_LT(*std::ranges::max_element(seen), 20U);
}

}  // namespace
}  // namespace media::gst
