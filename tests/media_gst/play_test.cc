// Pieces played into rooms of the real engine, as a caller hears them.
#include <gtest/gtest.h>

#include <list>

#include "media/limits.h"
#include "media/sounds.h"
#include "tests/media_gst/engine_fixture.h"
#include "tests/support/audio.h"

namespace media::gst {
namespace {

using test_support::rms_dbfs;

class PlayedIntoARoom : public ::testing::Test {
 protected:
  PlayedIntoARoom() {
    dial(mixer_, caller_, kRoom);
    mixer_.engine->set_mix_plan(kRoom, {{{.leg = caller_.leg()}}});
    EXPECT_TRUE(mixer_.log.wait_for<LegConnected>(caller_.leg()));
    EXPECT_TRUE(caller_.wait_connected());
  }
  // Until half a second more was heard: how loud that was.
  double listen() {
    EXPECT_TRUE(caller_.wait_for_sound(caller_.packets().size() * 960 + 24000));
    return rms_dbfs(caller_.last_samples(20000));
  }
  bool becomes_silent() {
    for (int i = 0; i < 20; ++i) {
      if (listen() < -70) return true;
    }
    return false;
  }
  bool becomes_loud() {
    for (int i = 0; i < 20; ++i) {
      if (listen() > -45) return true;
    }
    return false;
  }

  static constexpr RoomId kRoom{1};
  Engine mixer_;
  CallerThread thread_;
  TestCaller caller_{thread_, LegId{1}, 440};
};

TEST_F(PlayedIntoARoom, HoldMusicIsHeardUntilItIsStoppedAndPausesInBetween) {
  const PlayId play{kRoom, 1};
  mixer_.engine->play({.play = play, .what = Sound::hold_music, .loop = true});
  EXPECT_TRUE(mixer_.log.wait_for<PlayStarted>(play));
  EXPECT_TRUE(becomes_loud());
  mixer_.engine->pause_play(play, true);
  EXPECT_TRUE(becomes_silent());
  mixer_.engine->pause_play(play, false);
  EXPECT_TRUE(becomes_loud());
  mixer_.engine->stop_play(play);
  const auto ended = mixer_.log.wait_for<PlayEnded>(play);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->cause, PlayEnd::stopped);
  EXPECT_TRUE(becomes_silent());
}

TEST_F(PlayedIntoARoom, AChimeEndsByItself) {
  const PlayId play{kRoom, 1};
  mixer_.engine->play({.play = play, .what = Sound::joined});
  const auto ended = mixer_.log.wait_for<PlayEnded>(play);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->cause, PlayEnd::finished);
}

TEST_F(PlayedIntoARoom, WhatARoomPlaysEndsWithIt) {
  const PlayId play{kRoom, 1};
  mixer_.engine->play({.play = play, .what = Sound::hold_music, .loop = true});
  ASSERT_TRUE(mixer_.log.wait_for<PlayStarted>(play));
  mixer_.engine->close_leg(caller_.leg());
  const auto ended = mixer_.log.wait_for<PlayEnded>(play);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->cause, PlayEnd::stopped);
}

TEST_F(PlayedIntoARoom, MoreAtOnceThanARoomMayIsRefused) {
  for (std::uint32_t i = 0; i <= limits::kMaxPlaysPerRoom; ++i) {
    mixer_.engine->play({.play = {kRoom, i}, .what = Sound::hold_music, .loop = true});
  }
  const auto ended = mixer_.log.wait_for<PlayEnded>(PlayId{kRoom, limits::kMaxPlaysPerRoom});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->cause, PlayEnd::error);
  EXPECT_NE(ended->text, "");
  EXPECT_FALSE(mixer_.log.wait_for<PlayEnded>(PlayId{kRoom, 0}, std::chrono::milliseconds(0)));
}

TEST_F(PlayedIntoARoom, MoreAtOnceThanAllRoomsMayIsRefused) {
  constexpr std::uint32_t kRooms = limits::kMaxPlays / limits::kMaxPlaysPerRoom;
  std::list<TestCaller> others;
  for (std::uint32_t room = 1; room <= kRooms + 1; ++room) {
    if (room != kRoom.value) dial(mixer_, others.emplace_back(thread_, LegId{room}, 440), {room});
    const std::uint32_t pieces = room > kRooms ? 1 : limits::kMaxPlaysPerRoom;
    for (std::uint32_t i = 0; i < pieces; ++i) {
      mixer_.engine->play({.play = {{room}, i}, .what = Sound::hold_music, .loop = true});
    }
  }
  const auto ended = mixer_.log.wait_for<PlayEnded>(PlayId{{kRooms + 1}, 0});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->text, "Too much is played at once.");
  for (std::uint32_t room = 1; room <= kRooms; ++room) {
    for (std::uint32_t i = 0; i < limits::kMaxPlaysPerRoom; ++i) {
      EXPECT_FALSE(mixer_.log.wait_for<PlayEnded>(PlayId{{room}, i}, std::chrono::milliseconds(0)));
    }
  }
}

TEST_F(PlayedIntoARoom, NothingIsPlayedWhereNobodyIs) {
  const PlayId play{RoomId{7}, 1};
  mixer_.engine->play({.play = play, .what = Sound::joined});
  const auto ended = mixer_.log.wait_for<PlayEnded>(play);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->cause, PlayEnd::error);
}

}  // namespace
}  // namespace media::gst
