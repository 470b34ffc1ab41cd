#include <gtest/gtest.h>

#include "tools/load/bad_line.h"

namespace load {
namespace {

using namespace std::chrono_literals;
using Time = BadLine::Time;

constexpr int kPackets = 100000;

std::vector<std::optional<Time>> sent_through(const LineSpec& spec, std::uint64_t seed) {
  BadLine line(spec, seed);
  std::vector<std::optional<Time>> arrivals;
  for (int i = 0; i < kPackets; ++i) arrivals.push_back(line.pass(Time() + i * 20ms));
  return arrivals;
}

TEST(BadLine, LosesTheShareItShallInBurstsOfTheLengthTheyShallHave) {
  for (const double burst : {1.0, 4.0}) {
    const auto arrivals = sent_through({.loss = 0.1, .burst = burst}, 7);
    int lost = 0;
    int bursts = 0;
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      if (arrivals[i]) continue;
      ++lost;
      if (i == 0 || arrivals[i - 1]) ++bursts;
    }
    EXPECT_NEAR(lost, kPackets * 0.1, kPackets * 0.01);
    EXPECT_NEAR(static_cast<double>(lost) / bursts, burst, 0.3);
  }
}

TEST(BadLine, JitterDelaysUpToItsMostAndKeepsTheOrder) {
  const auto arrivals = sent_through({.jitter = 50ms}, 7);
  auto most = 0ns;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    ASSERT_TRUE(arrivals[i]);
    const auto late = *arrivals[i] - (Time() + static_cast<int>(i) * 20ms);
    EXPECT_GE(late, 0ns);
    EXPECT_LE(late, 50ms);
    most = std::max<std::chrono::nanoseconds>(most, late);
    if (i > 0) {
      EXPECT_GE(*arrivals[i], *arrivals[i - 1]);
    }
  }
  EXPECT_GT(most, 45ms);
}

TEST(BadLine, WhatIsReorderedIsOvertakenByTheNext) {
  const auto arrivals = sent_through({.reorder = 0.02}, 7);
  int overtaken = 0;
  for (std::size_t i = 1; i < arrivals.size(); ++i) {
    overtaken += *arrivals[i] < *arrivals[i - 1] ? 1 : 0;
  }
  EXPECT_NEAR(overtaken, kPackets * 0.02, kPackets * 0.003);
}

TEST(BadLine, TheSameSeedIsTheSameLine) {
  const LineSpec spec{.loss = 0.1, .burst = 2, .jitter = 30ms, .reorder = 0.1};
  EXPECT_EQ(sent_through(spec, 1), sent_through(spec, 1));
  EXPECT_NE(sent_through(spec, 1), sent_through(spec, 2));
}

TEST(BadLine, TheExtremesAreAllAndNothing) {
  for (const auto& arrival : sent_through({.loss = 1, .burst = 3}, 1)) EXPECT_FALSE(arrival);
  for (const auto& arrival : sent_through({}, 1)) EXPECT_TRUE(arrival);
}

}  // namespace
}  // namespace load
