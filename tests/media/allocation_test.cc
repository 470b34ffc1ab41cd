// A tick allocates nothing, libopus included.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "tests/media/room_fixture.h"
#include "tests/support/allocations.h"

namespace media {
namespace {

using test_support::kCountsAllocations;

TEST(RoomMixer, ATickAllocatesNothing) {
  if (!kCountsAllocations) GTEST_SKIP() << "malloc is the sanitizer's";
  TestRoom room(20, {.telephone_event = 101, .ssrc_audio_level = 1, .csrc_audio_level = 2});
  TestRoom unlevelled(20, {.use_dtx = true, .use_fec = true});
  for (int i = 0; i < 3; ++i) room.add({.csrc_audio_level = 2, .stereo = true});
  PlaySource music;
  room.mixer.add(music);
  RecordTap tap(true);  // which nobody empties
  room.mixer.record(&tap);
  MixPlan plan = room.everybody();
  for (std::size_t i = 3; i < 9; ++i) {  // mixers themselves, that name each other's contributors
    plan.legs[i].is_mixer = true;
    for (std::uint32_t k = 0; k < 15; ++k) {
      room[i].contributors.push_back({static_cast<std::uint32_t>(1000 + 9 * i + k), 20});
    }
    room[i].spec.rtp.ssrc_audio_level = 0;
    room.mixer.update(*room[i].leg, room[i].spec);
  }
  plan.legs[2].recorded = false;
  room.set_plan(plan);
  for (TestRoom* each : {&room, &unlevelled}) {
    for (std::size_t t = 1; t <= 400; ++t) {
      for (std::size_t i = 0; i < 12; ++i) {
        auto& caller = *each->callers[i];
        caller.tone_hz = 300 + 41.0 * static_cast<double>(i);
        caller.amplitude = (t / 40 + i) % 3 == 0 ? 6000 : 0;  // comes and goes
        caller.ptime_samples = i % 4 == 3 ? 2880 : 960;
        caller.speak(t + (i == 5 && t % 50 == 0 ? 4 : 0));  // bursts
        if (i == 7 && t % 9 == 0) ++caller.sequence;        // losses
      }
      const std::uint8_t key[] = {3, 0x80, 0, 100};
      room[1].send(key, 101, std::nullopt, static_cast<std::uint32_t>(t * 960));
      if (each == &room && t < 100) {
        music.set_channels(t < 50 ? 1 : 2);
        music.write(test_support::tone(440, 3000, t < 50 ? 960 : 1920, t * 960));
      }
      test_support::count_allocations();
      each->mixer.tick(t % 97 == 0 ? 2 : 0);
      ASSERT_EQ(test_support::allocations_counted(), 0U) << "tick " << t;
    }
  }
}

TEST(RoomMixer, TheCountOfAllocationsCounts) {
  if (!kCountsAllocations) GTEST_SKIP() << "malloc is the sanitizer's";
  test_support::count_allocations();
  delete new std::string(100, 'x');
  EXPECT_EQ(test_support::allocations_counted(), 4U);
}

}  // namespace
}  // namespace media
