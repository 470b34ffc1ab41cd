#include "media/gst/piece_loudness.h"

#include <dlfcn.h>
#include <ebur128.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "media/audio_frame.h"
#include "tests/support/allocations.h"
#include "tests/support/audio.h"
#include "tests/support/seed.h"

// libebur128's own, as everybody in this program calls it.
namespace {
int questions = 0;
}
extern "C" int ebur128_loudness_global(ebur128_state* state, double* out) {
  static const auto real =
      reinterpret_cast<decltype(&ebur128_loudness_global)>(dlsym(RTLD_NEXT, __func__));
  ++questions;
  return real(state, out);
}

namespace media::gst {
namespace {

constexpr int kSecond = kSampleRate_hz;
// A tone of 1000 Hz at 0 dBFS is -3 LUFS, to a tenth (ITU-R BS.1770-4).
constexpr double kToneAtFullScale_lufs = -3;

// So many seconds of the tone through it, in both channels, a frame at a time; the left as played.
std::vector<std::int16_t> played(PieceLoudness& loudness, double dbfs, int seconds) {
  const auto tone = test_support::tone(1000, 32767 * std::pow(10, dbfs / 20),
                                       static_cast<std::size_t>(seconds) * kSecond);
  std::vector<std::int16_t> all, part;
  std::vector<float> frame(2 * kFrame_samples);
  for (std::size_t at = 0; at + kFrame_samples <= tone.size(); at += kFrame_samples) {
    for (std::size_t i = 0; i < frame.size(); ++i) {
      frame[i] = static_cast<float>(tone[at + i / 2]) / 32768;
    }
    loudness.play(frame, part);
    for (std::size_t i = 0; i < part.size(); i += 2) all.push_back(part[i]);
  }
  return all;
}
double lufs_of(std::span<const std::int16_t> sound) {
  return test_support::tone_dbfs(sound, 1000) + kToneAtFullScale_lufs;
}

TEST(PieceLoudness, WhatIsFollowedComesToItsLoudnessADecibelASecond) {
  for (const double dbfs : {-33.0, -10.0}) {
    PieceLoudness loudness(-23);
    loudness.follow(std::nullopt);
    const auto all = played(loudness, dbfs, 30);
    const auto second = [&](int n) {
      return std::span(all).subspan(static_cast<std::size_t>(n) * kSecond, kSecond);
    };
    EXPECT_NEAR(lufs_of(second(1)), dbfs + kToneAtFullScale_lufs - 7, 0.3) << "as most streams";
    EXPECT_NEAR(lufs_of(second(29)), -23, 0.5) << dbfs;
    for (int n = 1; n < 30; ++n) {
      EXPECT_LT(std::abs(lufs_of(second(n)) - lufs_of(second(n - 1))), 1.1) << n;
    }
  }
}

TEST(PieceLoudness, WhatItsTagsSayIsWhereItBegins) {
  PieceLoudness loudness(-23);
  loudness.follow(-10.0);
  EXPECT_NEAR(lufs_of(played(loudness, -10, 2)), -23, 0.3);
}

// ITU-R BS.1770 adds the powers of both channels; of one alone there is half as much, and the
// highest peak of both counts.
TEST(PieceLoudness, BothChannelsAreMeasured) {
  for (const unsigned which : {0U, 1U}) {
    PieceLoudness loudness(-23);
    const auto tone = test_support::tone(1000, 32767 * std::pow(10, -30 / 20.0), 5 * kSecond);
    std::vector<float> one(2 * tone.size());
    for (std::size_t i = 0; i < tone.size(); ++i) {
      one[2 * i + which] = static_cast<float>(tone[i]) / 32768;
    }
    loudness.measure(one);
    loudness.settle();
    EXPECT_NEAR(loudness.gain_db(), -23 + 3 - (-30 + kToneAtFullScale_lufs), 0.2) << which;
    one[which] = 0.5F;
    loudness.measure(one);
    loudness.settle();
    EXPECT_NEAR(loudness.gain_db(), 5.0, 0.2) << "it would not fit";
  }
}

// Law: a frame of its tenth hour costs what one of its first minute does.
TEST(PieceLoudness, AStreamOfManyHoursIsMeasuredInTheSameMemoryAndAskedForOnceASecond) {
  if (!test_support::kCountsAllocations) GTEST_SKIP() << "malloc is the sanitizer's";
  PieceLoudness loudness(-23);
  loudness.follow(std::nullopt);
  std::vector<float> second(2 * kSecond);
  std::vector<std::int16_t> out;
  std::mt19937 random(1);
  for (float& sample : second) sample = static_cast<float>(random() % 2000) / 32768;
  const auto minute = [&] {
    questions = 0;
    test_support::count_allocations();
    for (int i = 0; i < 60 * 50; ++i) {
      const auto frame = std::span(second).subspan(i % 50 * 2 * kFrame_samples, 2 * kFrame_samples);
      loudness.play(frame, out);
    }
    return test_support::allocations_counted();
  };
  minute();
  EXPECT_LE(questions, 60);
  for (int i = 1; i < 20; ++i) {
    EXPECT_EQ(minute(), 0U) << "minute " << i;
    EXPECT_EQ(questions, 60) << "minute " << i;
  }
}

// What is kept of it is counted in tenths of a LU.
TEST(PieceLoudness, IsThatOfEachBlockByItselfToATenth) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 5; ++round) {
    ebur128_state* exact = ebur128_init(2, kSampleRate_hz, EBUR128_MODE_I);
    PieceLoudness loudness(-23);
    for (int part = 0; part < 60; ++part) {
      const double dbfs = -20 - static_cast<double>(random() % 300) / 10;
      const auto tone =
          test_support::tone(200 + random() % 2000, 32767 * std::pow(10, dbfs / 20), kSecond / 2);
      std::vector<float> both(2 * tone.size());
      for (std::size_t i = 0; i < both.size(); ++i) {
        both[i] = static_cast<float>(tone[i / 2]) / 32768;
      }
      ebur128_add_frames_float(exact, both.data(), tone.size());
      loudness.measure(both);
    }
    loudness.settle();
    double lufs = 0;
    EXPECT_EQ(ebur128_loudness_global(exact, &lufs), EBUR128_SUCCESS);
    EXPECT_NEAR(loudness.gain_db(), -23 + 3.01 - lufs, 0.1);
    ebur128_destroy(&exact);
  }
}

TEST(PieceLoudness, SilenceIsNotRaised) {
  PieceLoudness loudness(-23);
  loudness.follow(std::nullopt);
  const double before = loudness.gain_db();
  played(loudness, -200, 10);
  EXPECT_EQ(loudness.gain_db(), before);
}

TEST(PieceLoudness, TagsMayNotAskForAnything) {
  for (const double gain : {1e9, -1e9, std::numeric_limits<double>::infinity()}) {
    PieceLoudness loudness(-23);
    loudness.follow(gain);
    EXPECT_LE(std::abs(loudness.gain_db()), 40) << gain;
  }
}

}  // namespace
}  // namespace media::gst
