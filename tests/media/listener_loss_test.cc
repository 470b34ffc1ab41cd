#include "media/listener_loss.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/support/seed.h"

namespace media {
namespace {

constexpr std::uint64_t kPackets = 250;  // five seconds

double lost_of(std::mt19937& random, std::uint64_t packets, double probability) {
  std::binomial_distribution<int> lost(static_cast<int>(packets), probability);
  return static_cast<double>(lost(random)) / static_cast<double>(packets);
}

TEST(ListenerLoss, NoLossNeedsNothing) {
  ListenerLoss loss;
  EXPECT_EQ(loss.step(), 0);
  for (int i = 0; i < 100; ++i) loss.report(0, kPackets);
  EXPECT_EQ(loss.step(), 0);
}

TEST(ListenerLoss, MoreLossIsAnotherStep) {
  const std::pair<double, int> table[] = {
      {0.01, 0},
      {0.04, ListenerLoss::kSome},
      {0.1, ListenerLoss::kSome},
      {0.2, ListenerLoss::kHeavy},
      {0.5, ListenerLoss::kHeavy},
  };
  for (const auto& [fraction, step] : table) {
    ListenerLoss loss;
    for (int i = 0; i < 20; ++i) loss.report(fraction, kPackets);
    EXPECT_EQ(loss.step(), step) << fraction;
  }
}

TEST(ListenerLoss, ABurstIsBelievedWithItsFirstReport) {
  ListenerLoss loss;
  loss.report(0.1, kPackets);
  EXPECT_GT(loss.step(), 0);
}

TEST(ListenerLoss, AMinuteAndAHalfWithoutLossAndItIsForgotten) {
  for (const double fraction : {0.03, 0.1, 0.3}) {
    ListenerLoss loss;
    for (int i = 0; i < 10; ++i) loss.report(fraction, kPackets);
    EXPECT_GT(loss.step(), 0);
    loss.report(0, kPackets);
    EXPECT_GT(loss.step(), 0) << "not by one good report";
    for (int i = 0; i < 17; ++i) loss.report(0, kPackets);
    EXPECT_EQ(loss.step(), 0) << fraction;
  }
}

// In a silence four packets are sent in a report's time: one of them lost is no heavy loss.
TEST(ListenerLoss, AReportAboutFewPacketsSaysLittle) {
  ListenerLoss loss;
  loss.report(0.25, 4);
  EXPECT_EQ(loss.step(), 0);
  loss.report(1, 0);
  EXPECT_EQ(loss.step(), 0);
}

// Law: reports that all say the same change the step at most upwards, so a few times.
TEST(ListenerLoss, TheSameReportOverAndOverSettles) {
  for (double fraction = 0; fraction <= 1; fraction += 0.001) {
    ListenerLoss loss;
    std::uint8_t before = 0;
    for (int i = 0; i < 60; ++i) {
      loss.report(fraction, kPackets);
      ASSERT_GE(loss.step(), before) << fraction;
      before = loss.step();
    }
  }
}

// Law: an hour of random loss at any rate changes the class a few times at most.
TEST(ListenerLoss, RandomLossDoesNotGoToAndFro) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (double probability = 0; probability < 0.4; probability += 0.005) {
    ListenerLoss loss;
    int changes = 0;
    for (int report = 0; report < 720; ++report) {
      const auto before = loss.step();
      loss.report(lost_of(random, kPackets, probability), kPackets);
      if (report >= 24 && loss.step() != before) ++changes;
    }
    EXPECT_LE(changes, 6) << probability;
  }
}

// Law: whatever a peer says, there is a step for it.
TEST(ListenerLoss, AnyReportLeavesItInItsSteps) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  ListenerLoss loss;
  for (int i = 0; i < 100000; ++i) {
    loss.report(static_cast<double>(random() % 1000) / 500 - 0.5, random());
    ASSERT_LT(loss.step(), ListenerLoss::kSteps);
    ASSERT_GE(loss.smoothed(), 0);
    ASSERT_LE(loss.smoothed(), 1);
  }
}

}  // namespace
}  // namespace media
