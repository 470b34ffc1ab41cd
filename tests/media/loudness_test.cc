#include "media/loudness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
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
  void run(int ticks, const std::vector<int>& levels, std::size_t max_speakers) {
    for (int t = 0; t < ticks; ++t) tick(levels, max_speakers);
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
  room.run(2 * kFirstWord_ticks, {30, 55}, 1);  // murmurs along
  room.tick({30, 25}, 1);
  EXPECT_EQ(room.speaking(), Who{0});
  room.tick({30, 23}, 1);
  EXPECT_EQ(room.speaking(), Who{1});
}

TEST(ChooseSpeakers, NorByWhoIsMuchLouderInHisFirstHalfSecond) {
  Room room(2);
  room.tick({30, 127}, 1);
  for (int i = 1; i < kFirstWord_ticks; ++i) {
    room.tick({30, 4}, 1);
    ASSERT_EQ(room.speaking(), Who{0});
  }
  Room noise(2);
  noise.tick({30, 127}, 1);
  noise.tick({30, 3}, 1);
  EXPECT_EQ(noise.speaking(), Who{1}) << "who was drowned";
}

TEST(ChooseSpeakers, WhoBeginsIsHeardInsteadOfWhoHasBeenQuietForLongest) {
  Room room(4);
  room.run(kFirstWord_ticks + 1, {20, 20, 30, 127}, 3);
  room.tick({127, 20, 30, 127}, 3);
  room.tick({127, 127, 30, 127}, 3);
  room.tick({127, 127, 30, 25}, 3);
  EXPECT_EQ(room.speaking(), (Who{1, 2, 3})) << "between two syllables";
}

TEST(ChooseSpeakers, WhoBeginsIsHeardInsteadOfTheQuietestAndTheOthersStay) {
  Room room(4);
  room.run(kFirstWord_ticks + 1, {20, 23, 22, 127}, 3);
  room.tick({20, 23, 22, 23 + kDrowned_db + 1}, 3);
  EXPECT_EQ(room.speaking(), (Who{0, 1, 2})) << "drowned by them all";
  for (int i = 0; i < 500; ++i) {
    room.tick({20, 23, 22, 25}, 3);
    ASSERT_EQ(room.speaking(), (Who{0, 2, 3})) << "tick " << i;
  }
  room.run(kPause_ticks, {20, 23, 127, 25}, 3);
  EXPECT_EQ(room.speaking(), (Who{0, 1, 3})) << "in the next pause he is heard again";
}

TEST(ChooseSpeakers, OfTheEquallyLoudWhoHasBeenHeardForLongestGivesWay) {
  Room room(4);
  room.tick({127, 20, 127, 127}, 3);
  room.run(kFirstWord_ticks + 1, {20, 20, 20, 127}, 3);
  room.tick({20, 20, 20, 20}, 3);
  EXPECT_EQ(room.speaking(), (Who{0, 2, 3}));
}

// The one case in which somebody begins unheard: as many others began in the same half second.
TEST(ChooseSpeakers, OneTooManyInTheSameHalfSecondWaitsForItsEnd) {
  Room room(3);
  room.tick({20, 127, 127}, 2);
  room.tick({20, 20, 127}, 2);
  for (int t = 2; t < kFirstWord_ticks; ++t) {
    room.tick({20, 20, 20}, 2);
    ASSERT_EQ(room.speaking(), (Who{0, 1})) << "tick " << t;
  }
  for (int t = 0; t < 100; ++t) {
    room.tick({20, 20, 20}, 2);
    ASSERT_EQ(room.speaking(), (Who{1, 2})) << "tick " << t;
  }
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

// Equally loud talkers, up to four more than are heard, each with syllables, turns and silences of
// their own; no more begin in half a second than are heard at once.
TEST(ChooseSpeakers, HoweverManyTalkWhoeverBeginsIsHeardFromHisFirstTickForHalfASecond) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::size_t left_out = 0;
  for (std::size_t most = 1; most <= 8; ++most) {
    for (std::size_t talkers = 1; talkers <= most + 4; ++talkers) {
      SCOPED_TRACE(std::to_string(talkers) + " talkers, heard " + std::to_string(most));
      Room room(talkers);
      std::vector<int> since(talkers, -100), until(talkers, -100);
      const int apart = kFirstWord_ticks / static_cast<int>(most) + 1;
      int next_begin = 0;
      for (int t = 0; t < 2000; ++t) {
        int began = 0;
        std::vector<int> levels(talkers, kSilence_dbov);
        for (std::size_t i = 0; i < talkers; ++i) {
          if (t > until[i] + 2 * kVoiceHangOver_ticks && t >= next_begin && random() % 20 == 0) {
            next_begin = t + apart;
            since[i] = t;
            until[i] = t + kFirstWord_ticks + static_cast<int>(random() % 400);
            ++began;
          }
          const bool gap = (t - since[i]) % 12 >= 9 && random() % 4 != 0;
          if (t <= until[i] && !gap) levels[i] = 20 + static_cast<int>(random() % 2);
        }
        const Who before = room.speaking();
        room.tick(levels, most);
        const auto active = static_cast<std::size_t>(std::ranges::count_if(
            room.voices, [](const VoiceActivity& voice) { return voice.active(); }));
        ASSERT_EQ(room.speaking().size(), std::min(active, most));
        for (std::size_t i = 0; i < talkers; ++i) {
          if (t - since[i] >= kFirstWord_ticks) continue;
          ASSERT_TRUE(room.candidates[i].speaking) << t - since[i] << " ticks after he began";
        }
        const auto cut = std::ranges::count_if(before, [&room](std::size_t i) {
          return !room.candidates[i].speaking && room.voices[i].active() &&
                 !room.voices[i].pausing();
        });
        ASSERT_LE(cut, began) << "only who begins takes anything from those who talk on";
        left_out += active - room.speaking().size();
      }
    }
  }
  EXPECT_GT(left_out, 0U);
}

// Whatever their levels are: the slots do not change hands all the time.
TEST(ChooseSpeakers, InHalfASecondFewOfThoseWhoTalkOnAreDisplaced) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::size_t kLegs = 30, kMost = 3;
  Room room(kLegs);
  std::vector<bool> talks(kLegs);
  std::vector<int> loudness(kLegs, 30);
  std::vector<int> displaced, ended;  // by tick
  int most_displaced = 0;
  for (int t = 0; t < 20000; ++t) {
    std::vector<int> levels(kLegs, kSilence_dbov);
    for (std::size_t i = 0; i < kLegs; ++i) {
      if (random() % 60 == 0) talks[i] = !talks[i];
      if (random() % 15 == 0) loudness[i] = 20 + static_cast<int>(random() % 20);
      if (talks[i]) levels[i] = loudness[i];
    }
    const Who before = room.speaking();
    room.tick(levels, kMost);
    displaced.push_back(0);
    ended.push_back(0);
    for (const std::size_t i : before) {
      if (room.candidates[i].speaking) continue;
      const bool talked_on = room.voices[i].active() && !room.voices[i].pausing();
      ++(talked_on ? displaced : ended).back();
    }
    if (displaced.size() < kFirstWord_ticks) continue;
    const auto sum = [](const std::vector<int>& counts) {
      return std::accumulate(counts.end() - kFirstWord_ticks, counts.end(), 0);
    };
    ASSERT_LE(sum(displaced), 2 * static_cast<int>(kMost) + sum(ended)) << "tick " << t;
    most_displaced = std::max(most_displaced, sum(displaced));
  }
  EXPECT_GT(most_displaced, 1);
}

}  // namespace
}  // namespace media
