#include "media/frame_packer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "media/encoder_bank.h"
#include "media/playout_buffer.h"
#include "tests/support/audio.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using test_support::Samples;
using Bytes = std::vector<std::uint8_t>;

// 20 ms of speech each.
std::vector<Bytes> frames_of_speech(std::size_t count, const EncoderSettings& settings = {}) {
  const Samples voice = test_support::speech(110, count * kFrame_samples);
  MixEncoder encoder;
  encoder.start(settings);
  std::vector<Bytes> frames;
  for (std::size_t t = 0; t < count; ++t) {
    Sum sum;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = voice[t * kFrame_samples + i];
    const auto frame = encoder.encode(sum);
    frames.emplace_back(frame.begin(), frame.end());
  }
  return frames;
}

TEST(FramePacker, AsManyFramesAsWishedAreOnePacket) {
  const auto frames = frames_of_speech(60);
  for (const std::size_t wished : {1U, 2U, 3U}) {
    FramePacker packer(wished);
    std::size_t full = 0, bytes = 0, plain = 0;
    for (std::size_t t = 0; t < frames.size(); ++t) {
      const auto packet = packer.put(frames[t], static_cast<std::uint32_t>(t) * 960);
      plain += frames[t].size();
      if (!packet) continue;
      bytes += packet->payload.size();
      if (opus_packet_samples(packet->payload) == static_cast<int>(wished) * 960) ++full;
    }
    EXPECT_GE(full, 60 / wished * 9 / 10) << "but where the mode changes";
    EXPECT_LE(bytes, plain + full * 6);
  }
}

TEST(FramePacker, ThePacketsTimestampIsItsFirstFrames) {
  const auto frames = frames_of_speech(3);
  FramePacker packer(3);
  EXPECT_FALSE(packer.put(frames[0], 4000));
  EXPECT_FALSE(packer.put(frames[1], 4960));
  const auto packet = packer.put(frames[2], 5920);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->timestamp, 4000U);
}

TEST(FramePacker, APauseEndsThePacket) {
  const auto frames = frames_of_speech(4);
  FramePacker packer(3);
  EXPECT_FALSE(packer.put({}, 0));
  EXPECT_FALSE(packer.put(frames[0], 960));
  const auto packet = packer.put({}, 1920);
  ASSERT_TRUE(packet);
  EXPECT_EQ(Bytes(packet->payload.begin(), packet->payload.end()), frames[0]);
  EXPECT_FALSE(packer.put({}, 2880));
}

TEST(FramePacker, TimeThatWasLeftOutEndsThePacket) {
  const auto frames = frames_of_speech(4);
  FramePacker packer(2);
  EXPECT_FALSE(packer.put(frames[0], 0));
  const auto first = packer.put(frames[1], 9600);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->timestamp, 0U);
  const auto second = packer.put(frames[2], 10560);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->timestamp, 9600U);
  EXPECT_EQ(opus_packet_samples(second->payload), 1920);
}

TEST(FramePacker, WhatIsTooLongForAPathIsSentInTwo) {
  const auto frames = frames_of_speech(60, {.bitrate_bps = 510000, .constant_bitrate = true});
  ASSERT_GT(frames[10].size(), FramePacker::kMaxBytes / 2);
  FramePacker packer(3);
  for (std::uint32_t t = 0; t < frames.size(); ++t) {
    const auto packet = packer.put(frames[t], t * 960);
    EXPECT_EQ(packet.has_value(), t > 0);
    if (packet) {
      EXPECT_LE(packet->payload.size(), frames[t].size());
    }
  }
}

// Law: the packets say what the frames say, sample by sample; with pauses, time left out, and a
// bitrate that changes the mode.
TEST(FramePacker, ADecoderHearsTheSame) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<std::vector<Bytes>> streams{frames_of_speech(200),
                                                frames_of_speech(200, {.bitrate_bps = 12000}),
                                                frames_of_speech(200, {.bitrate_bps = 96000})};
  for (int round = 0; round < 4; ++round) {
    FramePacker packer(3);
    test_support::OpusReceiver of_frames, of_packets;
    Samples expected, heard;
    std::uint32_t timestamp = static_cast<std::uint32_t>(random()), next = timestamp;
    const auto take = [&](const std::optional<FramePacker::Packet>& packet) {
      if (!packet) return;
      EXPECT_GE(static_cast<std::int32_t>(packet->timestamp - next), 0) << "in order";
      next = packet->timestamp + static_cast<std::uint32_t>(*opus_packet_samples(packet->payload));
      const Samples samples = of_packets.decode(packet->payload);
      heard.insert(heard.end(), samples.begin(), samples.end());
    };
    std::size_t stream = 0;
    for (std::size_t t = 0; t < 200; ++t, timestamp += 960) {
      if (random() % 25 == 0) packer.set_frames(1 + random() % 3);
      if (random() % 20 == 0) stream = random() % streams.size();
      if (random() % 15 == 0) timestamp += 960 * (random() % 100);
      if (random() % 10 == 0) {
        take(packer.put({}, timestamp));
        continue;
      }
      const Bytes& frame = streams[stream][t];
      const Samples samples = of_frames.decode(frame);
      expected.insert(expected.end(), samples.begin(), samples.end());
      take(packer.put(frame, timestamp));
    }
    take(packer.put({}, timestamp));
    EXPECT_EQ(heard, expected);
  }
}

}  // namespace
}  // namespace media
