#include "media/time_stretch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>

#include "tests/support/audio.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using test_support::Samples;
constexpr int kBefore = kMostPeriod_samples;

TEST(TimeStretch, FindsWhereAToneRepeatsItself) {
  for (const double frequency_hz : {70.0, 100.0, 313.7, 997.0, 2500.0, 5000.0}) {
    const Samples sound = test_support::tone(frequency_hz, 8000, 2400);
    for (const bool ahead : {false, true}) {
      const Period found = find_period(sound.data() + kBefore, ahead, kMostPeriod_samples);
      const double periods = found.samples * frequency_hz / 48000;
      EXPECT_NEAR(periods, std::round(periods), 0.03 + frequency_hz / 96000) << frequency_hz;
      EXPECT_GT(found.match, 0.95) << frequency_hz;
    }
  }
}

TEST(TimeStretch, NoiseDoesNotRepeatItselfAndSilenceAlwaysDoes) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Samples noise(2400);
  for (auto& s : noise) s = static_cast<std::int16_t>(random());
  EXPECT_LT(find_period(noise.data() + kBefore, true, kMostPeriod_samples).match, 0.5F);
  const Samples silence(2400, 3);
  const Period found = find_period(silence.data() + kBefore, false, 500);
  EXPECT_EQ(found.samples, 500);
  EXPECT_EQ(found.match, 1.0F);
}

TEST(TimeStretch, WhatBeginsInSilenceIsSeen) {
  Samples sound(2400);
  for (std::size_t i = kBefore + 600; i < sound.size(); ++i) sound[i] = 8000;
  EXPECT_LT(find_period(sound.data() + kBefore, true, kMostPeriod_samples).match, 0.9F);
}

TEST(TimeStretch, ACrossfadeBeginsAsTheOneAndEndsAsTheOther) {
  Samples from(480, 32767), into(480, -32768);
  crossfade(from, into, into);
  EXPECT_EQ(into.front(), 32767);
  EXPECT_NEAR(into[240], 0, 1);
  EXPECT_NEAR(into.back(), -32768, 140);
  EXPECT_TRUE(std::ranges::is_sorted(into, std::greater<>()));
}

}  // namespace
}  // namespace media
