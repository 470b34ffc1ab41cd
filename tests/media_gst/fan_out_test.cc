// A large room is sent by all I/O threads: its legs are spread over them, and a tick hands each of
// them its share at once.
#include <gst/check/gsttestclock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "media/gst/conference_room.h"
#include "media/gst/dtls_srtp.h"
#include "media/gst/io_thread.h"
#include "tests/media_gst/engine_fixture.h"
#include "tests/support/eventually.h"

namespace media::gst {
namespace {

// A leg's events come from its own I/O thread.
class SpreadEngine {
 public:
  explicit SpreadEngine(unsigned io_threads)
      : engine_(make_gst_engine(config(io_threads), [this](const Event& event) { take(event); })) {}

  void open(std::uint64_t leg, std::uint64_t room) {
    rooms_[leg] = room;
    engine_->open_leg(dialled_leg({leg}, {room}));
    EXPECT_TRUE(support::eventually([&] { return threads().contains(leg); }));
  }
  void close(std::uint64_t leg) {
    engine_->close_leg({leg});
    EXPECT_TRUE(support::eventually([&] { return !threads().contains(leg); }));
  }
  std::thread::id thread_of(std::uint64_t leg) { return threads().at(leg); }
  // How many legs of the room are on each thread that has any, least first.
  std::vector<int> spread_of(std::uint64_t room) {
    std::map<std::thread::id, int> counts;
    for (const auto& [leg, thread] : threads()) {
      if (rooms_.at(leg) == room) ++counts[thread];
    }
    std::vector<int> sorted;
    for (const auto& each : counts) sorted.push_back(each.second);
    std::ranges::sort(sorted);
    return sorted;
  }

 private:
  static EngineConfig config(unsigned io_threads) {
    EngineConfig config = loopback();
    config.io_threads = io_threads;
    return config;
  }
  void take(const Event& event) {
    const std::lock_guard lock(mutex_);
    if (const auto* opened = std::get_if<LegOpened>(&event)) {
      threads_[opened->leg.value] = std::this_thread::get_id();
    } else if (const auto* closed = std::get_if<LegClosed>(&event)) {
      threads_.erase(closed->leg.value);
    }
  }
  std::map<std::uint64_t, std::thread::id> threads() {
    const std::lock_guard lock(mutex_);
    return threads_;
  }

  std::map<std::uint64_t, std::uint64_t> rooms_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::thread::id> threads_;
  std::unique_ptr<MediaEngine> engine_;
};

TEST(FanOut, LegsOfARoomAreSpreadEvenlyOverTheIoThreads) {
  SpreadEngine engine(3);
  for (std::uint64_t leg = 1; leg <= 30; ++leg) engine.open(leg, 1);
  EXPECT_EQ(engine.spread_of(1), (std::vector<int>{10, 10, 10}));
}

TEST(FanOut, RoomsThatAreJoinedInTurnAreSpreadEach) {
  SpreadEngine engine(2);
  for (std::uint64_t leg = 1; leg <= 20; ++leg) engine.open(leg, leg % 2);
  EXPECT_EQ(engine.spread_of(0), (std::vector<int>{5, 5}));
  EXPECT_EQ(engine.spread_of(1), (std::vector<int>{5, 5}));
}

TEST(FanOut, WhoComesTakesThePlacesOfThoseWhoLeft) {
  SpreadEngine engine(2);
  for (std::uint64_t leg = 1; leg <= 12; ++leg) engine.open(leg, 1);
  const auto left = engine.thread_of(1);
  for (std::uint64_t leg = 1; leg <= 12; ++leg) {
    if (engine.thread_of(leg) == left) engine.close(leg);
  }
  ASSERT_EQ(engine.spread_of(1), (std::vector<int>{6}));
  for (std::uint64_t leg = 13; leg <= 18; ++leg) engine.open(leg, 1);
  EXPECT_EQ(engine.spread_of(1), (std::vector<int>{6, 6}));
}

TEST(FanOut, ATickHandsEachIoThreadItsShareInOneBatch) {
  constexpr std::size_t kLegs = 20;
  gst_init(nullptr, nullptr);
  const DtlsIdentity identity;
  const IceConfig ice{.addresses = {"127.0.0.1"}};
  std::array<IoThread, 2> io{IoThread(ice, identity, [](const Event&) {}),
                             IoThread(ice, identity, [](const Event&) {})};
  // Of legs that are not open, so that all they are handed is counted as unsent.
  const auto handed = [&io](std::size_t thread) { return io.at(thread).counters().unsent; };
  const auto clock = ObjectPtr<GstTestClock>::adopt(GST_TEST_CLOCK(gst_test_clock_new()));
  const PadPtr pad = PadPtr::sink(gst_pad_new("nowhere", GST_PAD_SRC));
  ConferenceRoom room;
  std::uint64_t ticks = 0;
  room.configure(nullptr, {.after_tick = [&] {
                   ++ticks;
                   for (std::size_t i = 0; i < io.size(); ++i) {
                     EXPECT_EQ(handed(i), (ticks - 1) * kLegs / 2) << "nothing before the end";
                     io.at(i).flush();
                   }
                 }});
  std::vector<std::unique_ptr<ConferenceRoom::Leg>> legs;
  for (std::uint32_t i = 0; i < kLegs; ++i) {
    legs.push_back(std::make_unique<ConferenceRoom::Leg>(
        ConferenceLeg{.leg = {i + 1}, .contributor_id = i + 1, .ssrc = i + 1, .rtp = {}}));
    room.add(*legs.back());
    room.attach(*legs.back(), pad, {.io = &io.at(i % 2), .leg = {i + 1}});
  }
  room.start(GST_CLOCK(clock.get()), 0);
  for (std::uint64_t tick = 1; tick <= 50; ++tick) {
    gst_test_clock_set_time(clock.get(), tick * 20 * GST_MSECOND);
    room.tick();
    ASSERT_EQ(ticks, tick);
    for (std::size_t i = 0; i < io.size(); ++i) {
      ASSERT_TRUE(support::eventually([&] { return handed(i) == tick * kLegs / 2; })) << handed(i);
      EXPECT_EQ(io.at(i).counters().batches, tick);
    }
  }
  room.stop();
  for (auto& leg : legs) {
    room.attach(*leg, {}, {});
    room.remove(std::move(leg));
  }
}

}  // namespace
}  // namespace media::gst
