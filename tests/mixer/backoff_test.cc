#include "mixer/backoff.h"

#include <gtest/gtest.h>

#include <random>

#include "mixer/shell_limits.h"

namespace mixer {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesFromOneSecondToSixtyWithinTwentyPercent) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    Backoff backoff([&random] { return random(); });
    for (int failure = 0; failure < 40; ++failure) {
      const double base = std::min(1000.0 * static_cast<double>(1ULL << failure), 60000.0);
      const auto wait = backoff.next(false);
      EXPECT_GE(wait.count(), base * 0.8 - 1) << failure;
      EXPECT_LE(wait.count(), base * 1.2 + 1) << failure;
    }
  }
}

TEST(Backoff, ReachesBothEndsOfTheJitter) {
  Backoff least([] { return std::uint64_t{0}; });
  EXPECT_EQ(least.next(false), milliseconds(800));
  Backoff most([] { return std::uint64_t{400}; });  // 400 ms is the spread around the first second
  EXPECT_EQ(most.next(false), milliseconds(1200));
}

TEST(Backoff, WaitsAtLeastHalfAMinuteForARefusedPassword) {
  Backoff backoff([] { return std::uint64_t{0}; });
  EXPECT_EQ(backoff.next(true), milliseconds(24000));  // 30 s less 20 %
  for (int i = 0; i < 10; ++i) backoff.next(true);
  EXPECT_EQ(backoff.next(true), milliseconds(48000));
}

TEST(Backoff, BeginsAnewAfterASuccess) {
  Backoff backoff([] { return std::uint64_t{0}; });
  for (int i = 0; i < 5; ++i) backoff.next(false);
  backoff.reset();
  EXPECT_EQ(backoff.next(false), milliseconds(800));
}

}  // namespace
}  // namespace mixer
