#include "media/leg_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/audio.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using test_support::OpusSender;
using test_support::Samples;

constexpr double kTone_hz = 610;

void take_all(LegDecoder& decoder, Samples& out) {
  while (decoder.buffered_samples() >= kFrame_samples) {
    Frame frame;
    decoder.take(frame);
    out.insert(out.end(), frame.begin(), frame.end());
  }
}

Samples interleave(const Samples& mono, int channels) {
  Samples out;
  for (const auto s : mono) out.insert(out.end(), static_cast<std::size_t>(channels), s);
  return out;
}

struct Shape {
  int samples, channels, bitrate_bps, application;
};

class EveryShape : public ::testing::TestWithParam<Shape> {};

TEST_P(EveryShape, KeepsThePitchAndTheLevelOfATone) {
  const Shape shape = GetParam();
  OpusSender sender(shape.bitrate_bps, shape.channels, shape.application);
  LegDecoder decoder;
  Samples out;
  for (int at = 0; at < 2 * 48000; at += shape.samples) {
    const Samples mono = test_support::tone(kTone_hz, 8000, static_cast<std::size_t>(shape.samples),
                                            static_cast<std::size_t>(at));
    decoder.decode(sender.encode(interleave(mono, shape.channels)), shape.samples);
    take_all(decoder, out);
  }
  ASSERT_GE(out.size(), 48000U * 2 - 2880);
  const auto settled = std::span(out).subspan(48000, 38400);
  EXPECT_NEAR(test_support::tone_amplitude(settled, kTone_hz), 8000, 1200);
  EXPECT_LT(test_support::tone_dbfs(settled, kTone_hz * 2),
            test_support::tone_dbfs(settled, kTone_hz) - 30);
}
INSTANTIATE_TEST_SUITE_P(
    LegDecoder, EveryShape,
    ::testing::Values(
        Shape{480, 1, 32000, OPUS_APPLICATION_VOIP}, Shape{960, 1, 32000, OPUS_APPLICATION_VOIP},
        Shape{1920, 1, 32000, OPUS_APPLICATION_VOIP}, Shape{2880, 1, 32000, OPUS_APPLICATION_VOIP},
        Shape{960, 2, 48000, OPUS_APPLICATION_AUDIO}, Shape{2880, 2, 32000, OPUS_APPLICATION_VOIP},
        Shape{960, 1, 12000, OPUS_APPLICATION_VOIP},   // SILK
        Shape{120, 1, 96000, OPUS_APPLICATION_AUDIO},  // CELT, 2.5 ms
        Shape{240, 2, 96000, OPUS_APPLICATION_AUDIO},
        Shape{960, 1, 64000, OPUS_APPLICATION_RESTRICTED_LOWDELAY}));

TEST(LegDecoder, AnyBytesAreTaken) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  LegDecoder decoder;
  Samples out;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::uint8_t> junk(1 + random() % 1500);
    for (auto& b : junk) b = static_cast<std::uint8_t>(random());
    const int samples = 120 * (1 + static_cast<int>(random() % 48));
    switch (random() % 3) {
      case 0: decoder.decode(junk, samples); break;
      case 1: decoder.recover(junk, samples); break;
      default: decoder.recover({}, samples);
    }
    ASSERT_GT(decoder.buffered_samples(), 0);
    take_all(decoder, out);
    out.clear();
    ASSERT_LT(decoder.buffered_samples(), kFrame_samples);
  }
}

TEST(LegDecoder, ThePacketLengthIsWhatIsDecoded) {
  OpusSender sender;
  LegDecoder decoder;
  decoder.decode(sender.encode(Samples(2880)), 2880);
  EXPECT_EQ(decoder.buffered_samples(), 2880);
}

TEST(LegDecoder, NothingIsConcealedBeforeAnythingWasHeard) {
  LegDecoder decoder;
  decoder.recover({}, kFrame_samples);
  Frame frame;
  decoder.take(frame);
  EXPECT_EQ(frame, Frame{});
}

TEST(LegDecoder, ConcealmentFadesToSilence) {
  OpusSender sender;
  LegDecoder decoder;
  Samples out;
  for (std::size_t i = 0; i < 20; ++i) {
    decoder.decode(sender.encode(test_support::tone(kTone_hz, 8000, 960, i * 960)), 960);
    take_all(decoder, out);
  }
  out.clear();
  for (int i = 0; i < 8; ++i) {
    decoder.recover({}, 960);
    take_all(decoder, out);
  }
  const auto frame = [&out](std::size_t i) { return std::span(out).subspan(i * 960, 960); };
  EXPECT_GT(test_support::rms_dbfs(frame(0)), -25) << "the voice goes on at first";
  EXPECT_LT(test_support::rms_dbfs(frame(4)), test_support::rms_dbfs(frame(1)) - 6);
  for (std::size_t i = LegDecoder::kMaxConcealed_samples; i < out.size(); ++i) ASSERT_EQ(out[i], 0);
}

TEST(LegDecoder, InBandFecIsBetterThanConcealment) {
  const Samples voice = test_support::speech(150, 4 * 48000);
  OpusSender sender(24000);
  opus_encoder_ctl(sender.get(), OPUS_SET_INBAND_FEC(1));
  opus_encoder_ctl(sender.get(), OPUS_SET_PACKET_LOSS_PERC(25));
  opus_encoder_ctl(sender.get(), OPUS_SET_MAX_BANDWIDTH(OPUS_BANDWIDTH_WIDEBAND));
  std::vector<std::vector<std::uint8_t>> packets;
  for (std::size_t at = 0; at + 960 <= voice.size(); at += 960) {
    packets.push_back(sender.encode(std::span(voice).subspan(at, 960)));
  }
  // A packet in eight is lost.
  const auto play = [&packets](bool lose, bool fec) {
    LegDecoder decoder;
    Samples out;
    for (std::size_t i = 0; i + 1 < packets.size(); ++i) {
      if (lose && i % 8 == 5) {
        decoder.recover(
            fec ? std::span<const std::uint8_t>(packets[i + 1]) : std::span<const std::uint8_t>{},
            960);
      } else {
        decoder.decode(packets[i], 960);
      }
      take_all(decoder, out);
    }
    return out;
  };
  const Samples whole = play(false, false);
  const double with = test_support::snr_db(play(true, true), whole);
  const double without = test_support::snr_db(play(true, false), whole);
  EXPECT_GT(with, without + 3) << "FEC " << with << " dB, concealment " << without << " dB";
}

TEST(LegDecoder, ModeAndChannelsMayChangeWithEveryPacket) {
  OpusSender silk(10000), celt(64000, 1, OPUS_APPLICATION_RESTRICTED_LOWDELAY), stereo(48000, 2);
  LegDecoder decoder;
  Samples out;
  for (std::size_t i = 0; i < 150; ++i) {
    const Samples mono = test_support::tone(kTone_hz, 8000, 960, i * 960);
    OpusSender* const senders[] = {&silk, &celt, &stereo};
    decoder.decode(senders[i % 3]->encode(interleave(mono, i % 3 == 2 ? 2 : 1)), 960);
    take_all(decoder, out);
  }
  EXPECT_EQ(out.size(), 150U * 960);
  EXPECT_GT(test_support::tone_dbfs(std::span(out).subspan(48000), kTone_hz), -22);
}

TEST(LegDecoder, ResetForgetsWhatWasSaid) {
  OpusSender sender;
  LegDecoder decoder;
  decoder.decode(sender.encode(test_support::tone(kTone_hz, 8000, 960)), 960);
  decoder.reset();
  EXPECT_EQ(decoder.buffered_samples(), 0);
  decoder.recover({}, 960);
  Frame frame;
  decoder.take(frame);
  EXPECT_EQ(frame, Frame{});
}

TEST(LegDecoderDeathTest, AFrameMustBeThere) {
  LegDecoder decoder;
  Frame frame;
  EXPECT_DEATH(decoder.take(frame), "kFrame_samples");
}

}  // namespace
}  // namespace media
