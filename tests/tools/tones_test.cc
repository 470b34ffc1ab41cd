#include "tools/call/tones.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "tools/call/wav.h"

namespace call {
namespace {

std::vector<std::int16_t> sum(const std::vector<std::int16_t>& a,
                              const std::vector<std::int16_t>& b) {
  std::vector<std::int16_t> out(a);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int16_t>(out[i] + b[i]);
  return out;
}

TEST(Tones, AToneHasTheLevelItWasMadeWith) {
  for (const double level : {-3.0, -14.0, -40.0}) {
    EXPECT_NEAR(tone_dbfs(sine(440, level, 5), 440), level, 0.1);
  }
}

TEST(Tones, OtherTonesDoNotLeakIn) {
  const auto both = sum(sine(610, -11, 5), sine(970, -11, 5));
  EXPECT_LT(tone_dbfs(both, 440), -90);
  EXPECT_NEAR(tone_dbfs(both, 610), -11, 0.1);
}

TEST(Tones, TheBestStretchIsWhereAllTonesSound) {
  std::vector<std::int16_t> samples(48000 * 3);
  const auto both = sum(sine(610, -14, 6), sine(970, -14, 6));
  samples.insert(samples.end(), both.begin(), both.end());
  samples.resize(samples.size() + 48000 * 3);
  const std::vector<double> tones{610, 970};
  const auto stretch = best_stretch(samples, tones, 5);
  ASSERT_TRUE(stretch);
  EXPECT_NEAR(tone_dbfs(*stretch, 610), -14, 0.2);
  EXPECT_FALSE(best_stretch(std::span(samples).first(48000), tones, 5));
}

TEST(Tones, EveryGapOfFortyMillisecondsIsFoundAndNoLostPacketOfTwenty) {
  for (std::size_t at = 48000; at < 48480; at += 37) {
    SCOPED_TRACE(at);
    auto samples = sum(sine(610, -14, 3), sine(440, -14, 3));
    const auto without_440 = sine(610, -14, 3);
    const auto take_out = [&](std::size_t from, std::size_t length) {
      std::copy_n(without_440.begin() + static_cast<std::ptrdiff_t>(from), length,
                  samples.begin() + static_cast<std::ptrdiff_t>(from));
    };
    take_out(0, 4800);  // before it begins
    take_out(at - 24000, 960);
    EXPECT_TRUE(gaps(samples, 440, -14).empty());
    take_out(at, 1920);
    const auto found = gaps(samples, 440, -14);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NEAR(found[0].at_s, static_cast<double>(at) / 48000, 0.015);
    EXPECT_NEAR(found[0].seconds, 0.045, 0.015);
    EXPECT_TRUE(gaps(samples, 610, -14).empty());
  }
}

TEST(Wav, WhatWasWrittenIsRead) {
  const support::TempDir folder;
  const auto tone = sine(440, -14, 1.5);
  {
    WavWriter wav(folder / "a.wav");
    wav.write(tone);
    wav.write_silence(100);
  }
  const auto sound = read_wav(folder / "a.wav");
  ASSERT_TRUE(sound);
  EXPECT_EQ(sound->rate_hz, 48000);
  ASSERT_EQ(sound->samples.size(), tone.size() + 100);
  EXPECT_TRUE(std::equal(tone.begin(), tone.end(), sound->samples.begin()));
  EXPECT_EQ(sound->samples.back(), 0);
}

TEST(Wav, EachChannelIsRead) {
  const support::TempDir folder;
  {
    WavWriter wav(folder / "a.wav", 2);
    wav.write(std::vector<std::int16_t>{1, -1, 2, -2});
    wav.write_silence(3);
    EXPECT_EQ(wav.samples(), 5U);
  }
  const std::vector<std::int16_t> left{1, 2, 0, 0, 0}, right{-1, -2, 0, 0, 0};
  EXPECT_EQ(read_wav(folder / "a.wav")->samples, left);
  EXPECT_EQ(read_wav(folder / "a.wav", 1)->samples, right);
  EXPECT_FALSE(read_wav(folder / "a.wav", 2));
}

TEST(Wav, ARecordingUnderWayCanBeRead) {
  const support::TempDir folder;
  WavWriter wav(folder / "a.wav");
  wav.write(sine(440, -14, 2.5));
  const auto sound = read_wav(folder / "a.wav");
  ASSERT_TRUE(sound);
  EXPECT_GE(sound->samples.size(), 48000U);
}

TEST(Wav, OtherFilesAreNone) {
  EXPECT_FALSE(read_wav("/nowhere/a.wav"));
  EXPECT_FALSE(read_wav("/proc/self/cmdline"));
}

}  // namespace
}  // namespace call
