#include "media/loudness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/audio.h"
#include "tests/support/seed.h"

namespace media {
namespace {

Frame sine(double amplitude) {
  const auto samples = test_support::tone(500, amplitude, kFrame_samples);
  Frame frame;
  std::ranges::copy(samples, frame.begin());
  return frame;
}

TEST(Loudness, LevelIsAttenuationBelowAFullScaleSquare) {
  Frame square;
  square.fill(32767);
  EXPECT_EQ(frame_level_dbov(square), 0);
  square.fill(-32768);
  EXPECT_EQ(frame_level_dbov(square), 0);
  EXPECT_EQ(frame_level_dbov(sine(32767)), 3);
  EXPECT_EQ(frame_level_dbov(sine(3276.7)), 23);
  EXPECT_EQ(frame_level_dbov(Frame{}), 127);
}

TEST(Loudness, VoiceComesAtOnceAndGoesAfterTheHangOver) {
  VoiceActivity voice;
  EXPECT_FALSE(voice.active());
  voice.update(30);
  EXPECT_TRUE(voice.active());
  for (int i = 1; i < kVoiceHangOver_ticks; ++i) {
    voice.update(kSilence_dbov);
    EXPECT_TRUE(voice.active()) << "a pause inside a sentence";
  }
  voice.update(kSilence_dbov);
  EXPECT_FALSE(voice.active());
}

TEST(Loudness, BetweenTheThresholdsNothingChanges) {
  VoiceActivity quiet, speaking;
  speaking.update(30);
  for (int i = 0; i < 100; ++i) {
    quiet.update(63);
    speaking.update(63);
  }
  EXPECT_FALSE(quiet.active());
  EXPECT_TRUE(speaking.active());
}

struct Room {
  explicit Room(std::size_t legs) : voices(legs), candidates(legs), order(legs) {
    for (std::size_t i = 0; i < legs; ++i) candidates[i].activity = &voices[i];
  }
  void tick(const std::vector<int>& levels, std::size_t max_speakers) {
    for (std::size_t i = 0; i < levels.size(); ++i) {
      voices[i].update(static_cast<std::uint8_t>(levels[i]));
    }
    choose_speakers(candidates, max_speakers, order);
  }
  std::vector<std::size_t> speaking() const {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (candidates[i].speaking) result.push_back(i);
    }
    return result;
  }
  std::vector<VoiceActivity> voices;
  std::vector<SpeakerCandidate> candidates;
  std::vector<SpeakerCandidate*> order;
};

using Who = std::vector<std::size_t>;

TEST(ChooseSpeakers, EverybodyWhoSpeaksWhileThereIsRoom) {
  Room room(5);
  room.tick({127, 30, 127, 50, 40}, 8);
  EXPECT_EQ(room.speaking(), (Who{1, 3, 4}));
}

TEST(ChooseSpeakers, TheLoudestWhenThereIsNot) {
  Room room(5);
  room.tick({20, 30, 40, 50, 10}, 2);
  EXPECT_EQ(room.speaking(), (Who{0, 4}));
}

TEST(ChooseSpeakers, WhoIsHeardIsNotDisplacedByWhoIsALittleLouder) {
  Room room(2);
  room.tick({30, 127}, 1);
  room.tick({30, 26}, 1);
  EXPECT_EQ(room.speaking(), Who{0});
  room.tick({30, 20}, 1);
  EXPECT_EQ(room.speaking(), Who{1});
}

TEST(ChooseSpeakers, WhoPausesGivesWayToWhoBegins) {
  Room room(3);
  room.tick({20, 30, 127}, 2);
  for (int i = 1; i < kPause_ticks; ++i) {
    room.tick({127, 30, 55}, 2);
    EXPECT_EQ(room.speaking(), (Who{0, 1})) << "between two syllables";
  }
  room.tick({127, 30, 55}, 2);
  EXPECT_EQ(room.speaking(), (Who{1, 2})) << "a quiet one, against the pause of a loud one";
  room.tick({20, 30, 127}, 2);
  EXPECT_EQ(room.speaking(), (Who{0, 1})) << "and back again";
}

TEST(ChooseSpeakers, APauseCostsNothingWhileThereIsRoom) {
  Room room(2);
  room.tick({20, 30}, 2);
  room.tick({127, 30}, 2);
  EXPECT_EQ(room.speaking(), (Who{0, 1}));
}

TEST(ChooseSpeakers, TheMutedDoNotSpeak) {
  Room room(2);
  room.candidates[0].may_speak = false;
  room.tick({10, 30}, 8);
  EXPECT_EQ(room.speaking(), Who{1});
}

TEST(ChooseSpeakers, NeverMoreThanAllowedAndNeverFewerThanPossible) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Room room(40);
  for (int tick = 0; tick < 500; ++tick) {
    std::vector<int> levels(40);
    for (int& level : levels) level = random() % 4 == 0 ? static_cast<int>(random() % 80) : 127;
    room.tick(levels, 8);
    const auto active = static_cast<std::size_t>(
        std::ranges::count_if(room.voices, [](const VoiceActivity& v) { return v.active(); }));
    ASSERT_EQ(room.speaking().size(), std::min<std::size_t>(active, 8));
  }
}

}  // namespace
}  // namespace media
