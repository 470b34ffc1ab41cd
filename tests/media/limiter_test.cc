#include "media/limiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>

#include "tests/support/audio.h"
#include "tests/support/seed.h"

namespace media {
namespace {

Sum constant(std::int32_t value) {
  Sum sum;
  sum.fill(value);
  return sum;
}

TEST(Limiter, WhatFitsPassesBitByBit) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Limiter limiter;
  Frame out;
  for (int round = 0; round < 50; ++round) {
    Sum in;
    for (auto& s : in) s = static_cast<std::int16_t>(random());  // full scale, both ends included
    in[0] = -32768;
    in[1] = 32767;
    limiter.process(in, out);
    ASSERT_TRUE(std::equal(in.begin(), in.end(), out.begin()));
  }
  EXPECT_EQ(limiter.gain(), 1.0F);
}

// Law: what fits passes bit by bit, each channel on its side; what does not is turned down by one
// gain in both, so that who is in the middle stays there.
TEST(Limiter, BothChannelsHaveOneGain) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Limiter limiter;
  std::array<std::int16_t, 2 * kFrame_samples> out;
  for (int round = 0; round < 100; ++round) {
    Sum mid, side;
    const int shift = 10 + static_cast<int>(random() % 9);
    for (int i = 0; i < kFrame_samples; ++i) {
      mid[i] = static_cast<std::int32_t>(random() % (1U << shift)) - (1 << shift) / 2;
      side[i] = static_cast<std::int32_t>(random() % (1U << shift)) - (1 << shift) / 2;
    }
    const float before = limiter.gain();
    limiter.process(mid, &side, out);
    for (int i = 0; i < kFrame_samples; ++i) {
      const double left = mid[i] + side[i], right = mid[i] - side[i];
      if (before == 1 && limiter.gain() == 1) {
        ASSERT_EQ(out[2 * i], left);
        ASSERT_EQ(out[2 * i + 1], right);
      } else if (round > 0 && std::abs(out[2 * i]) < 32767 && std::abs(out[2 * i + 1]) < 32767) {
        // Rounded to a whole number each: l / left == r / right.
        ASSERT_NEAR(out[2 * i] * right, out[2 * i + 1] * left, std::abs(left) + std::abs(right));
      }
    }
    limiter.process(mid, nullptr, out);
    for (int i = 0; i < kFrame_samples; ++i) ASSERT_EQ(out[2 * i], out[2 * i + 1]);
  }
}

TEST(Limiter, NeverWraps) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Limiter limiter;
  Frame out;
  for (int round = 0; round < 300; ++round) {
    Sum in;
    const int shift = static_cast<int>(random() % 28);  // up to 2^27: a full room at full scale
    for (auto& s : in) {
      s = static_cast<std::int32_t>(random() % (1U << shift)) - (1 << shift) / 2;
    }
    limiter.process(in, out);
    for (int i = 0; i < kFrame_samples; ++i) {
      // A wrapped sample has the wrong sign.
      ASSERT_TRUE((in[i] >= 0 && out[i] >= 0) || (in[i] <= 0 && out[i] <= 0))
          << in[i] << " became " << out[i];
      ASSERT_LE(std::abs(out[i]), std::abs(static_cast<std::int64_t>(in[i])) + 1);
    }
    ASSERT_GT(limiter.gain(), 0.0F);
    ASSERT_LE(limiter.gain(), 1.0F);
  }
}

TEST(Limiter, SilenceStaysSilenceWhateverTheGain) {
  Limiter limiter;
  Frame out;
  limiter.process(constant(1'000'000), out);
  EXPECT_LT(limiter.gain(), 0.1F);
  limiter.process(constant(0), out);
  EXPECT_TRUE(std::ranges::all_of(out, [](auto s) { return s == 0; }));
}

TEST(Limiter, ComesBackToTransparentSoonAfter) {
  Limiter limiter;
  Frame out;
  limiter.process(constant(200'000), out);
  EXPECT_LT(limiter.gain(), 0.2F);
  for (int tick = 0; tick < 36; ++tick) limiter.process(constant(1000), out);
  EXPECT_EQ(limiter.gain(), 1.0F);
  limiter.process(constant(1000), out);
  EXPECT_EQ(out[0], 1000);
}

TEST(Limiter, GoesDownAheadOfAPeakInTheFrame) {
  Limiter limiter;
  Sum in = constant(10000);
  for (int i = 480; i < kFrame_samples; ++i) in[i] = 100'000;
  Frame out;
  limiter.process(in, out);
  EXPECT_EQ(out[480 - 48 * 7], 10000) << "not yet";
  EXPECT_LT(out[470], 5000) << "already down";
  EXPECT_LT(*std::ranges::max_element(out), 32702);
  for (int i = 481; i < kFrame_samples; ++i) ASSERT_NEAR(out[i], 32700, 2);
}

// Three full voices at once: the sum of three sines of -1 dBFS must not become a buzz.
TEST(Limiter, ThreeLoudSinesKeepTheirDistortionUnderThreePercent) {
  constexpr std::size_t kFrames = 100;
  const double frequencies[] = {440, 610, 970};
  test_support::Samples heard;
  Limiter limiter;
  for (std::size_t f = 0; f < kFrames; ++f) {
    Sum in = constant(0);
    for (double frequency : frequencies) {
      const auto part = test_support::tone(frequency, 29204, kFrame_samples, f * kFrame_samples);
      for (int i = 0; i < kFrame_samples; ++i) in[i] += part[static_cast<std::size_t>(i)];
    }
    Frame out;
    limiter.process(in, out);
    if (f >= kFrames / 2) heard.insert(heard.end(), out.begin(), out.end());
  }
  double tones = 0, all = 0;
  for (double frequency : frequencies) {
    const double amplitude = test_support::tone_amplitude(heard, frequency);
    tones += amplitude * amplitude / 2;
  }
  for (double s : heard) all += s * s / static_cast<double>(heard.size());
  EXPECT_LT(std::sqrt(std::max(0.0, all - tones) / tones), 0.03);
}

TEST(Limiter, ACopyGoesOnWhereItsOriginWas) {
  Limiter limiter;
  Frame a, b;
  limiter.process(constant(80'000), a);
  Limiter copy = limiter;
  limiter.process(constant(20'000), a);
  copy.process(constant(20'000), b);
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace media
