#include "media/sounds.h"

#include <ebur128.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tests/support/audio.h"

namespace media {
namespace {

double loudness_lufs(const std::vector<std::int16_t>& samples) {
  ebur128_state* meter = ebur128_init(1, 48000, EBUR128_MODE_I);
  ebur128_add_frames_short(meter, samples.data(), samples.size());
  double lufs = 0;
  ebur128_loudness_global(meter, &lufs);
  ebur128_destroy(&meter);
  return lufs;
}

int peak(const std::vector<std::int16_t>& samples) {
  int peak = 0;
  for (const int sample : samples) peak = std::max(peak, std::abs(sample));
  return peak;
}

int largest_step(const std::vector<std::int16_t>& samples) {
  int largest = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    largest = std::max(largest, std::abs(samples[i] - samples[i - 1]));
  }
  return largest;
}

TEST(Sounds, HoldMusicIsAtTheLoudnessOfR128AndGoesOnWithoutASeam) {
  const auto music = generate(Sound::hold_music);
  EXPECT_NEAR(loudness_lufs(music), -23, 0.5);
  EXPECT_LT(peak(music), 12000);
  EXPECT_LE(std::abs(music.front() - music.back()), largest_step(music));
  EXPECT_GT(std::abs(music.back()) + std::abs(music[music.size() - 500]), 0) << "it ends in sound";
}

TEST(Sounds, ChimesBeginAndEndInSilenceAndAreNoLouderThanMusic) {
  for (const Sound sound : {Sound::joined, Sound::left, Sound::recording}) {
    const auto chime = generate(sound);
    EXPECT_LT(chime.size(), 2 * 48000U);
    EXPECT_LT(std::abs(chime.front()), 100);
    EXPECT_LT(std::abs(chime.back()), 100);
    EXPECT_GT(peak(chime), 1500);
    EXPECT_LT(peak(chime), 6000);
  }
}

TEST(Sounds, JoiningRisesAndLeavingFalls) {
  const auto high_hz = 220 * std::pow(2, 14 / 12.0);
  for (const auto& [sound, rises] :
       {std::pair(Sound::joined, true), std::pair(Sound::left, false)}) {
    const auto chime = generate(sound);
    const auto first = std::span(chime).first(7000);
    const auto second = std::span(chime).subspan(8500, 7000);
    EXPECT_EQ(
        test_support::tone_dbfs(second, high_hz) > test_support::tone_dbfs(first, high_hz) + 6,
        rises);
  }
}

}  // namespace
}  // namespace media
