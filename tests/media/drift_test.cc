// A clock that is off, for hours: what a leg says is neither lost nor older, and does not click.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <string>

#include "tests/media/endless_speech.h"
#include "tests/media/voice_line.h"
#include "tests/support/audio.h"
#include "tests/support/opus_codec.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using namespace std::chrono_literals;
using test_support::Samples;

// An hour without a pause, and a clock that is off: the delay stays where it was, every packet is
// heard, and what is inserted or removed is what the clocks differ by.
struct Clock {
  double ppm;
  bool stamped, passed_over = false;
};
class Drift : public ::testing::TestWithParam<Clock> {};

TEST_P(Drift, NothingIsLostAndTheDelayNeverCreeps) {
  const auto [ppm, stamped, passed_over] = GetParam();
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  VoiceLine line(seed, {.delay = kNetwork, .jitter = 5ms}, endless_speech, ppm);
  line.stamped = stamped;
  line.passed_over = passed_over;
  Frame frame;
  const int ticks = 3600 * kSecond;
  double oldest = 0, youngest = 1000;
  for (int t = 0; t < ticks; ++t) {
    line.tick(frame);
    if (t < 30 * kSecond) continue;
    oldest = std::max(oldest, line.age().count());
    youngest = std::min(youngest, line.age().count());
  }
  EXPECT_LE(oldest, most_age_ms(960, 5ms));
  EXPECT_GE(youngest, 20 + static_cast<double>(kNetwork.count()));
  EXPECT_LE(line.voice.playout().late(), line.arrived / 1000);
  if (passed_over) return expect_heard_from_now_on(line, kSecond);
  EXPECT_GE(line.decoded + 6, line.arrived);
  EXPECT_NEAR(static_cast<double>(line.voice.shortened_samples()) / 48000, 3600 * ppm / 1e6, 0.1);
}
INSTANTIATE_TEST_SUITE_P(LegVoice, Drift,
                         ::testing::Values(Clock{-500, false}, Clock{500, false}, Clock{-500, true},
                                           Clock{500, true}, Clock{-500, true, true},
                                           Clock{500, true, true}));

// Three hours later the sound is no older than in the second minute.
class Hours : public ::testing::TestWithParam<Clock> {};

TEST_P(Hours, MakeTheSoundNoOlder) {
  const auto [ppm, stamped, passed_over] = GetParam();
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  VoiceLine line(seed, {.delay = kNetwork, .jitter = 5ms}, endless_speech, ppm);
  line.stamped = stamped;
  line.passed_over = passed_over;
  Frame frame;
  constexpr int kMinute = 60 * kSecond;
  const auto minute_ms = [&] {
    double sum_ms = 0;
    for (int t = 0; t < kMinute; ++t) {
      line.tick(frame);
      sum_ms += line.age().count();
    }
    return sum_ms / kMinute;
  };
  minute_ms();
  const double second_ms = minute_ms();
  for (int minute = 3; minute < 180; ++minute) minute_ms();
  const double last_ms = minute_ms();
  // Where no clock pushes it stays as it was left: within a period of the voice.
  EXPECT_NEAR(last_ms, second_ms, ppm == 0 ? 1000.0 / EndlessSpeech::kPitch_hz : 5);
}
INSTANTIATE_TEST_SUITE_P(LegVoice, Hours,
                         ::testing::Values(Clock{0, true}, Clock{-200, true}, Clock{200, true},
                                           Clock{0, true, true}, Clock{-200, true, true},
                                           Clock{200, true, true}, Clock{-500, true, true},
                                           Clock{500, true, true}));

// Each 40 ms of a tone less the tone that is in it, at worst.
double worst_residue_db(const Samples& heard, double frequency_hz) {
  constexpr std::size_t kWindow = 1920;
  double worst = -200;
  for (std::size_t at = 0; at + kWindow <= heard.size(); at += kWindow / 2) {
    const auto window = std::span(heard).subspan(at, kWindow);
    const double omega = 2 * std::numbers::pi * frequency_hz / 48000;
    double c = 0, s = 0, power = 0;
    for (std::size_t i = 0; i < kWindow; ++i) {
      c += window[i] * std::cos(omega * static_cast<double>(i));
      s += window[i] * std::sin(omega * static_cast<double>(i));
      power += static_cast<double>(window[i]) * window[i];
    }
    const double tone = 2 * (c * c + s * s) / kWindow;
    worst = std::max(worst, 10 * std::log10(std::max(1.0, power - tone) / (tone + 1)));
  }
  return worst;
}

Samples tone_over(double frequency_hz, const Clock& clock, unsigned seed) {
  test_support::OpusSender sender(64000, 1, OPUS_APPLICATION_AUDIO);
  opus_encoder_ctl(sender.get(), OPUS_SET_COMPLEXITY(0));
  const auto payload = [&](std::uint64_t first, int samples) {
    return sender.encode(
        test_support::tone(frequency_hz, 8000, static_cast<std::size_t>(samples), first));
  };
  VoiceLine line(seed, {.delay = kNetwork, .jitter = 5ms}, payload, clock.ppm);
  line.stamped = clock.stamped;
  Samples heard;
  Frame frame;
  for (int t = 0; t < 100 * kSecond; ++t) {
    line.tick(frame);
    if (t >= kSecond) heard.insert(heard.end(), frame.begin(), frame.end());
  }
  return heard;
}

// No silence is ever there to take from or to add to: a tone, and a clock that is off. Nothing
// clicks: what is not the tone is what the codec makes of it. (To drop or to conceal 20 ms costs
// 0 dB at 1 kHz, which has twenty periods in it; 25 dB at 314 Hz.)
class DriftOfATone : public ::testing::TestWithParam<Clock> {};

TEST_P(DriftOfATone, HasNoClickAndNoGap) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (const double frequency_hz : {1000.0, 997.0, 313.7}) {
    const Samples steady = tone_over(frequency_hz, {0, GetParam().stamped}, seed);
    const double residue_db = worst_residue_db(steady, frequency_hz);
    EXPECT_LT(residue_db, -20);
    EXPECT_LT(worst_residue_db(tone_over(frequency_hz, GetParam(), seed), frequency_hz),
              residue_db + 2)
        << frequency_hz;
  }
}
INSTANTIATE_TEST_SUITE_P(LegVoice, DriftOfATone,
                         ::testing::Values(Clock{-500, false}, Clock{500, false}, Clock{-500, true},
                                           Clock{500, true}));

// A network that loses nothing, and ticks that are late: where it is known when packets came, how
// the times of the ticks lie to theirs makes no difference, and nothing is ever missing.
struct Clean {
  double clock_ppm;
  int jitter_ms, ptime_samples;
};
class CleanNetwork : public ::testing::TestWithParam<Clean> {};

TEST_P(CleanNetwork, TenMinutesAreWithoutAConcealment) {
  const auto [clock_ppm, jitter_ms, ptime_samples] = GetParam();
  const std::chrono::milliseconds jitter(jitter_ms);
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  VoiceLine line(seed,
                 {.delay = kNetwork + std::chrono::microseconds(seed % 20000), .jitter = jitter},
                 endless_speech, clock_ppm);
  line.ptime_samples = ptime_samples;
  line.stamped = true;
  line.most_late = 15ms;
  Frame frame;
  for (int t = 0; t < 5 * kSecond; ++t) line.tick(frame);  // the jitter is new to it
  const auto concealed = line.voice.concealed_samples();
  double oldest = 0;
  for (int t = 0; t < 600 * kSecond; ++t) {
    line.tick(frame);
    oldest = std::max(oldest, line.age().count());
  }
  EXPECT_EQ(line.voice.concealed_samples(), concealed);
  EXPECT_LE(oldest, most_age_ms(ptime_samples, jitter) + 40);
}
INSTANTIATE_TEST_SUITE_P(LegVoice, CleanNetwork,
                         ::testing::Values(Clean{0, 5, 960}, Clean{-500, 5, 960},
                                           Clean{500, 5, 960}, Clean{-50, 1, 480},
                                           Clean{-500, 30, 960}, Clean{100, 30, 2880}));

}  // namespace
}  // namespace media
