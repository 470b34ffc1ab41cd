// What a room sounds like: loudness, distortion, gaps, and that nobody hears himself. Seeded; in
// simulated time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <complex>
#include <numbers>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/media/room_fixture.h"
#include "tests/support/network_model.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using namespace std::chrono_literals;
using test_support::OpusSender;
using test_support::Samples;

// What is heard is decoded of what is sent: at this rate the codec adds next to nothing.
const RtpParameters kFine{.max_bitrate_bps = 128000};

// What is not these tones, against them.
double residue(std::span<const std::int16_t> heard, std::span<const double> tones_hz) {
  double tones = 0, all = 0;
  for (const double tone_hz : tones_hz) {
    const double amplitude = test_support::tone_amplitude(heard, tone_hz);
    tones += amplitude * amplitude / 2;
  }
  for (const double s : heard) all += s * s / static_cast<double>(heard.size());
  return std::sqrt(std::max(0.0, all - tones) / tones);
}

// Who is silent hears three, each of them the two others.
TEST(RoomSound, ThreeFullScaleTalkersNeitherWrapNorCrackle) {
  const double tones_hz[] = {440, 610, 970};
  TestRoom room(4, kFine);
  room.listening = true;
  for (std::size_t i = 0; i < 3; ++i) {
    room[i].sender = OpusSender(128000, 1, OPUS_APPLICATION_AUDIO);
    room[i].tone_hz = tones_hz[i];
    room[i].amplitude = 32767;
  }
  room.run(250);
  for (std::size_t i = 0; i < 4; ++i) {
    SCOPED_TRACE(i);
    std::vector<double> others_hz;
    for (std::size_t k = 0; k < 3; ++k) {
      if (k != i) others_hz.push_back(tones_hz[k]);
    }
    const auto heard = last_seconds(room[i].heard, 3);
    EXPECT_LT(residue(heard, others_hz), 0.03);
    EXPECT_GT(test_support::rms_dbfs(heard), -10) << "and are loud";
  }
}

// A sample that wraps has the other sign: where the others are loud, what each is sent has theirs.
TEST(RoomSound, EverybodyWithAFullScaleSquareWaveNeverWraps) {
  constexpr std::size_t kAll = 12;
  constexpr std::size_t kLater = 312;  // OPUS_GET_LOOKAHEAD: what is decoded, than what was encoded
  TestRoom room(kAll, kFine, kAll);
  room.listening = true;
  std::vector<std::int32_t> others[kAll];
  for (std::size_t t = 0; t < 100; ++t) {
    for (std::size_t i = 0; i < kAll; ++i) {
      Samples square(960);
      for (std::size_t k = 0; k < 960; ++k) {
        square[k] = (t * 960 + k) / 48 % 2 == 0 ? 32767 : -32768;
      }
      room[i].send(room[i].sender.encode(square), 111, std::nullopt,
                   static_cast<std::uint32_t>(1 + t * 960));
    }
    room.tick();
    for (std::size_t i = 0; i < kAll; ++i) {
      const Frame* own = room.mixer.own(*room[i].leg);
      for (std::size_t k = 0; k < kFrame_samples; ++k) {
        others[i].push_back(room.mixer.total()[k] - (own ? (*own)[k] : 0));
      }
    }
  }
  for (std::size_t i = 0; i < kAll; ++i) {
    const Samples& heard = room[i].heard;
    EXPECT_GT(test_support::rms_dbfs(last_second(heard)), -6);
    const std::int32_t loud = *std::ranges::max_element(others[i]) / 2;
    ASSERT_GT(loud, 2 * 32767);
    for (std::size_t k = 0; k + kLater < heard.size(); ++k) {
      const std::int32_t sum = others[i][k];
      if (std::abs(sum) < loud) continue;
      ASSERT_EQ(sum > 0, heard[k + kLater] > 0)
          << i << " hears " << heard[k + kLater] << " of " << sum;
    }
  }
}

// Random payloads under the agreed type are a noisy participant, and no more than that: in no frame
// of what the others hear is anything missing of what the others say.
TEST(RoomSound, RandomOpusOfOneLeavesNoGapInWhatOthersSay) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const double tones_hz[] = {440, 610, 970};
  constexpr double kAmplitude = 8000, kLevel_dbfs = -12.2;
  TestRoom room(4, kFine);
  room.listening = true;
  for (std::size_t i = 0; i < 3; ++i) {
    room[i].sender = OpusSender(128000, 1, OPUS_APPLICATION_AUDIO);
    room[i].tone_hz = tones_hz[i];
    room[i].amplitude = kAmplitude;
  }
  int noises = 0;
  for (int t = 0; t < 500; ++t) {
    for (unsigned i = 0; i < random() % 4; ++i) {
      std::vector<std::uint8_t> junk(1 + random() % 1500);
      for (auto& b : junk) b = static_cast<std::uint8_t>(random());
      room[3].send(junk, 111, std::nullopt, static_cast<std::uint32_t>(random() % 100000));
      if (random() % 5 == 0) room[3].sequence = static_cast<std::uint16_t>(random());
    }
    room.tick();
    Sum said{};
    for (std::size_t i = 0; i < 4; ++i) {
      ASSERT_TRUE(room[i].header) << "tick " << t;
      const Frame* own = room.mixer.own(*room[i].leg);
      for (std::size_t k = 0; own && k < said.size(); ++k) said[k] += (*own)[k];
      if (i == 3 && own) ++noises;
      if (i == 3 || t < 5) continue;  // the playout's delay
      ASSERT_TRUE(own) << i << " in tick " << t;
      ASSERT_NEAR(test_support::tone_dbfs(*own, tones_hz[i]), kLevel_dbfs, 1) << "tick " << t;
    }
    ASSERT_EQ(room.mixer.total(), said);
  }
  EXPECT_GT(noises, 100) << "it was decoded";
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t k = 0; k < 3; ++k) {
      if (k == i) continue;
      // The noise's peaks bring the limiter down, for all but him who makes it.
      const double level_dbfs =
          test_support::tone_dbfs(last_seconds(room[i].heard, 9), tones_hz[k]);
      EXPECT_NEAR(level_dbfs, kLevel_dbfs, i == 3 ? 0.5 : 6) << k << " as " << i << " hears it";
    }
  }
}

std::uint32_t samples_of(std::chrono::microseconds time) {
  return static_cast<std::uint32_t>(time.count() * 48 / 1000) | 1;
}

// An hour of 1 kHz over a network with jitter, from a clock that may be off: the tone is in each
// frame of the mix, and nothing else, but for a few in which the sound was made longer or shorter.
class AnHour : public ::testing::TestWithParam<double> {};

TEST_P(AnHour, OfAToneHasNoSilenceInIt) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr double kTone_hz = 1000, kAmplitude = 8000;
  TestRoom room(3);
  for (std::size_t i = 0; i < 3; ++i) room.mixer.attach(*room[i].leg, false);
  using Packet = std::pair<std::uint32_t, std::vector<std::uint8_t>>;  // with its timestamp
  test_support::NetworkModel<Packet> network(seed,
                                             {.jitter = 30ms, .in_order = true, .duplicates = 0});
  OpusSender sender(64000, 1, OPUS_APPLICATION_AUDIO);
  opus_encoder_ctl(sender.get(), OPUS_SET_COMPLEXITY(0));
  std::array<std::complex<double>, 48> one;  // of its periods
  for (std::size_t i = 0; i < one.size(); ++i) {
    one[i] = std::polar(1.0, 2 * std::numbers::pi * static_cast<double>(i) / one.size());
  }
  // A packet has whole periods: they go on without a seam, when the encoder has settled.
  std::vector<std::vector<std::uint8_t>> packets;
  for (int i = 0; i < 200; ++i) {
    packets.push_back(sender.encode(test_support::tone(kTone_hz, kAmplitude, 960)));
  }
  packets.erase(packets.begin(), packets.begin() + 100);
  const double samples_per_us = 0.048 * (1 + GetParam() / 1e6);
  std::uint32_t said = 0;
  int other = 0;
  for (int t = 1; t <= 3600 * 50; ++t) {
    const std::chrono::microseconds now = t * kTick;
    for (;;) {
      // Not by the tick: the clock would jump by 20 ms every 40 s.
      const std::chrono::microseconds sent(std::llround((said + 960) / samples_per_us));
      if (sent > now) break;
      network.send(sent, {said + 1, packets[said / 960 % packets.size()]});
      said += 960;
    }
    for (const auto& [came, packet] : network.arrivals(now)) {
      const auto& [timestamp, payload] = packet;
      room[0].send(payload, 111, std::nullopt, timestamp, samples_of(came));
    }
    room.mixer.tick(0, {}, samples_of(now));
    if (t < 250) continue;  // the jitter is new to it
    double sine = 0, cosine = 0, power = 0;
    for (std::size_t i = 0; i < kFrame_samples; ++i) {
      const double s = room.mixer.total()[i];
      sine += s * one[i % one.size()].imag();
      cosine += s * one[i % one.size()].real();
      power += s * s;
    }
    const double amplitude = 2 * std::hypot(sine, cosine) / kFrame_samples;
    const double off_db = 20 * std::log10(amplitude / kAmplitude);
    ASSERT_NEAR(off_db, 0, 6) << "tick " << t;
    const double rest = power / kFrame_samples - amplitude * amplitude / 2;
    if (std::abs(off_db) > 0.5 || rest > power / kFrame_samples * 0.01) ++other;
  }
  EXPECT_LE(other, 5) << "one in thirty-six thousand";
}
INSTANTIATE_TEST_SUITE_P(RoomSound, AnHour, ::testing::Values(-500.0, 0.0, 500.0));

// Frames of a voice, sent one a tick.
struct Talker {
  Talker(Caller& caller, double pitch_hz, std::size_t seconds)
      : caller(caller), voice(test_support::speech(pitch_hz, seconds * 48000)) {}
  void speak() {
    const auto part = std::span(voice).subspan(at, 960);
    caller.send(sender.encode(part), 111, std::nullopt, static_cast<std::uint32_t>(1 + at));
    at += 960;
  }
  Caller& caller;
  OpusSender sender;
  Samples voice;
  std::size_t at = 0;
};

TEST(RoomSound, SpeechKeepsItsLevel) {
  for (const double pitch_hz : {110.0, 210.0}) {
    TestRoom room(3);
    room.listening = true;
    Talker talker(room[0], pitch_hz, 10);
    for (int t = 0; t < 500; ++t) {
      talker.speak();
      room.tick();
    }
    EXPECT_NEAR(test_support::rms_dbfs(room[1].heard), test_support::rms_dbfs(talker.voice), 1);
  }
}

// What one hears while two others speak; he speaks too, or not.
Samples heard_in_conversation(bool speaks, bool fec) {
  TestRoom room(4, {.use_fec = fec});
  Talker one(room[0], 110, 10), two(room[1], 170, 10), three(room[2], 230, 10);
  Samples heard;
  test_support::OpusReceiver receiver;
  for (int t = 0; t < 500; ++t) {
    if (speaks) one.speak();
    two.speak();
    three.speak();
    room.tick();
    const Samples part = receiver.decode(room[0].stream->payload());
    heard.insert(heard.end(), part.begin(), part.end());
  }
  return heard;
}

TEST(RoomSound, WhoSpeaksHearsBitByBitWhatHeWouldHearInSilence) {
  for (const bool fec : {false, true}) {
    const Samples silent = heard_in_conversation(false, fec);
    const Samples speaking = heard_in_conversation(true, fec);
    EXPECT_GT(test_support::rms_dbfs(silent), -45);
    EXPECT_EQ(silent, speaking) << "FEC " << fec;
  }
}

// How much of what was said is in `heard`, `delay` samples later: a gain, by correlation.
double gain_db(const Samples& said, const Samples& heard, std::size_t delay) {
  double product = 0, power = 0;
  for (std::size_t i = 0; i + delay < heard.size(); ++i) {
    product += 1.0 * said[i] * heard[i + delay];
    power += 1.0 * said[i] * said[i];
  }
  return 20 * std::log10(std::abs(product) / power + 1e-9);
}

// One who is loud for two seconds and silent for two, in turn, is moved from the stream that all
// hear to one of his own and back: even then nothing of him returns. He is a chord, which is like
// nothing else that is heard; what would be heard without him is taken away.
TEST(RoomSound, WhoSpeaksNowAndThenIsSixtyDecibelsDownInWhatHeHears) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr std::size_t kSeconds = 10;
  std::mt19937 random(seed);
  Samples said(kSeconds * 48000), he_hears[2], others_hear[2];
  for (int tones = 0; tones < 10; ++tones) {
    const double hz = std::uniform_real_distribution(300.0, 3000.0)(random);
    for (std::size_t i = 0; i < said.size(); ++i) {
      if (i / 96000 % 2 != 0) continue;
      said[i] = static_cast<std::int16_t>(
          said[i] + 1500 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / 48000));
    }
  }
  for (const bool with_him : {false, true}) {
    TestRoom room(4);
    room.listening = true;
    OpusSender sender;
    Talker two(room[1], 170, kSeconds), three(room[2], 230, kSeconds);
    for (std::size_t at = 0; at < said.size(); at += 960) {
      if (with_him && at / 96000 % 2 == 0) {
        room[0].send(sender.encode(std::span(said).subspan(at, 960)), 111, std::nullopt,
                     static_cast<std::uint32_t>(1 + at));
      }
      two.speak();
      three.speak();
      room.tick();
    }
    he_hears[with_him] = room[0].heard;
    others_hear[with_him] = room[3].heard;
  }
  const auto difference = [](const Samples(&heard)[2]) {
    Samples out(heard[0].size());
    std::ranges::transform(heard[1], heard[0], out.begin(), [](int with, int without) {
      return static_cast<std::int16_t>(std::clamp(with - without, -32768, 32767));
    });
    return out;
  };
  const Samples by_him = difference(he_hears), by_others = difference(others_hear);
  std::size_t delay = 0;  // the codec's, twice, and the playout's
  const Samples beginning(by_others.begin(), by_others.begin() + 96000);
  for (std::size_t d = 0; d < 9600; ++d) {
    if (gain_db(said, beginning, d) > gain_db(said, beginning, delay)) delay = d;
  }
  EXPECT_GT(gain_db(said, by_others, delay), -3);
  for (std::size_t d = delay - 24; d <= delay + 24; ++d) {
    EXPECT_LT(gain_db(said, by_him, d), -60) << d << " samples later";
  }
}

}  // namespace
}  // namespace media
