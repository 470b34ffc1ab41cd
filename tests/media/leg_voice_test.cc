#include "media/leg_voice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "tests/media/voice_line.h"
#include "tests/support/audio.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media {
namespace {

using namespace std::chrono_literals;
using test_support::NetworkConditions;
using test_support::Samples;
using Bytes = std::vector<std::uint8_t>;

constexpr std::chrono::milliseconds kNetwork{20};  // what it always takes
constexpr int kSecond = 50;                        // ticks

// A voice without an end, of which six seconds were encoded once.
Bytes endless_speech(std::uint64_t first, int samples) {
  static std::map<int, std::vector<Bytes>> encoded;
  std::vector<Bytes>& packets = encoded[samples];
  if (packets.empty()) {
    static const Samples voice = test_support::speech(120, 6 * 48000);
    test_support::OpusSender sender;
    const auto size = static_cast<std::size_t>(samples);
    for (std::size_t at = 0; at + size <= voice.size(); at += size) {
      packets.push_back(sender.encode(std::span(voice).subspan(at, size)));
    }
  }
  return packets[first / static_cast<std::uint64_t>(samples) % packets.size()];
}

// How old the sound is on a network that takes kNetwork, with what jitter there is waited for: the
// packet's own length, 20 ms or the jitter, a tick, and half of a period of a voice that the delay
// is off before it is put right.
double most_age_ms(int ptime_samples, std::chrono::milliseconds jitter) {
  const auto wait = std::clamp<std::int64_t>(jitter.count(), 20, 200);
  return ptime_samples / 48.0 + static_cast<double>(kNetwork.count() + wait) + 20 + 20 + 10;
}

struct Jitter {
  int most_ms, ptime_samples;
  bool in_order, stamped = false;
};
class UnderJitter : public ::testing::TestWithParam<Jitter> {};

TEST_P(UnderJitter, LessThanOneInAHundredIsLateAndTheDelayIsNoMoreThanTheJitter) {
  const auto [most_ms, ptime_samples, in_order, stamped] = GetParam();
  const std::chrono::milliseconds jitter(most_ms);
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  VoiceLine line(seed,
                 {.delay = kNetwork + std::chrono::microseconds(seed % 20000),
                  .jitter = jitter,
                  .in_order = in_order,
                  .duplicates = 0.05},
                 endless_speech);
  line.ptime_samples = ptime_samples;
  line.stamped = stamped;
  Frame frame;
  for (int t = 0; t < 15 * kSecond; ++t) line.tick(frame);
  const auto arrived = line.arrived, decoded = line.decoded;
  double oldest = 0;
  for (int t = 0; t < 60 * kSecond; ++t) {
    line.tick(frame);
    oldest = std::max(oldest, line.age().count());
  }
  const auto came = static_cast<double>(line.arrived - arrived);
  // 24: what was waiting at the beginning or at the end.
  EXPECT_GE(static_cast<double>(line.decoded - decoded), 0.99 * (came - 24));
  // In a queue the jitter of one adds to another's.
  EXPECT_LE(oldest, most_age_ms(ptime_samples, jitter) + 20 + (in_order ? 40 : 0));
  EXPECT_LT(line.voice.playout().late(), 0.01 * static_cast<double>(line.arrived) + 24);
}
INSTANTIATE_TEST_SUITE_P(
    LegVoice, UnderJitter,
    ::testing::Values(Jitter{0, 960, false}, Jitter{0, 2880, true}, Jitter{10, 480, false},
                      Jitter{30, 960, true}, Jitter{60, 960, false}, Jitter{100, 1920, false},
                      Jitter{100, 480, true}, Jitter{150, 960, false}, Jitter{200, 960, false},
                      Jitter{200, 2880, true}, Jitter{200, 480, false}, Jitter{0, 960, false, true},
                      Jitter{30, 480, true, true}, Jitter{60, 2880, false, true},
                      Jitter{200, 960, false, true}));

// Whatever happened: twenty seconds later the delay is what it was.
class AfterEverything : public ::testing::TestWithParam<bool> {};  // is known when packets came?

TEST_P(AfterEverything, TheDelayReturns) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const NetworkConditions kind{.delay = kNetwork + std::chrono::microseconds(seed % 20000)};
  bool talking = true;
  VoiceLine line(seed, kind, [&talking](std::uint64_t first, int samples) {
    return talking ? endless_speech(first, samples) : Bytes{};
  });
  line.stamped = GetParam();
  Frame frame;
  const auto run = [&](std::chrono::seconds time) {
    for (std::int64_t t = 0; t < time.count() * kSecond; ++t) {
      line.tick(frame);
      ASSERT_LE(line.voice.playout().delay(), 280ms);
    }
  };
  const auto rough = [&](const NetworkConditions& conditions, std::chrono::seconds time) {
    line.network.set(conditions);
    run(time);
    line.network.set(kind);
  };
  run(5s);
  const double before = line.age().count();
  EXPECT_LE(before, most_age_ms(960, 0ms));
  const std::pair<const char*, std::function<void()>> events[] = {
      {"jitter", [&] { rough({.delay = kNetwork, .jitter = 180ms}, 10s); }},
      {"a queue", [&] { rough({.delay = kNetwork, .jitter = 180ms, .in_order = true}, 10s); }},
      {"more than is waited for", [&] { rough({.delay = kNetwork, .jitter = 500ms}, 10s); }},
      {"a short stall",
       [&] { rough({.in_order = true, .stall_every = 5000ms, .stall = 300ms}, 5s); }},
      {"a stall of two seconds",
       [&] { rough({.in_order = true, .stall_every = 5000ms, .stall = 2000ms}, 5s); }},
      {"600 ms of loss", [&] { rough({.burst = 0.02, .burst_packets = 30}, 10s); }},
      {"loss and reordering", [&] { rough({.loss = 0.2, .reordered = 0.2}, 10s); }},
      {"a longer way", [&] { rough({.delay = kNetwork + 150ms}, 10s); }},
      {"a pause",
       [&] {
         talking = false;
         run(60s);
         talking = true;
       }},
      {"a short pause",
       [&] {
         talking = false;
         run(1s);
         talking = true;
       }},
      {"another source", [&] { line.ssrc += 1; }},
      {"longer packets",
       [&] {
         for (const int samples : {480, 1920, 2880, 960}) {
           line.ptime_samples = samples;
           run(3s);
         }
       }},
  };
  for (const auto& [what, happen] : events) {
    happen();
    run(20s);
    EXPECT_NEAR(line.age().count(), before, 25) << "after " << what;
    const auto decoded = line.decoded;
    run(2s);
    EXPECT_NEAR(static_cast<double>(line.decoded - decoded), 100, 1) << "after " << what;
  }
}
INSTANTIATE_TEST_SUITE_P(LegVoice, AfterEverything, ::testing::Bool());

// An hour without a pause, and a clock that is off: the delay stays where it was, every packet is
// heard, and what is inserted or removed is what the clocks differ by.
class Drift : public ::testing::TestWithParam<double> {};

TEST_P(Drift, NothingIsLostAndTheDelayNeverCreeps) {
  const double ppm = GetParam();
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  VoiceLine line(seed, {.delay = kNetwork, .jitter = 5ms}, endless_speech, ppm);
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
  EXPECT_GE(line.decoded + 6, line.arrived);
  EXPECT_LE(line.voice.playout().late(), line.arrived / 1000);
  EXPECT_NEAR(static_cast<double>(line.voice.shortened_samples()) / 48000, 3600 * ppm / 1e6, 0.1);
}
INSTANTIATE_TEST_SUITE_P(LegVoice, Drift, ::testing::Values(-500.0, 500.0));

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

Samples tone_over(double frequency_hz, double ppm, unsigned seed) {
  test_support::OpusSender sender(64000, 1, OPUS_APPLICATION_AUDIO);
  opus_encoder_ctl(sender.get(), OPUS_SET_COMPLEXITY(0));
  const auto payload = [&](std::uint64_t first, int samples) {
    return sender.encode(
        test_support::tone(frequency_hz, 8000, static_cast<std::size_t>(samples), first));
  };
  VoiceLine line(seed, {.delay = kNetwork, .jitter = 5ms}, payload, ppm);
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
TEST_P(Drift, AToneHasNoClickAndNoGap) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (const double frequency_hz : {1000.0, 997.0, 313.7}) {
    const double residue_db = worst_residue_db(tone_over(frequency_hz, 0, seed), frequency_hz);
    EXPECT_LT(residue_db, -20);
    EXPECT_LT(worst_residue_db(tone_over(frequency_hz, GetParam(), seed), frequency_hz),
              residue_db + 2)
        << frequency_hz;
  }
}

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

// What was said during a stall that is shorter than what is waited for is said later, not lost.
TEST(LegVoice, AShortStallLosesNothing) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  VoiceLine line(seed,
                 {.delay = kNetwork, .in_order = true, .stall_every = 10000ms, .stall = 150ms},
                 endless_speech);
  Frame frame;
  for (int t = 0; t < 120 * kSecond; ++t) line.tick(frame);
  EXPECT_GE(line.decoded + 6, line.arrived);
}

// Sound that was late once is not late for ever: of what is waited for too much, less than a period
// of the voice is left, though it never pauses.
class AfterJitter : public ::testing::TestWithParam<bool> {};  // is known when packets came?

TEST_P(AfterJitter, TheDelayComesDownToWithinAPeriodOfWhatIsWanted) {
  constexpr int kPeriod_samples = 48000 / 120;  // endless_speech()'s
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  VoiceLine line(seed, {.delay = kNetwork, .jitter = 80ms, .in_order = true}, endless_speech);
  line.stamped = GetParam();
  Frame frame;
  for (int t = 0; t < 5 * kSecond; ++t) line.tick(frame);
  line.network.set({.delay = kNetwork});
  for (int t = 0; t < 20 * kSecond; ++t) line.tick(frame);
  for (int t = 0; t < 60 * kSecond; ++t) {
    line.tick(frame);
    ASSERT_LE(line.voice.playout().surplus_samples(), kPeriod_samples) << "tick " << t;
  }
}
INSTANTIATE_TEST_SUITE_P(LegVoice, AfterJitter, ::testing::Bool());

class Stalls : public ::testing::TestWithParam<bool> {};  // is known when packets came?

// For 80 ms, as a machine that stands still: four packets at once, the last of them in time.
NetworkConditions stalling(int apart_s) {
  return {.delay = kNetwork,
          .jitter = 5ms,
          .in_order = true,
          .stall_every = std::chrono::seconds(apart_s),
          .stall = 80ms};
}

TEST_P(Stalls, OneThatComesAloneIsCaughtUpWithInASecond) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr int kApart_s = 15, kTimes = 20;
  VoiceLine line(seed, stalling(kApart_s), endless_speech);
  line.stamped = GetParam();
  Frame frame;
  int ticks_older = 0;
  for (int t = 0; t < kTimes * kApart_s * kSecond; ++t) {
    line.tick(frame);
    if (t >= kApart_s * kSecond && line.age().count() > most_age_ms(960, 5ms)) ++ticks_older;
  }
  EXPECT_LE(ticks_older, kTimes * kSecond);
}

TEST_P(Stalls, OnesThatComeAgainAreWaitedFor) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr int kApart_s = 5, kTimes = 20;
  VoiceLine line(seed, stalling(kApart_s), endless_speech);
  line.stamped = GetParam();
  Frame frame;
  for (int t = 0; t < 3 * kApart_s * kSecond; ++t) line.tick(frame);
  const auto concealed = line.voice.concealed_samples();
  for (int t = 0; t < kTimes * kApart_s * kSecond; ++t) line.tick(frame);
  // Of the 60 ms of each that come too late, a third at most; half, seen through ticks of 20 ms.
  EXPECT_LT(line.voice.concealed_samples() - concealed, kTimes * (GetParam() ? 960 : 1440));
}
INSTANTIATE_TEST_SUITE_P(LegVoice, Stalls, ::testing::Bool());

}  // namespace
}  // namespace media
