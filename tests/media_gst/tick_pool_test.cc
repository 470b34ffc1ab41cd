#include "media/gst/tick_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/media_gst/conference_fixture.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"

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

// In simulated time: however long the machine stands still and however often, and however much of
// what was missed the clock then calls for, a listener is sent what is missing if that is at most
// two packets, else one; the time that went by is in their timestamps.
TEST(TickPool, AfterAnyStandstillNoBurstIsSent) {
  const auto seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  test::Dice dice(seed);
  gst_init(nullptr, nullptr);
  TickPool pool(1);
  Conference conference(2, {}, &pool);
  GstTestClock* const clock = conference.clock.get();
  const auto next_call = [clock] {
    GstClockID id = nullptr;
    EXPECT_TRUE(gst_test_clock_peek_next_pending_id(clock, &id));
    const GstClockTime time = gst_clock_id_get_time(id);
    gst_clock_id_unref(id);
    return time;
  };
  constexpr GstClockTime kTick_ns = 20 * GST_MSECOND;
  const GstClockTime first = next_call();
  std::optional<std::uint32_t> began;
  GstClockTime now = 0, done = 0;  // ticks that are no more due
  for (int step = 0; step < 500; ++step) {
    // Mostly a tick, or a part of one; now and then a CPU that is taken away, or SIGSTOP.
    now = std::max(now, first) + dice.below(kTick_ns + 1);
    if (dice.chance(0.1)) now += dice.below(100) * GST_MSECOND;
    if (dice.chance(0.02)) now += dice.below(5000) * GST_MSECOND;
    gst_test_clock_set_time(clock, now);
    for (bool more = true; more && next_call() <= now; more = dice.chance(0.9)) {
      gst_clock_id_unref(gst_test_clock_process_next_clock_id(clock));
    }
    for (int i = 0; i < 2; ++i) {  // behind the tick that runs, and the one that was called for
      CountingRoom behind;
      pool.queue(&behind);
      wait_for(behind.ticks, 1);
      pool.remove(&behind);
    }
    const GstClockTime due = (now - first) / kTick_ns + 1, missing = due - done;
    const auto packets = conference.legs[0]->receive();
    ASSERT_EQ(conference.legs[1]->receive().size(), packets.size());
    ASSERT_EQ(packets.size(), missing > 2 ? 1 : missing) << missing << " in step " << step;
    done = due;
    if (packets.empty()) continue;
    std::array<std::uint8_t, 12> header;
    gst_buffer_extract(packets.back().get(), 0, header.data(), header.size());
    const std::uint32_t timestamp = parse_rtp(header)->timestamp;
    const auto gone = static_cast<std::uint32_t>(due * kFrame_samples);
    if (!began) began = timestamp - gone;
    ASSERT_EQ(timestamp - *began, gone) << "step " << step;
  }
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

TEST(TickPool, RemoveWaitsForTheTickThatRunsAndNoneFollows) {
  TickPool pool(1);
  bool none_followed = false;  // once remove() is called before the tick ends
  for (int patience = 1; !none_followed && patience < 1 << 18; patience *= 2) {
    CountingRoom room, behind;
    room.hold = true;
    pool.queue(&room);
    while (!room.inside) std::this_thread::yield();
    pool.queue(&room);
    std::thread release([&room, patience] {
      for (int i = 0; i < patience; ++i) std::this_thread::yield();
      room.hold = false;
    });
    pool.remove(&room);
    EXPECT_FALSE(room.inside);
    const int ticks = room.ticks;
    none_followed = ticks == 1;
    release.join();
    pool.queue(&behind);
    wait_for(behind.ticks, 1);
    pool.remove(&behind);
    EXPECT_EQ(room.ticks, ticks);
    pool.remove(&room);  // again is harmless
  }
  EXPECT_TRUE(none_followed);
}

TEST(TickPool, WhoIsRemovedWhileHeWaitsIsNotTicked) {
  TickPool pool(1);
  CountingRoom busy, room, behind;
  busy.hold = true;
  pool.queue(&busy);
  while (!busy.inside) std::this_thread::yield();
  pool.queue(&room);
  pool.queue(&behind);
  pool.remove(&room);
  busy.hold = false;
  wait_for(behind.ticks, 1);
  EXPECT_EQ(room.ticks, 0);
  pool.remove(&busy);
  pool.remove(&behind);
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
