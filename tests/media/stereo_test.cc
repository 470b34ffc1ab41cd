// What is played in stereo is heard so by who likes it (RFC 7587 §6.1, stereo), and costs where it
// is heard only.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/media/room_fixture.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using test_support::Samples;
using test_support::tone_dbfs;

constexpr double kLoud = 6000;
constexpr double kLoud_dbfs = -14.7;

bool is_stereo(std::span<const std::uint8_t> packet) {  // RFC 6716 §3.1, s
  return (packet[0] & 4) != 0;
}
Samples channel(const Samples& interleaved, std::size_t which) {
  Samples one;
  for (std::size_t i = which; i < interleaved.size(); i += 2) one.push_back(interleaved[i]);
  return one;
}

// Music of 440 Hz on the left and 610 Hz on the right.
struct MusicRoom : TestRoom {
  explicit MusicRoom(std::size_t callers) : TestRoom(callers) { mixer.add(music); }
  ~MusicRoom() { mixer.remove(music); }
  void play(std::size_t count, bool stereo = true) {
    music.set_channels(stereo ? 2 : 1);
    for (std::size_t i = 0; i < count; ++i, played += kFrame_samples) {
      const Samples left = test_support::tone(440, kLoud, kFrame_samples, played);
      const Samples right = test_support::tone(610, kLoud, kFrame_samples, played);
      Samples both;
      for (std::size_t k = 0; k < kFrame_samples; ++k) {
        if (stereo) both.push_back(left[k]);
        both.push_back(right[k]);
      }
      music.write(both);
      tick();
    }
  }
  PlaySource music;
  std::size_t played = 0;
};

TEST(Stereo, EachChannelIsHeardOnItsSideAndInMonoBoth) {
  MusicRoom room(1);
  Caller& liking = room.add({.stereo = true});
  liking.receiver = test_support::OpusReceiver(2);
  room.listening = true;
  room.play(150);
  const auto last = [](const Samples& heard) { return Samples(heard.end() - 48000, heard.end()); };
  const Samples left = last(channel(liking.heard, 0)), right = last(channel(liking.heard, 1));
  EXPECT_NEAR(tone_dbfs(left, 440), kLoud_dbfs, 1.5);
  EXPECT_NEAR(tone_dbfs(right, 610), kLoud_dbfs, 1.5);
  EXPECT_LT(tone_dbfs(left, 610), kLoud_dbfs - 30);
  EXPECT_LT(tone_dbfs(right, 440), kLoud_dbfs - 30);
  for (const double hz : {440.0, 610.0}) {
    EXPECT_NEAR(tone_dbfs(last(room[0].heard), hz), kLoud_dbfs - 6, 1.5) << hz;
  }
}

// Until something stereo is played, who likes it listens with the others; and again two seconds
// after it was.
TEST(Stereo, CostsAnEncodeWhileItIsHeard) {
  MusicRoom room(2);
  room.add({.stereo = true});
  room.add({.stereo = true});
  room.play(50, false);
  EXPECT_EQ(room.mixer.counters().encodes, 1U);
  EXPECT_FALSE(is_stereo(room[3].payload));
  room.play(3);  // one frame is kept back
  EXPECT_EQ(room.mixer.counters().encodes, 2U);
  EXPECT_TRUE(is_stereo(room[2].payload));
  EXPECT_EQ(room[2].stream, room[3].stream);
  EXPECT_FALSE(is_stereo(room[0].payload));
  room.run(60);
  EXPECT_TRUE(is_stereo(room[2].payload)) << "the next piece may follow";
  room.run(100);
  EXPECT_EQ(room.mixer.counters().encodes, 1U);
  EXPECT_FALSE(is_stereo(room[2].payload));
  EXPECT_EQ(room[2].stream, room[0].stream);
}

TEST(Stereo, IsNothingToARoomThatDoesNotLikeIt) {
  MusicRoom room(3);
  MusicRoom mono(3);
  for (std::size_t t = 0; t < 100; ++t) {
    room.play(1);
    const Samples middle = [&] {
      const Samples left = test_support::tone(440, kLoud, kFrame_samples, mono.played);
      Samples both = test_support::tone(610, kLoud, kFrame_samples, mono.played);
      for (std::size_t k = 0; k < both.size(); ++k) {
        both[k] = static_cast<std::int16_t>((both[k] + left[k]) >> 1);
      }
      return both;
    }();
    mono.played += kFrame_samples;
    mono.music.write(middle);
    mono.tick();
    ASSERT_EQ(room.mixer.counters().encodes, 1U);
    ASSERT_TRUE(std::ranges::equal(room[0].payload, mono[0].payload)) << t;
  }
}

// Little is coded better in one channel than in two.
TEST(Stereo, NeedsItsBitrate) {
  MusicRoom room(0);
  room.add({.max_bitrate_bps = 16000, .stereo = true});
  room.add({.max_bitrate_bps = 24000, .stereo = true});
  room.play(20);
  EXPECT_FALSE(is_stereo(room[0].payload));
  EXPECT_TRUE(is_stereo(room[1].payload));
}

// minus + own == total, whatever is played; the side has nobody's voice in it, so that the own one
// is in neither channel before the encoder.
TEST(Stereo, TheOwnVoiceIsInNeitherChannel) {
  MusicRoom room(1);
  Caller& liking = room.add({.stereo = true});
  liking.receiver = test_support::OpusReceiver(2);
  room[0].tone_hz = 1500;
  liking.tone_hz = 970;
  room[0].amplitude = liking.amplitude = kLoud;
  PlaySource alone;
  alone.set_channels(2);
  alone.set_urgent(true);
  room.music.set_urgent(true);
  room.listening = true;
  for (int t = 0; t < 150; ++t) {
    const std::size_t at = room.played;
    Samples both;
    const Samples left = test_support::tone(440, kLoud, kFrame_samples, at);
    const Samples right = test_support::tone(610, kLoud, kFrame_samples, at);
    for (std::size_t k = 0; k < kFrame_samples; ++k) {
      both.push_back(left[k]);
      both.push_back(right[k]);
    }
    alone.write(both);
    room.play(1);
    PlayedFrame played;
    if (!alone.read(played)) continue;
    ASSERT_NE(room.mixer.side(), nullptr);
    for (int i = 0; i < kFrame_samples; ++i) {
      ASSERT_EQ((*room.mixer.side())[i], played.side[i]);
      std::int32_t said = 0;
      for (std::size_t k = 0; k < 2; ++k) {
        if (const Frame* own = room.mixer.own(*room[k].leg)) said += (*own)[i];
      }
      ASSERT_EQ(room.mixer.total()[i], said + played.mid[i]);
    }
  }
  ASSERT_TRUE(is_stereo(liking.payload));
  for (const std::size_t which : {0U, 1U}) {
    const Samples heard = channel(liking.heard, which);
    EXPECT_NEAR(tone_dbfs(last_second(heard), 1500), kLoud_dbfs, 1.5);
    EXPECT_LT(tone_dbfs(last_second(heard), 970), kLoud_dbfs - 45);
  }
}

}  // namespace
}  // namespace media
