#include <gst/gst.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "media/limiter.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"
#include "tools/load/ear.h"
#include "tools/load/speech.h"

namespace load {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kFrame = media::kFrame_samples;

// Something like a voice, about as loud as the tone.
const std::vector<std::int16_t>& voice() {
  static const auto samples = test_support::speech(140, 4 * 180 * kFrame, 3.1, 12000);
  return samples;
}

std::vector<MarkerDetector::Onset> detect(std::span<const std::int16_t> sound) {
  MarkerDetector detector(kMarkers);
  std::vector<MarkerDetector::Onset> found;
  media::Frame frame;
  for (std::size_t i = 0; (i + 1) * kFrame <= sound.size(); ++i) {
    std::ranges::copy(sound.subspan(i * kFrame, kFrame), frame.begin());
    const auto more = detector.frame(frame, TimePoint() + static_cast<int>(i) * 20ms);
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

TEST(Marker, EachIsToldOncePerPeriodFromTheFrameItBeginsIn) {
  for (std::size_t marker = 0; marker < kMarkers; ++marker) {
    const auto found = detect(with_markers(voice(), marker));
    ASSERT_EQ(found.size(), 4u) << marker_hz(marker);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].marker, marker);
      EXPECT_EQ(found[i].at - TimePoint(), (i * kPeriod_frames + kMarkerAt_frame) * 20ms);
    }
  }
}

TEST(Marker, SpeechAndSilenceHoldNone) {
  EXPECT_TRUE(detect(with_markers(voice(), std::nullopt)).empty());
  EXPECT_TRUE(detect(with_markers({}, std::nullopt)).empty());
}

TEST(Marker, OneThatBeginsLateInAFrameBeginsInThatFrame) {
  auto sound = with_markers({}, 3);
  for (const std::size_t later : {300u, 480u, 700u}) {
    std::vector<std::int16_t> shifted(later);
    shifted.insert(shifted.end(), sound.begin(), sound.end());
    const auto found = detect(shifted);
    ASSERT_EQ(found.size(), 1u) << later;
    EXPECT_EQ(found[0].at - TimePoint(), kMarkerAt_frame * 20ms) << later;
  }
}

// What an ear makes of a sound that was coded as a mixer codes it, each 50th packet being lost.
void let_hear(Ear& ear, std::span<const std::int16_t> sound, std::uint32_t ssrc = 1,
              std::size_t first_sequence = 65500, int bitrate_bps = 32000) {
  test_support::OpusSender sender(bitrate_bps);
  for (std::size_t i = 0; (i + 1) * kFrame <= sound.size(); ++i) {
    const auto payload = sender.encode(sound.subspan(i * kFrame, kFrame));
    if (i % 50 == 20) continue;
    const TimePoint at = TimePoint() + static_cast<int>(i) * 20ms;
    if (i % kPeriod_frames == kMarkerAt_frame) ear.said_own(at);
    media::RtpPacket packet;
    packet.ssrc = ssrc;
    packet.sequence = static_cast<std::uint16_t>(first_sequence + i);
    packet.payload = payload;
    ear.hear(packet, at);
    ear.hear(packet, at);  // a duplicate is not heard
  }
}

TEST(Ear, HearsOthersMarkersThroughTheCodecAndLosses) {
  for (const int bitrate_bps : {16000, 32000}) {
    for (const std::size_t marker : {std::size_t{0}, kMarkers - 1}) {
      Ear ear(kMarkers, std::nullopt);
      let_hear(ear, with_markers(voice(), marker), 1, 65500, bitrate_bps);
      ASSERT_EQ(ear.heard().size(), 4u) << bitrate_bps << ' ' << marker;
      for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(ear.heard()[i].marker, marker);
        EXPECT_EQ(ear.heard()[i].at - TimePoint(), (i * kPeriod_frames + kMarkerAt_frame) * 20ms);
      }
    }
  }
}

// They were told of by up to 80 ms too late or too early, to all at once, where others' speech was
// as loud beside them or before them.
TEST(Ear, HearsMarkersAmidTheSpeechOfTwoOthers) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  gst_init(nullptr, nullptr);  // resamples it
  const auto said = speech("");
  const auto first = with_markers(said, 0), second = with_markers(said, 1),
             third = with_markers(said, 2);
  const std::size_t frames = first.size() / kFrame, periods = frames / kPeriod_frames;
  for (int round = 0; round < 4; ++round) {
    const std::size_t later = random() % frames, last = random() % frames;
    media::Limiter limiter;
    std::vector<std::int16_t> mix(first.size());
    for (std::size_t i = 0; i < frames; ++i) {
      media::Sum sum;
      for (std::size_t k = 0; k < kFrame; ++k) {
        sum[k] = first[i * kFrame + k] + second[(i + later) % frames * kFrame + k] +
                 third[(i + last) % frames * kFrame + k];
      }
      limiter.process(sum, std::span(mix).subspan(i * kFrame).first<kFrame>());
    }
    Ear ear(3, std::nullopt);
    let_hear(ear, mix);
    std::vector<TimePoint> heard;
    for (const auto& onset : ear.heard()) {
      if (onset.marker == 0) heard.push_back(onset.at);
    }
    ASSERT_EQ(heard.size(), periods);
    for (std::size_t i = 0; i < periods; ++i) {
      EXPECT_EQ(heard[i] - TimePoint(), (i * kPeriod_frames + kMarkerAt_frame) * 20ms);
    }
  }
}

TEST(Ear, GoesOnWithTheStreamOfTheNextCall) {
  Ear ear(kMarkers, std::nullopt);
  let_hear(ear, with_markers(voice(), 1), 1, 40000);
  let_hear(ear, with_markers(voice(), 2), 2, 39000);
  EXPECT_EQ(ear.heard().size(), 8u);
}

TEST(Ear, MeasuresHowMuchOfItsOwnComesBack) {
  const auto own = with_markers(voice(), 2);
  Ear echo(kMarkers, 2);
  let_hear(echo, own);
  EXPECT_TRUE(echo.heard().empty()) << "its own is no other's";
  ASSERT_EQ(echo.own_db().size(), 4u);
  for (const double db : echo.own_db()) EXPECT_NEAR(db, 0, 3);

  Ear clean(kMarkers, 2);
  let_hear(clean, with_markers({}, std::nullopt));
  ASSERT_EQ(clean.own_db().size(), 1u);
  EXPECT_LT(clean.own_db()[0], -60);
}

}  // namespace
}  // namespace load
