// What listeners would like to be sent (RFC 7587 §6.1) and what it costs the others: nothing.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "media/listener_loss.h"
#include "tests/media/room_fixture.h"

namespace media {
namespace {

using test_support::Samples;

// White noise needs every bit and every hertz there is.
void speak_noise(Caller& caller, std::mt19937& random) {
  Samples noise(kFrame_samples);
  for (auto& sample : noise) sample = static_cast<std::int16_t>(random() % 16384);
  caller.send(caller.sender.encode(noise), caller.spec.rtp.opus_payload_type);
}

struct Sent {
  std::set<std::size_t> sizes;
  std::set<int> bandwidths;
  unsigned encodes = 0;
};

// What each caller is sent while the first one makes noise, once all has settled.
std::vector<Sent> sent_in(TestRoom& room) {
  std::mt19937 random(7);
  std::vector<Sent> sent(room.callers.size());
  for (int t = 0; t < 60; ++t) {
    speak_noise(room[0], random);
    room.tick();
    if (t < 20) continue;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const auto payload = room[i].stream->payload();
      sent[i].sizes.insert(payload.size());
      sent[i].bandwidths.insert(opus_packet_get_bandwidth(payload.data()));
      sent[i].encodes = room.mixer.counters().encodes;
    }
  }
  return sent;
}

std::set<std::size_t> constant(std::int32_t bitrate_bps) {
  return {static_cast<std::size_t>(bitrate_bps / 8 / 50)};
}

TEST(ListenerWishes, ANarrowLineIsNobodyElses) {
  for (const std::uint32_t full : {24000U, 32000U, 64000U}) {
    TestRoom room(3, {.max_bitrate_bps = full, .constant_bitrate = true});
    room.add({.max_bitrate_bps = full * 3 / 4, .constant_bitrate = true});
    room.add({.max_bitrate_bps = full / 2, .constant_bitrate = true});
    const auto sent = sent_in(room);
    EXPECT_EQ(sent[1].sizes, constant(static_cast<std::int32_t>(full)));
    EXPECT_EQ(sent[2].sizes, constant(static_cast<std::int32_t>(full)));
    EXPECT_EQ(sent[4].sizes, constant(static_cast<std::int32_t>(full / 2)));
    EXPECT_EQ(sent[3].sizes, constant(static_cast<std::int32_t>(full * 3 / 4)));
    EXPECT_EQ(sent[0].encodes, 4U) << "the noise, and three classes who hear it";
  }
}

// More wishes than classes: nobody is sent more than he takes.
TEST(ListenerWishes, OfManyNarrowLinesTheNearestGoTogether) {
  TestRoom room(3, {.constant_bitrate = true});
  const std::vector<std::uint32_t> narrow{10000, 11000, 16000, 17000, 24000, 25000};
  for (const std::uint32_t bitrate_bps : narrow) {
    room.add({.max_bitrate_bps = bitrate_bps, .constant_bitrate = true});
  }
  const auto sent = sent_in(room);
  EXPECT_EQ(sent[1].sizes, constant(32000));
  EXPECT_EQ(sent[0].encodes, 5U) << "the noise, and four classes";
  for (std::size_t i = 0; i < narrow.size(); ++i) {
    EXPECT_LE(*sent[3 + i].sizes.rbegin(), narrow[i] / 8 / 50);
  }
}

// RFC 3550 §6.4.1: what his receiver reports, not what he promised, decides.
TEST(ListenerWishes, FecIsForWhomItIsLost) {
  TestRoom room(4, {.use_fec = true, .constant_bitrate = true});
  EXPECT_EQ(sent_in(room)[1].encodes, 2U) << "nobody loses anything: no FEC";
  room[1].leg->tell_loss(ListenerLoss::kSome);
  const auto little = sent_in(room);
  EXPECT_EQ(little[1].encodes, 3U);
  EXPECT_EQ(little[1].sizes, constant(32000));
  EXPECT_NE(room[1].stream, room[2].stream);
  room[1].leg->tell_loss(ListenerLoss::kHeavy);
  EXPECT_EQ(sent_in(room)[1].sizes, constant(24000)) << "and less, if it is much";
  EXPECT_EQ(sent_in(room)[2].sizes, constant(32000)) << "nobody else's affair";
  room[1].leg->tell_loss(255);
  EXPECT_EQ(sent_in(room)[1].sizes, constant(24000));
  room[1].leg->tell_loss(0);
  for (int t = 0; t < 40; ++t) room.tick();
  EXPECT_EQ(sent_in(room)[1].encodes, 2U);
  EXPECT_EQ(room[1].stream, room[2].stream);
}

TEST(ListenerWishes, ANarrowLineHasNoRoomForFec) {
  TestRoom room(4, {.max_bitrate_bps = 16000, .use_fec = true, .constant_bitrate = true});
  room[1].leg->tell_loss(ListenerLoss::kHeavy);
  const auto sent = sent_in(room);
  EXPECT_EQ(sent[1].encodes, 2U);
  EXPECT_EQ(sent[1].sizes, constant(16000));
}

TEST(ListenerWishes, WhoseDecoderUsesNoFecIsSentNone) {
  TestRoom room(4, {.constant_bitrate = true});
  room[1].leg->tell_loss(ListenerLoss::kSome);
  EXPECT_EQ(sent_in(room)[1].encodes, 2U);
  room[1].leg->tell_loss(ListenerLoss::kHeavy);
  EXPECT_EQ(sent_in(room)[1].sizes, constant(24000));
}

TEST(ListenerWishes, ThePlanMayChangeWhatALegIsSent) {
  TestRoom room(3, {.constant_bitrate = true});
  MixPlan plan = room.everybody();
  plan.legs[1].max_bitrate_bps = 12000;
  room.set_plan(plan);
  EXPECT_EQ(sent_in(room)[1].sizes, constant(12000));
  EXPECT_EQ(sent_in(room)[2].sizes, constant(32000));
  plan.legs[1].max_bitrate_bps = 0;
  room.set_plan(plan);
  EXPECT_EQ(sent_in(room)[1].sizes, constant(32000));
}

TEST(ListenerWishes, AConstantBitrateNeedsEverybodyToLikeIt) {
  TestRoom room(3, {.constant_bitrate = true});
  EXPECT_EQ(sent_in(room)[1].sizes, constant(32000));
  room.add({});
  const auto sent = sent_in(room);
  EXPECT_GT(sent[1].sizes.size(), 1U);
  EXPECT_EQ(sent[1].encodes, 2U) << "no class of its own";
}

TEST(ListenerWishes, ANarrowSpectrumNeedsEverybodyToBeContentWithIt) {
  TestRoom room(3, {.max_playback_rate_hz = 16000});
  EXPECT_EQ(sent_in(room)[1].bandwidths, std::set<int>{OPUS_BANDWIDTH_WIDEBAND});
  room.add({.max_playback_rate_hz = 8000});
  EXPECT_EQ(sent_in(room)[3].bandwidths, std::set<int>{OPUS_BANDWIDTH_WIDEBAND});
  room.add({});
  const auto sent = sent_in(room);
  EXPECT_EQ(sent[1].bandwidths, std::set<int>{OPUS_BANDWIDTH_FULLBAND});
  EXPECT_EQ(sent[1].encodes, 2U) << "no class of its own";
}

// RFC 7587 §6.1: 8 kHz is narrowband, and so on; in between it is what fits.
TEST(ListenerWishes, EveryPlaybackRateHasItsSpectrum) {
  const std::pair<std::int32_t, int> table[] = {
      {8000, OPUS_BANDWIDTH_NARROWBAND},     {11025, OPUS_BANDWIDTH_NARROWBAND},
      {12000, OPUS_BANDWIDTH_MEDIUMBAND},    {16000, OPUS_BANDWIDTH_WIDEBAND},
      {24000, OPUS_BANDWIDTH_SUPERWIDEBAND}, {44100, OPUS_BANDWIDTH_SUPERWIDEBAND},
      {48000, OPUS_BANDWIDTH_FULLBAND},
  };
  for (const auto& [rate_hz, bandwidth] : table) {
    std::mt19937 random(7);
    MixEncoder encoder;
    encoder.start({.max_rate_hz = rate_hz});
    int seen = 0;
    for (int t = 0; t < 30; ++t) {
      Sum noise;
      for (auto& sample : noise) sample = static_cast<std::int32_t>(random() % 16384);
      seen = opus_packet_get_bandwidth(encoder.encode(noise).data());
    }
    EXPECT_EQ(seen, bandwidth) << rate_hz;
  }
}

}  // namespace
}  // namespace media
