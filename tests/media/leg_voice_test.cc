#include "media/leg_voice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <tuple>
#include <utility>

#include "tests/media/endless_speech.h"
#include "tests/media/voice_line.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using namespace std::chrono_literals;
using test_support::NetworkConditions;

struct Jitter {
  int most_ms, ptime_samples;
  bool in_order, stamped = false, passed_over = false;
};
class UnderJitter : public ::testing::TestWithParam<Jitter> {};

TEST_P(UnderJitter, LessThanOneInAHundredIsLateAndTheDelayIsNoMoreThanTheJitter) {
  const auto [most_ms, ptime_samples, in_order, stamped, passed_over] = GetParam();
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
  line.passed_over = passed_over;
  Frame frame;
  for (int t = 0; t < 15 * kSecond; ++t) line.tick(frame);
  const auto arrived = line.arrived, decoded = line.decoded;
  double oldest = 0;
  for (int t = 0; t < 60 * kSecond; ++t) {
    line.tick(frame);
    oldest = std::max(oldest, line.age().count());
  }
  const auto came = static_cast<double>(line.arrived - arrived);
  // In a queue the jitter of one adds to another's.
  EXPECT_LE(oldest, most_age_ms(ptime_samples, jitter) + 20 + (in_order ? 40 : 0));
  // 24: what was waiting at the beginning or at the end.
  EXPECT_LT(line.voice.playout().late(), 0.01 * static_cast<double>(line.arrived) + 24);
  if (passed_over) {
    expect_heard_from_now_on(line, kSecond);
  } else {
    EXPECT_GE(static_cast<double>(line.decoded - decoded), 0.99 * (came - 24));
  }
}
INSTANTIATE_TEST_SUITE_P(
    LegVoice, UnderJitter,
    ::testing::Values(Jitter{0, 960, false}, Jitter{0, 2880, true}, Jitter{10, 480, false},
                      Jitter{30, 960, true}, Jitter{60, 960, false}, Jitter{100, 1920, false},
                      Jitter{100, 480, true}, Jitter{150, 960, false}, Jitter{200, 960, false},
                      Jitter{200, 2880, true}, Jitter{200, 480, false}, Jitter{0, 960, false, true},
                      Jitter{30, 480, true, true}, Jitter{60, 2880, false, true},
                      Jitter{200, 960, false, true}, Jitter{0, 960, false, true, true},
                      Jitter{30, 480, true, true, true}, Jitter{60, 2880, false, true, true},
                      Jitter{100, 960, false, false, true}, Jitter{200, 960, false, true, true}));

// Whatever happened: twenty seconds later the delay is what it was.
class AfterEverything : public ::testing::TestWithParam<std::tuple<bool, bool>> {
};  // stamped, passed over

TEST_P(AfterEverything, TheDelayReturns) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const NetworkConditions kind{.delay = kNetwork + std::chrono::microseconds(seed % 20000)};
  bool talking = true;
  VoiceLine line(seed, kind, [&talking](std::uint64_t first, int samples) {
    return talking ? endless_speech(first, samples) : VoiceLine::Said{};
  });
  const auto [stamped, passed_over] = GetParam();
  line.stamped = stamped;
  line.passed_over = passed_over;
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
    SCOPED_TRACE(std::string("after ") + what);
    EXPECT_NEAR(line.age().count(), before, 25);
    const auto decoded = line.decoded;
    expect_heard_from_now_on(line, 2 * kSecond);
    EXPECT_NEAR(line.age().count(), before, 25);
    // And the last five that were passed over.
    EXPECT_NEAR(static_cast<double>(line.decoded - decoded), 100, passed_over ? 6 : 1);
    line.passed_over = passed_over;
  }
}
INSTANTIATE_TEST_SUITE_P(LegVoice, AfterEverything,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool()));

class Stalls : public ::testing::TestWithParam<bool> {};  // is known when packets came?

// What was said during a stall that is shorter than what is waited for is said later, not lost.
TEST_P(Stalls, ThatAreShortLoseNothing) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  VoiceLine line(seed,
                 {.delay = kNetwork, .in_order = true, .stall_every = 10000ms, .stall = 150ms},
                 endless_speech);
  line.stamped = GetParam();
  Frame frame;
  for (int t = 0; t < 120 * kSecond; ++t) line.tick(frame);
  EXPECT_GE(line.decoded + 6, line.arrived);
}

// Sound that was late once is not late for ever: of what is waited for too much, less than a period
// of the voice is left, though it never pauses.
class AfterJitter : public ::testing::TestWithParam<bool> {};  // is known when packets came?

TEST_P(AfterJitter, TheDelayComesDownToWithinAPeriodOfWhatIsWanted) {
  constexpr int kPeriod_samples = 48000 / EndlessSpeech::kPitch_hz;
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
