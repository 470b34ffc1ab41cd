#include "media/play_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "media/room_mixer.h"
#include "tests/media/room_fixture.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using test_support::Samples;
using test_support::tone_dbfs;

constexpr std::int16_t kLoud = 10000;
// The steepest a fade of one frame may be, on a sound that is level.
constexpr int kFadeStep = kLoud / kFrame_samples + 2;

// Everything a tick would have played, in frames; silence where there was nothing to play.
Samples read_frames(PlaySource& source, int frames) {
  Samples heard;
  for (int i = 0; i < frames; ++i) {
    PlayedFrame frame;
    if (!source.read(frame)) frame.mid.fill(0);
    heard.insert(heard.end(), frame.mid.begin(), frame.mid.end());
  }
  return heard;
}

int largest_step(const Samples& samples) {
  int largest = std::abs(samples.front());
  for (std::size_t i = 1; i < samples.size(); ++i) {
    largest = std::max(largest, std::abs(samples[i] - samples[i - 1]));
  }
  return largest;
}

TEST(PlaySource, PlaysEverySampleOnceAndMakesTheWriterWait) {
  PlaySource source;
  constexpr std::uint32_t kFrames = 500;
  std::atomic<std::size_t> written{0};
  std::thread writer([&] {
    std::vector<std::int16_t> samples(kFrames * kFrame_samples);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::int16_t>(i);
    // In pieces that fit nothing.
    for (std::size_t at = 0; at < samples.size(); at += 1111) {
      const auto piece =
          std::span(samples).subspan(at, std::min<std::size_t>(1111, samples.size() - at));
      ASSERT_TRUE(source.write(piece));
      written += piece.size();
    }
    source.finish();
    EXPECT_TRUE(source.drain());
  });
  PlayedFrame frame;
  std::uint32_t at = 0;
  while (at < kFrames * kFrame_samples) {
    // Nothing is faded as long as there is more.
    if (written < std::min(at + 2 * kFrame_samples, kFrames * kFrame_samples) ||
        !source.read(frame)) {
      std::this_thread::yield();
      continue;
    }
    const bool faded = at == 0 || at == (kFrames - 1) * kFrame_samples;
    for (const std::int16_t sample : frame.mid) {
      ASSERT_TRUE(faded || sample == static_cast<std::int16_t>(at)) << at;
      ++at;
    }
  }
  writer.join();
  EXPECT_FALSE(source.read(frame));
}

TEST(PlaySource, AnInterruptWakesTheWriter) {
  PlaySource source;
  std::atomic<bool> result{true};
  std::thread writer(
      [&] { result = source.write(std::vector<std::int16_t>(PlaySource::kCapacity + 1)); });
  source.interrupt(true);
  writer.join();
  EXPECT_FALSE(result);
  EXPECT_FALSE(source.drain());
  source.interrupt(false);
  source.discard();
  PlayedFrame frame;
  EXPECT_FALSE(source.read(frame)) << "what was written before is not played";
  EXPECT_TRUE(source.drain());
  EXPECT_TRUE(source.write(std::vector<std::int16_t>(PlaySource::kCapacity)));
}

TEST(PlaySource, TheEndIsPlayedToItsLastSample) {
  PlaySource source;
  EXPECT_TRUE(source.write(Samples(1500, kLoud)));
  PlayedFrame frame;
  EXPECT_FALSE(source.read(frame)) << "what follows may be late";
  EXPECT_TRUE(source.write(Samples(500, kLoud)));
  source.finish();
  EXPECT_TRUE(source.read(frame));
  EXPECT_TRUE(source.read(frame));
  EXPECT_EQ(frame.mid[959], kLoud);
  EXPECT_TRUE(source.read(frame));
  EXPECT_GT(frame.mid[78], 0);
  EXPECT_EQ(frame.mid[80], 0);
  EXPECT_FALSE(source.read(frame));
}

TEST(PlaySource, NothingClicksWhenItBeginsEndsOrRunsDry) {
  PlaySource source;
  source.write(Samples(5 * kFrame_samples + 100, kLoud));
  Samples heard = read_frames(source, 8);  // dry, and nobody said that it is the end
  source.write(Samples(4 * kFrame_samples, kLoud));
  source.finish();
  for (const std::int16_t sample : read_frames(source, 6)) heard.push_back(sample);
  EXPECT_LE(largest_step(heard), kFadeStep * 10) << "100 samples are faded, too";
  EXPECT_EQ(std::ranges::max(heard), kLoud);
  EXPECT_EQ(heard.back(), 0);
}

TEST(PlaySource, PausesWithoutAClickAndLosesNothing) {
  PlaySource source;
  source.write(Samples(10 * kFrame_samples, kLoud));
  source.finish();
  Samples heard = read_frames(source, 3);
  source.pause(true);
  const Samples paused = read_frames(source, 4);
  EXPECT_EQ(paused[kFrame_samples], 0);
  heard.insert(heard.end(), paused.begin(), paused.end());
  source.pause(false);
  for (const std::int16_t sample : read_frames(source, 7)) heard.push_back(sample);
  EXPECT_LE(largest_step(heard), kFadeStep);
  EXPECT_EQ(std::ranges::count_if(heard, [](int s) { return s != 0; }) / kFrame_samples, 9);
  EXPECT_TRUE(source.drain());
}

TEST(PlaySource, SkipsWithoutAClick) {
  PlaySource source;
  source.write(Samples(10 * kFrame_samples, kLoud));
  Samples heard = read_frames(source, 3);
  source.discard();
  source.write(Samples(4 * kFrame_samples, -kLoud));
  source.finish();
  for (const std::int16_t sample : read_frames(source, 6)) heard.push_back(sample);
  EXPECT_LE(largest_step(heard), kFadeStep);
  EXPECT_EQ(std::ranges::min(heard), -kLoud);
  EXPECT_EQ(heard[4 * kFrame_samples - 1], 0) << "the old sound ends at once";
}

// Whatever is written: the two channels come out as they went in, to within one; mono has no side.
TEST(PlaySource, StereoIsWhatItWasAndMonoHasNoSide) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  PlaySource source;
  Samples written(2 * 4 * kFrame_samples);
  for (auto& sample : written) sample = static_cast<std::int16_t>(random());
  source.set_channels(2);
  ASSERT_TRUE(source.write(written));
  PlayedFrame frame;
  ASSERT_TRUE(source.read(frame));  // faded
  ASSERT_TRUE(source.read(frame));
  ASSERT_TRUE(frame.stereo);
  for (std::size_t i = 0; i < kFrame_samples; ++i) {
    const std::size_t at = 2 * (kFrame_samples + i);
    ASSERT_NEAR(frame.mid[i] + frame.side[i], written[at], 1) << i;
    ASSERT_NEAR(frame.mid[i] - frame.side[i], written[at + 1], 1) << i;
  }
  source.discard();
  ASSERT_TRUE(source.read(frame));  // faded
  source.set_channels(1);
  ASSERT_TRUE(source.write(Samples(4 * kFrame_samples, kLoud)));
  ASSERT_TRUE(source.read(frame));
  EXPECT_FALSE(frame.stereo);
}

TEST(PlaySource, BothChannelsAreFaded) {
  PlaySource source;
  source.set_channels(2);
  Samples left_only(2 * 3 * kFrame_samples);
  for (std::size_t i = 0; i < left_only.size(); i += 2) left_only[i] = kLoud;
  source.write(left_only);
  source.finish();
  Samples left, right;
  for (int i = 0; i < 3; ++i) {
    PlayedFrame frame;
    ASSERT_TRUE(source.read(frame));
    for (std::size_t k = 0; k < kFrame_samples; ++k) {
      left.push_back(static_cast<std::int16_t>(frame.mid[k] + frame.side[k]));
      right.push_back(static_cast<std::int16_t>(frame.mid[k] - frame.side[k]));
    }
  }
  EXPECT_LE(largest_step(left), kFadeStep);
  EXPECT_EQ(std::ranges::max(left), kLoud);
  EXPECT_EQ(std::ranges::count(right, 0), static_cast<std::ptrdiff_t>(right.size()));
}

class PlayedRoom : public ::testing::Test {
 protected:
  PlayedRoom() { room_.mixer.add(music_); }
  ~PlayedRoom() override { room_.mixer.remove(music_); }
  // The level of the music in the mix, after so many ticks more.
  double after(std::size_t ticks) {
    Samples heard;
    for (std::size_t t = 0; t < ticks; ++t) {
      music_.write(test_support::tone(610, kLoud, kFrame_samples, at_));
      at_ += kFrame_samples;
      room_.tick();
      for (const std::int32_t sample : room_.mixer.total()) {
        heard.push_back(static_cast<std::int16_t>(sample));
      }
    }
    const double level =
        tone_dbfs(std::span(heard).last(std::min(heard.size(), 4UL * kFrame_samples)), 610);
    heard_.insert(heard_.end(), heard.begin(), heard.end());
    return level;
  }

  TestRoom room_{2};
  PlaySource music_;
  Samples heard_;
  std::size_t at_ = 0;
};

TEST_F(PlayedRoom, WhatIsPlayedSinksUnderSpeechAndComesBackAfterASecond) {
  const double alone = after(10);
  EXPECT_NEAR(alone, -10.3, 0.5);
  room_[0].amplitude = 3000;
  EXPECT_NEAR(after(40), alone - 12, 1);
  room_[0].amplitude = 0;
  EXPECT_NEAR(after(25), alone - 12, 1.5) << "between two words it stays where it is";
  EXPECT_NEAR(after(85), alone, 0.5);
}

TEST_F(PlayedRoom, AnUrgentAnnouncementStaysAsLoudAsItIs) {
  music_.set_urgent(true);
  const double alone = after(10);
  room_[0].amplitude = 3000;
  EXPECT_NEAR(after(40), alone, 0.5);
}

TEST_F(PlayedRoom, WhatIsPlayedSinksUnderAnUrgentAnnouncementAndComesBack) {
  const double alone = after(10);
  PlaySource announcement;
  announcement.set_urgent(true);
  room_.mixer.add(announcement);
  EXPECT_NEAR(after(10), alone, 0.5) << "it has said nothing yet";
  for (int tick = 0; tick < 40; ++tick) {
    announcement.write(test_support::tone(970, kLoud, kFrame_samples, at_));
    after(1);
  }
  const auto heard = std::span(heard_).last(4UL * kFrame_samples);
  EXPECT_NEAR(tone_dbfs(heard, 610), alone - 12, 1);
  EXPECT_NEAR(tone_dbfs(heard, 970), alone, 0.5);
  room_.mixer.remove(announcement);
  EXPECT_NEAR(after(85), alone, 0.5);
}

TEST_F(PlayedRoom, WhatIsRemovedIsFaded) {
  after(10);
  room_.mixer.remove(music_);
  const Samples sounding = heard_;
  after(2);
  EXPECT_LE(largest_step(heard_), largest_step(sounding) + kFadeStep);
  EXPECT_NE(heard_[sounding.size() + 100], 0);
  EXPECT_EQ(heard_.back(), 0);
}

}  // namespace
}  // namespace media
