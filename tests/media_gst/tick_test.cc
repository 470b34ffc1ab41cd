// A room's whole tick, from what joined, left and was planned since the last one, and the packets
// in their rings, to what the I/O thread is handed, allocates nothing and takes no lock.
#include <gst/check/gsttestclock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "media/gst/conference_room.h"
#include "media/gst/dtls_srtp.h"
#include "media/gst/io_thread.h"
#include "media/rtp_header.h"
#include "tests/media_gst/locks.h"
#include "tests/support/allocations.h"
#include "tests/support/audio.h"
#include "tests/support/eventually.h"
#include "tests/support/opus_codec.h"

namespace media::gst {
namespace {

// A room, its clock in the test's hands, and callers whose packets go to an I/O thread.
class Ticking {
 public:
  Ticking() : pad_(PadPtr::sink(gst_pad_new("nowhere", GST_PAD_SRC))) {
    room_.configure(nullptr, {.after_tick = [this] { io_.flush(); },
                              .on_event = [this](const Event&) { ++told_; }});
    room_.start(GST_CLOCK(clock_.get()), 0);
  }
  ~Ticking() {
    room_.stop();
    while (!callers_.empty()) leave(callers_.begin()->first);
  }

  void join(std::uint64_t id, const RtpParameters& rtp) {
    const auto number = static_cast<std::uint32_t>(id);
    const ConferenceLeg spec{.leg = {id}, .contributor_id = number, .ssrc = number, .rtp = rtp};
    auto& caller = callers_[id];
    caller.leg = std::make_unique<ConferenceRoom::Leg>(spec);
    caller.spec = spec;
    room_.add(*caller.leg);
    room_.attach(*caller.leg, pad_, {.io = &io_, .leg = {id}});
  }
  void leave(std::uint64_t id) {
    auto node = callers_.extract(id);
    room_.attach(*node.mapped().leg, {}, {});
    room_.remove(std::move(node.mapped().leg));
  }
  void send(std::uint64_t id, std::uint8_t payload_type, std::span<const std::uint8_t> payload) {
    auto& caller = callers_.at(id);
    std::array<std::uint8_t, kMaxRtpHeaderBytes> header;
    const auto bytes =
        write_rtp_header({.payload_type = payload_type,
                          .sequence = caller.sequence++,
                          .timestamp = static_cast<std::uint32_t>(tick_ * kFrame_samples),
                          .ssrc = caller.spec.ssrc},
                         {}, 0, header);
    const auto slot = caller.leg->packets().reserve(bytes + payload.size());
    ASSERT_FALSE(slot.empty());
    std::copy_n(header.begin(), bytes, slot.begin());
    std::ranges::copy(payload, slot.begin() + static_cast<std::ptrdiff_t>(bytes));
    caller.leg->packets().commit();
  }
  void speak(std::uint64_t id, double tone_hz) {
    auto& caller = callers_.at(id);
    send(id, 111,
         caller.sender.encode(test_support::tone(tone_hz, 6000, kFrame_samples, caller.said)));
    caller.said += kFrame_samples;
  }

  // What the tick allocated and locked, less what the clock of the test does.
  std::pair<std::size_t, std::size_t> tick() {
    ++tick_;
    gst_test_clock_set_time(clock_.get(), tick_ * 20 * GST_MSECOND);
    test_support::count_locks();
    gst_clock_get_time(GST_CLOCK(clock_.get()));
    const auto clocks = test_support::locks_counted();
    test_support::count_allocations();
    test_support::count_locks();
    room_.tick();
    const auto locks = test_support::locks_counted();
    const auto allocations = test_support::allocations_counted();
    return {allocations, locks - clocks};
  }

  ConferenceRoom room_;
  std::atomic<int> told_{0};
  std::size_t tick_ = 0;

 private:
  struct Caller {
    std::unique_ptr<ConferenceRoom::Leg> leg;
    ConferenceLeg spec;
    test_support::OpusSender sender;
    std::uint16_t sequence = 0;
    std::size_t said = 0;
  };
  const DtlsIdentity identity_;
  IoThread io_{{.addresses = {"127.0.0.1"}}, identity_, [](const Event&) {}};
  ObjectPtr<GstTestClock> clock_ =
      ObjectPtr<GstTestClock>::adopt(GST_TEST_CLOCK(gst_test_clock_new()));
  PadPtr pad_;
  std::map<std::uint64_t, Caller> callers_;

 public:
  IoCounters counters() const { return io_.counters(); }
  ConferenceRoom::Leg& leg(std::uint64_t id) { return *callers_.at(id).leg; }
  MixPlan plan() const {
    MixPlan plan;
    for (const auto& [id, caller] : callers_) plan.legs.push_back({.leg = {id}});
    return plan;
  }
};

const std::vector<RtpParameters> kListeners{{},
                                            {.use_dtx = true},
                                            {.use_fec = true},
                                            {.packet_ms = 40},
                                            {.max_bitrate_bps = 16000},
                                            {.telephone_event = 101, .csrc_audio_level = 2}};

TEST(Tick, AllocatesNothingAndTakesNoLock) {
  if (!test_support::kCountsAllocations) GTEST_SKIP() << "malloc and locks are the sanitizer's";
  gst_init(nullptr, nullptr);
  Ticking room;
  std::uint64_t next = 1, oldest = 1;
  for (; next <= 12; ++next) room.join(next, kListeners[next % kListeners.size()]);
  for (std::size_t t = 1; t <= 400; ++t) {
    for (std::uint64_t id = oldest; id < next; ++id) {
      if ((t / 30 + id) % 4 == 0) room.speak(id, 300 + 40.0 * static_cast<double>(id % 20));
    }
    const std::uint8_t key[] = {5, 0x80, 0, 100};
    if (t % 50 == 7) room.send(next - 1, 101, key);
    if (t % 11 == 0) room.join(next++, kListeners[t % kListeners.size()]);
    if (t % 17 == 0) room.leave(oldest++);
    if (t % 40 == 0) room.leg(oldest).tell_loss(static_cast<std::uint8_t>(t / 40 % 3));
    if (t % 23 == 0) {
      MixPlan plan = room.plan();
      plan.legs[t % plan.legs.size()].in_mix = false;
      plan.legs[(t + 1) % plan.legs.size()].packet_ms = 60;
      plan.max_speakers = 2 + t % 3;
      room.room_.set_plan(std::move(plan));
    }
    const auto [allocations, locks] = room.tick();
    ASSERT_EQ(allocations, 0U) << "tick " << t;
    ASSERT_EQ(locks, 0U) << "tick " << t;
  }
  EXPECT_GT(room.room_.load().encodes, 800U);
  EXPECT_TRUE(support::eventually([&] { return room.counters().unsent > 5000; }))
      << room.counters().unsent;
  EXPECT_EQ(room.counters().outbox_full, 0U);
}

TEST(Tick, ALegForWhomThePlanHadLongerPacketsBeforeAllocatesNothing) {
  if (!test_support::kCountsAllocations) GTEST_SKIP() << "malloc and locks are the sanitizer's";
  gst_init(nullptr, nullptr);
  Ticking room;
  room.join(1, {});
  MixPlan plan = room.plan();
  plan.legs.push_back({.leg = {2}, .packet_ms = 60});
  room.room_.set_plan(std::move(plan));
  room.tick();
  room.join(2, {});
  EXPECT_EQ(room.tick().first, 0U);
  const auto unsent = room.counters().unsent;
  for (int i = 0; i < 30; ++i) EXPECT_EQ(room.tick().first, 0U);
  EXPECT_TRUE(support::eventually([&] { return room.counters().unsent >= unsent + 40; }))
      << "30 short packets and 10 long ones";
}

TEST(Tick, TheCountOfLocksCounts) {
  if (!test_support::kCountsLocks) GTEST_SKIP() << "locks are the sanitizer's";
  std::mutex mutex;
  GMutex other;
  g_mutex_init(&other);
  test_support::count_locks();
  mutex.lock();
  mutex.unlock();
  g_mutex_lock(&other);
  g_mutex_unlock(&other);
  EXPECT_EQ(test_support::locks_counted(), 2U);
  const PadPtr pad = PadPtr::sink(gst_pad_new("pad", GST_PAD_SRC));
  test_support::count_locks();
  gst_pad_push(pad.get(), gst_buffer_new());
  EXPECT_GE(test_support::locks_counted(), 1U) << "GStreamer's own";
}

}  // namespace
}  // namespace media::gst
