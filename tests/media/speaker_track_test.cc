#include "media/speaker_track.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/ogg_reader.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using test_support::OggOpusFile;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kSecond = 48000;

// A CELT frame of 20 ms that carries its number.
Bytes packet(std::uint8_t number) { return {0xF8, number, 1, 2}; }

// Where each numbered packet is, by the order in the file.
std::vector<std::pair<int, std::uint64_t>> placed(const OggOpusFile& file) {
  std::vector<std::pair<int, std::uint64_t>> out;
  for (const auto& each : file.packets) {
    if (!each.conceals) out.emplace_back(each.bytes[1], each.at_samples);
  }
  return out;
}

struct Track {
  SpeakerTrack track{{.serial = 1, .comments = {}}};
  Bytes bytes{};

  void put(std::uint64_t now, std::uint32_t timestamp, std::uint8_t number,
           std::uint32_t ssrc = 5) {
    track.put(now, ssrc, timestamp, packet(number));
    track.advance(now);
  }
  OggOpusFile finish(std::uint64_t now) {
    track.finish(now);
    return test_support::read_ogg_opus(track.file().pages());
  }
};

// Any packets at any time: the file lasts as long as the recording, at most by what may be early
// longer; and each packet is near the time when it came.
TEST(SpeakerTrackLaws, LastsAsLongAsTheRecordingWhateverIsSent) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    Track track;
    std::uint64_t now = random() % kSecond;
    std::uint32_t timestamp = static_cast<std::uint32_t>(random()), ssrc = 1;
    for (unsigned i = random() % 500; i > 0; --i) {
      const unsigned what = random() % 100;
      now += what < 70   ? 960
             : what < 90 ? 0
             : what < 99 ? random() % 9600
                         : random() % (60 * kSecond);
      timestamp += what < 80   ? 960U
                   : what < 98 ? static_cast<std::uint32_t>(random() % 10000) - 5000U
                               : static_cast<std::uint32_t>(random());
      if (what == 99) ++ssrc;
      Bytes bytes(random() % 60 + 1);
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
      track.track.put(now, ssrc, timestamp, bytes);
      if (random() % 10 == 0) track.track.advance(now);
      ASSERT_LE(track.track.file().samples(), now + SpeakerTrack::kMostEarly_samples + 5760);
    }
    track.track.advance(now);
    ASSERT_GE(track.track.file().samples() + SpeakerTrack::kHeld_samples +
                  OggOpusWriter::kPage_samples + 5760,
              now);
    const std::uint64_t samples = track.finish(now).samples();
    ASSERT_GT(samples + OggOpusWriter::kLeastGap_samples, now);
    ASSERT_LE(samples, std::max<std::uint64_t>(now, OggOpusWriter::kPreSkip_samples) +
                           SpeakerTrack::kMostEarly_samples + 5760);
  }
}

TEST(SpeakerTrack, BeginsWhereHisFirstPacketCame) {
  Track track;
  track.put(3 * kSecond, 1000, 1);
  EXPECT_EQ(placed(track.finish(4 * kSecond)),
            (std::vector<std::pair<int, std::uint64_t>>{{1, 3 * kSecond}}));
}

TEST(SpeakerTrack, PutsPacketsIntoTheirOrderAndEachOnce) {
  Track track;
  track.put(kSecond, 0, 1);
  track.put(kSecond + 960, 1920, 3);
  track.put(kSecond + 1920, 960, 2);
  track.put(kSecond + 1920, 960, 2);
  track.put(kSecond + 2880, 2880, 4);
  const auto order = placed(track.finish(2 * kSecond));
  EXPECT_EQ(order,
            (std::vector<std::pair<int, std::uint64_t>>{
                {1, kSecond}, {2, kSecond + 960}, {3, kSecond + 1920}, {4, kSecond + 2880}}));
}

// DTX (RFC 7587 §3.1.3) and losses look alike: the timestamp says how long nothing was.
TEST(SpeakerTrack, AGapIsAsLongAsTheTimestampSays) {
  Track track;
  track.put(kSecond, 500, 1);
  track.put(kSecond + 960, 500 + 960, 2);
  // 400 ms later by its timestamp, and a little jitter.
  track.put(kSecond + 960 + 19200 + 700, 500 + 960 + 19200, 3);
  const auto order = placed(track.finish(3 * kSecond));
  ASSERT_EQ(order.size(), 3U);
  EXPECT_EQ(order[2].second, kSecond + 960 + 19200);
}

TEST(SpeakerTrack, JitterMovesNothing) {
  Track track;
  std::mt19937 random(test_support::test_seed());
  std::uint64_t came = kSecond;
  for (std::uint32_t i = 0; i < 100; ++i) {
    came = std::max<std::uint64_t>(came, kSecond + i * 960 + random() % 9600);
    track.put(came, i * 960, static_cast<std::uint8_t>(i));
  }
  const auto order = placed(track.finish(10 * kSecond));
  ASSERT_EQ(order.size(), 100U);
  for (std::size_t i = 1; i < order.size(); ++i) {
    EXPECT_EQ(order[i].second - order[i - 1].second, 960U);
  }
}

// 500 ppm are 1.8 s in an hour: whoever pauses now and then loses nothing, and is never off by more
// than may be.
TEST(SpeakerTrack, AClockThatRunsOffIsFollowedInPauses) {
  for (const double ppm : {-500.0, 500.0}) {
    Track track;
    std::uint32_t sent = 0;
    std::vector<std::uint64_t> came;
    for (std::uint64_t i = 0; i < 50 * 600; ++i) {
      if (i % 250 >= 200) continue;  // a second of pause after four
      came.push_back(static_cast<std::uint64_t>(static_cast<double>(i * 960) * (1 + ppm / 1e6)));
      track.put(came.back(), static_cast<std::uint32_t>(i * 960),
                static_cast<std::uint8_t>(sent++ % 251));
    }
    const auto order = placed(track.finish(600 * kSecond));
    ASSERT_EQ(order.size(), sent);
    for (std::size_t i = 0; i < order.size(); ++i) {
      ASSERT_NEAR(static_cast<double>(order[i].second), static_cast<double>(came[i]),
                  SpeakerTrack::kLeastOff_samples + 960);
    }
  }
}

TEST(SpeakerTrack, AnotherSourceOrAJumpGoesOnWhereItCame) {
  Track track;
  track.put(kSecond, 1000, 1);
  track.put(2 * kSecond, 4'000'000'000U, 2);  // the same source, another time
  track.put(3 * kSecond, 77, 3, 6);           // another source
  track.put(4 * kSecond, 77 - 10 * 48000, 4, 6);
  EXPECT_EQ(placed(track.finish(5 * kSecond)),
            (std::vector<std::pair<int, std::uint64_t>>{
                {1, kSecond}, {2, 2 * kSecond}, {3, 3 * kSecond}, {4, 4 * kSecond}}));
}

}  // namespace
}  // namespace media
