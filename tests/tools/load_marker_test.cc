#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/opus_codec.h"
#include "tests/support/speech.h"
#include "tools/load/ear.h"

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
              std::size_t first_sequence = 65500) {
  test_support::OpusSender sender;
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
  Ear ear(kMarkers, std::nullopt);
  let_hear(ear, with_markers(voice(), 5));
  ASSERT_EQ(ear.heard().size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(ear.heard()[i].marker, 5u);
    EXPECT_EQ(ear.heard()[i].at - TimePoint(), (i * kPeriod_frames + kMarkerAt_frame) * 20ms);
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
