#include "media/gst/gst_engine.h"

#include <gmock/gmock.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>

#include "media/rtp_header.h"
#include "tests/media_gst/engine_fixture.h"
#include "tests/media_gst/test_caller.h"
#include "tests/media_gst/transport_peer.h"
#include "tests/support/audio.h"
#include "tests/support/resident.h"
#include "tests/support/sanitized.h"

namespace media::gst {
namespace {

using test_support::kSanitized;
using test_support::resident_kib;
using test_support::tone_dbfs;

void plan_for_all(Engine& mixer, RoomId room,
                  const std::vector<std::unique_ptr<TestCaller>>& callers) {
  MixPlan plan;
  for (const auto& caller : callers) plan.legs.push_back({.leg = caller->leg()});
  mixer.engine->set_mix_plan(room, plan);
}

TEST(GstEngine, EachOfThreeHearsTheTwoOthersAndNotItself) {
  Engine mixer;
  const RoomId room{1};
  const double tones[] = {440, 610, 970};
  CallerThread thread;
  std::vector<std::unique_ptr<TestCaller>> callers;
  for (std::uint64_t i = 0; i < 3; ++i) {
    callers.push_back(std::make_unique<TestCaller>(thread, LegId{i + 1}, tones[i]));
    dial(mixer, *callers.back(), room);
  }
  plan_for_all(mixer, room, callers);
  for (const auto& caller : callers) {
    ASSERT_TRUE(mixer.log.wait_for<LegConnected>(caller->leg()));
    ASSERT_TRUE(caller->wait_connected());
  }
  for (const auto& caller : callers) caller->talk();
  // A second for everybody to be heard, then three to be measured.
  for (const auto& caller : callers) ASSERT_TRUE(caller->wait_for_sound(4 * 48000));
  for (std::size_t i = 0; i < callers.size(); ++i) {
    const auto heard = callers[i]->last_samples(3 * 48000 - 4800);
    for (std::size_t k = 0; k < 3; ++k) {
      const double level = tone_dbfs(heard, tones[k]);
      if (k == i) {
        EXPECT_LT(level, TestCaller::kLevel_dbfs - 50) << "own tone of " << i;
      } else {
        EXPECT_NEAR(level, TestCaller::kLevel_dbfs, 3) << k << " heard by " << i;
      }
    }
  }
  for (const auto& caller : callers) {
    mixer.engine->close_leg(caller->leg());
    const auto closed = mixer.log.wait_for<LegClosed>(caller->leg());
    ASSERT_TRUE(closed);
    EXPECT_GT(closed->statistics.received, 150U);
    EXPECT_GT(closed->statistics.sent, 150U);
    EXPECT_EQ(mixer.log.count<LegFailed>(caller->leg()), 0U);
  }
}

TEST(GstEngine, AWrongFingerprintNeverGetsAPacketIntoTheMix) {
  Engine mixer;
  const RoomId room{1};
  CallerThread thread;
  TestCaller honest(thread, LegId{1}, 440), impostor(thread, LegId{2}, 610);
  dial(mixer, honest, room);
  ASSERT_TRUE(honest.wait_connected());
  impostor.open();
  auto half = impostor.half(DtlsRole::client);
  half.fingerprint = honest.other_fingerprint();
  mixer.engine->open_leg(leg_for(impostor.leg(), room, half));
  const auto opened = mixer.log.wait_for<LegOpened>(impostor.leg());
  ASSERT_TRUE(opened);
  impostor.connect(*opened, DtlsRole::server);
  impostor.talk();
  const auto failed = mixer.log.wait_for<LegFailed>(impostor.leg());
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->cause, LegFailure::fingerprint_mismatch);
  honest.talk();
  ASSERT_TRUE(honest.wait_for_sound(48000));
  EXPECT_LT(tone_dbfs(honest.last_samples(24000), 610), -80);
  mixer.engine->close_leg(impostor.leg());
  const auto closed = mixer.log.wait_for<LegClosed>(impostor.leg());
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->statistics.received, 0U);
}

TEST(GstEngine, UnknownLegsAreIgnoredAndLegClosedComesOnceAndLast) {
  Engine mixer;
  mixer.engine->close_leg(LegId{99});
  mixer.engine->connect_leg(LegId{99}, {});
  mixer.engine->add_remote_candidates(LegId{99}, {});
  mixer.engine->set_mix_plan(RoomId{99}, {});
  LegSpec spec;
  spec.room = RoomId{1};
  spec.leg = LegId{1};
  mixer.engine->open_leg(spec);
  mixer.engine->close_leg(LegId{1});
  mixer.engine->close_leg(LegId{1});
  ASSERT_TRUE(mixer.log.wait_for<LegClosed>(LegId{1}));
  mixer.engine.reset();
  EXPECT_EQ(mixer.log.count<LegClosed>(LegId{1}), 1U);
  EXPECT_TRUE(std::holds_alternative<LegClosed>(mixer.log.of(LegId{1}).back()));
  EXPECT_TRUE(mixer.log.of(LegId{99}).empty());
}

// Each key is held up on its way until the leg is closed, if it can be meanwhile.
TEST(GstEngine, NoKeyIsToldAfterItsLegIsClosed) {
  Engine mixer;
  std::atomic<int> keys{0};
  mixer.engine = make_gst_engine(loopback(), [&](Event event) {
    if (const auto* const key = std::get_if<DigitPressed>(&event)) {
      ++keys;
      (void)mixer.log.wait_for<LegClosed>(key->leg, std::chrono::milliseconds(500));
    }
    mixer.log.push(std::move(event));
  });
  CallerThread thread;
  TestCaller stays(thread, LegId{1}, 440), goes(thread, LegId{2}, 610);
  for (auto* each : {&stays, &goes}) {
    dial(mixer, *each, RoomId{1}, {.telephone_event = 101});
    ASSERT_TRUE(each->wait_connected());
  }
  std::vector<std::uint8_t> packet(kMaxRtpHeaderBytes);
  const auto ssrc = static_cast<std::uint32_t>(0x10000 + goes.leg().value);
  packet.resize(write_rtp_header({.payload_type = 101, .ssrc = ssrc}, {}, 0, packet));
  for (const std::uint8_t byte : {7, 0x8A, 0x03, 0xC0}) packet.push_back(byte);
  ASSERT_TRUE(eventually([&] {  // the first may come before the leg is ready
    thread.io().enqueue(goes.leg(), BufferPtr(gst_buffer_new_memdup(packet.data(), packet.size())));
    return keys > 0;
  }));
  mixer.engine->close_leg(goes.leg());
  ASSERT_TRUE(mixer.log.wait_for<LegClosed>(goes.leg()));
  mixer.engine.reset();
  EXPECT_TRUE(std::holds_alternative<LegClosed>(mixer.log.of(goes.leg()).back()));
}

TEST(GstEngine, ClosesInTheMiddleOfHandshakes) {
  Engine mixer;
  CallerThread thread;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    TestCaller caller(thread, LegId{i}, 440);
    caller.open();
    mixer.engine->open_leg(leg_for(caller.leg(), RoomId{i % 3}, caller.half(DtlsRole::client)));
    const auto opened = mixer.log.wait_for<LegOpened>(caller.leg());
    ASSERT_TRUE(opened);
    caller.connect(*opened, DtlsRole::server);
    if (i % 4 == 1) {
      ASSERT_TRUE(mixer.log.wait_for<LegConnected>(caller.leg()));
    }
    mixer.engine->close_leg(caller.leg());
    ASSERT_TRUE(mixer.log.wait_for<LegClosed>(caller.leg()));
  }
}

TEST(GstEngine, DestroyingItClosesLegsInEveryState) {
  CallerThread thread;
  std::vector<std::unique_ptr<TestCaller>> callers;
  Engine mixer;
  for (std::uint64_t i = 1; i <= 6; ++i) {
    callers.push_back(std::make_unique<TestCaller>(thread, LegId{i}, 440));
    dial(mixer, *callers.back(), RoomId{i % 2});
  }
  ASSERT_TRUE(mixer.log.wait_for<LegConnected>(LegId{1}));
  callers[0]->talk();
  LegSpec waiting;
  waiting.room = RoomId{7};
  waiting.leg = LegId{7};
  mixer.engine->open_leg(waiting);
  mixer.engine.reset();
  for (std::uint64_t i = 1; i <= 7; ++i) {
    EXPECT_EQ(mixer.log.count<LegClosed>(LegId{i}), 1U) << i;
    EXPECT_TRUE(std::holds_alternative<LegClosed>(mixer.log.of(LegId{i}).back())) << i;
  }
}

TEST(GstEngine, ThreadsAreTheSameForThreeLegsAndForFifty) {
  Engine mixer;
  CallerThread thread;
  std::vector<std::unique_ptr<TestCaller>> callers;
  const auto add = [&](std::uint64_t id) {
    callers.push_back(std::make_unique<TestCaller>(thread, LegId{id}, 440));
    dial(mixer, *callers.back(), RoomId{id % 5});
    ASSERT_TRUE(mixer.log.wait_for<LegConnected>(LegId{id}));
  };
  for (std::uint64_t id = 1; id <= 3; ++id) add(id);
  // The callers' pipelines have threads of their own: none plays here, they are packets only.
  const int with_three = threads();
  for (std::uint64_t id = 4; id <= 50; ++id) add(id);
  EXPECT_EQ(threads(), with_three);
}

TEST(GstEngine, DescriptorsAndMemoryComeBack) {
  Engine mixer;
  CallerThread thread;
  const auto round = [&](std::uint64_t base) {
    std::vector<std::unique_ptr<TestCaller>> callers;
    for (std::uint64_t i = 0; i < 50; ++i) {
      callers.push_back(std::make_unique<TestCaller>(thread, LegId{base + i}, 440));
      dial(mixer, *callers.back(), RoomId{i % 5});
    }
    for (const auto& caller : callers) {
      EXPECT_TRUE(mixer.log.wait_for<LegConnected>(caller->leg()));
    }
    for (const auto& caller : callers) mixer.engine->close_leg(caller->leg());
    for (const auto& caller : callers) {
      EXPECT_TRUE(mixer.log.wait_for<LegClosed>(caller->leg()));
    }
  };
  round(1000);  // what is allocated once and for all
  malloc_trim(0);
  const int fds = open_fds();
  const auto memory = resident_kib();
  for (std::uint64_t k = 2; k < 5; ++k) round(1000 * k);
  malloc_trim(0);
  EXPECT_EQ(open_fds(), fds);
  if (kSanitized) GTEST_SKIP() << "a sanitizer keeps freed memory: residence says nothing";
  EXPECT_LT(resident_kib(), memory + 4096) << "150 legs left more than 4 MiB";
}

}  // namespace
}  // namespace media::gst
