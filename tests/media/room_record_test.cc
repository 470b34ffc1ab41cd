// What of a room is recorded (media/record_tap.h).
#include <gtest/gtest.h>

#include "media/record_tap.h"
#include "media/speaker_track.h"
#include "tests/media/room_fixture.h"
#include "tests/support/ogg_reader.h"

namespace media {
namespace {

using test_support::OggOpusFile;
using test_support::tone_dbfs;

constexpr double kLoud = 6000;

struct RecordedRoom : TestRoom {
  explicit RecordedRoom(std::size_t callers, RtpParameters rtp = {}, bool speakers = false)
      : TestRoom(callers, rtp), tap(speakers) {
    mixer.record(&tap);
  }
  void talk(std::size_t who, double tone_hz) {
    callers[who]->tone_hz = tone_hz;
    callers[who]->amplitude = kLoud;
  }
  void record(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      tick();
      take();
    }
  }
  void take() {
    tap.queue().drain([this](const RecordedPacket& packet) {
      if (packet.contributor_id == 0) {
        ++packets;
        mix.put(packet.now_samples, packet.payload);
      } else {
        speaker_of[packet.contributor_id] += 1;
      }
    });
  }
  OggOpusFile finish() {
    mix.conceal_to(tap.now_samples());
    mix.finish();
    return test_support::read_ogg_opus(mix.pages());
  }
  RecordTap tap;
  OggOpusWriter mix{{.serial = 1, .comments = {}}};
  std::size_t packets = 0;
  std::map<std::uint32_t, int> speaker_of;
};

TEST(RoomRecord, HasEverybodysVoiceAndLastsAsLongAsTheRoomTicked) {
  RecordedRoom room(3);
  room.talk(0, 440);
  room.talk(1, 1000);
  room.record(150);
  const auto file = room.finish();
  EXPECT_EQ(file.samples(), 150U * 960);
  const auto sound = test_support::decode(file);
  EXPECT_NEAR(tone_dbfs(last_second(sound), 440), -14.7, 1.5);
  EXPECT_NEAR(tone_dbfs(last_second(sound), 1000), -14.7, 1.5);
}

// The mix of a recording is what the best-served listener hears.
TEST(RoomRecord, CostsNoEncodeWhereSomebodyOnlyListens) {
  const RtpParameters narrow{.max_bitrate_bps = 12000};
  RecordedRoom room(3);
  TestRoom unrecorded(3);
  for (TestRoom* each : {static_cast<TestRoom*>(&room), &unrecorded}) {
    each->add(narrow);
    each->callers[0]->tone_hz = 440;
    each->callers[0]->amplitude = kLoud;
  }
  for (int i = 0; i < 100; ++i) {
    room.record(1);
    unrecorded.run(1);
    ASSERT_EQ(room.mixer.counters().encodes, unrecorded.mixer.counters().encodes) << i;
  }
  EXPECT_EQ(room.packets, 100U);
}

TEST(RoomRecord, IsWithoutWhomThePlanDoesNotLetBeRecorded) {
  RecordedRoom room(4, {}, true);
  room.talk(0, 440);
  room.talk(1, 1000);
  room.talk(2, 1700);
  MixPlan plan = room.everybody();
  plan.legs[1].recorded = plan.legs[2].recorded = false;
  room.set_plan(plan);
  room.listening = true;
  room.record(150);
  const auto sound = test_support::decode(room.finish());
  EXPECT_NEAR(tone_dbfs(last_second(sound), 440), -14.7, 1.5);
  EXPECT_LT(tone_dbfs(last_second(sound), 1000), -60);
  EXPECT_LT(tone_dbfs(last_second(sound), 1700), -60);
  EXPECT_NEAR(tone_dbfs(last_second(room[3].heard), 1000), -14.7, 1.5) << "the others hear him";
  EXPECT_EQ(room.speaker_of.size(), 1U);
  EXPECT_TRUE(room.speaker_of.contains(1001));
}

TEST(RoomRecord, WhoMayBeRecordedLaterIsFromThenOn) {
  RecordedRoom room(2);
  room.talk(0, 440);
  MixPlan plan = room.everybody();
  plan.legs[0].recorded = false;
  room.set_plan(plan);
  room.record(100);
  plan.legs[0].recorded = true;
  room.set_plan(plan);
  room.record(100);
  const auto sound = test_support::decode(room.finish());
  EXPECT_LT(tone_dbfs(std::span(sound).first(80000), 440), -60);
  EXPECT_NEAR(tone_dbfs(last_second(sound), 440), -14.7, 1.5);
}

TEST(RoomRecord, WhoIsMutedIsNot) {
  RecordedRoom room(2, {}, true);
  room.talk(0, 440);
  MixPlan plan = room.everybody();
  plan.legs[0].in_mix = false;
  room.set_plan(plan);
  room.record(100);
  EXPECT_TRUE(room.speaker_of.empty());
  EXPECT_LT(tone_dbfs(last_second(test_support::decode(room.finish())), 440), -60);
}

// Silence is hardly sent, and none the shorter for that.
TEST(RoomRecord, SilenceTakesItsTimeAndFewPackets) {
  RecordedRoom room(2);
  room.talk(0, 440);
  room.record(100);
  room[0].amplitude = 0;
  room.record(1000);
  EXPECT_LT(room.packets, 200U);
  room.talk(0, 440);
  room.record(100);
  const auto file = room.finish();
  EXPECT_EQ(file.samples(), 1200U * 960);
  const auto sound = test_support::decode(file);
  EXPECT_NEAR(tone_dbfs(last_second(sound), 440), -14.7, 1.5);
  EXPECT_LT(test_support::rms_dbfs(std::span(sound).subspan(4 * 48000, 10 * 48000)), -70);
}

TEST(RoomRecord, TicksThatWereLeftOutAreSilence) {
  RecordedRoom room(2);
  room.talk(0, 440);
  room.record(50);
  room.tick(100);
  room.take();
  room.record(49);
  EXPECT_EQ(room.finish().samples(), 200U * 960);
}

}  // namespace
}  // namespace media
