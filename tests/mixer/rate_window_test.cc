#include "mixer/rate_window.h"

#include "mixer/limits.h"
#include "tests/support/in_use.h"

namespace {

using namespace std::chrono_literals;
const mixer::TimePoint kStart{1000s};

TEST(RateWindow, LetsSoManyThroughAndThenWaitsForTheOldestToPass) {
  mixer::RateWindow window(3, 60s);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(window.take("a", kStart + i * 10s));
  EXPECT_FALSE(window.take("a", kStart + 59s));
  EXPECT_TRUE(window.take("b", kStart + 59s));
  EXPECT_TRUE(window.take("a", kStart + 60s));
  EXPECT_FALSE(window.take("a", kStart + 61s));
}

TEST(RateWindow, RefusedOnesAreNotCounted) {
  mixer::RateWindow window(1, 60s);
  EXPECT_TRUE(window.take("a", kStart));
  for (int i = 1; i < 60; ++i) EXPECT_FALSE(window.take("a", kStart + i * 1s));
  EXPECT_TRUE(window.take("a", kStart + 60s));
}

TEST(RateWindow, ZeroLetsNobodyThrough) {
  mixer::RateWindow window(0, 60s);
  EXPECT_FALSE(window.take("a", kStart));
}

TEST(RateWindow, RemembersABoundedNumberOfKeys) {
  mixer::RateWindow window(1, 60s);
  ASSERT_TRUE(window.take("first", kStart));
  for (std::size_t i = 0; i < mixer::limits::kMaxRateKeys; ++i) {
    ASSERT_TRUE(window.take(std::to_string(i), kStart + 1s));
  }
  EXPECT_TRUE(window.take("first", kStart + 2s)) << "the oldest is forgotten first";
  EXPECT_FALSE(window.take("9999", kStart + 2s));
}

TEST(RateWindow, AKeyTakesFewBytes) {
  if (!test_support::kKnowsInUse) GTEST_SKIP() << "a sanitizer's count is another";
  const std::size_t before = test_support::bytes_in_use();
  mixer::RateWindow window(10, 60s);
  for (std::size_t i = 0; i < mixer::limits::kMaxRateKeys; ++i) {
    ASSERT_TRUE(window.take("caller" + std::to_string(i) + "@example.org", kStart));
  }
  EXPECT_LT(test_support::bytes_in_use() - before, 300 * mixer::limits::kMaxRateKeys);
}

}  // namespace
