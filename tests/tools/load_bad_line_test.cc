// Laws of a bad line, over seeds and whatever it is told to do.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/seed.h"
#include "tools/load/bad_line.h"

namespace load {
namespace {

using namespace std::chrono_literals;
using Time = BadLine::Time;

constexpr int kPackets = 100000;
// A share that is off by so many of its standard deviations is off.
constexpr double kDeviations = 6;

Time sent(std::size_t packet) { return Time() + static_cast<int>(packet) * 20ms; }

std::vector<std::optional<Time>> sent_through(const LineSpec& spec, std::uint64_t seed,
                                              int packets = kPackets) {
  BadLine line(spec, seed);
  std::vector<std::optional<Time>> arrivals;
  for (int i = 0; i < packets; ++i) arrivals.push_back(line.pass(sent(arrivals.size())));
  return arrivals;
}

struct Losses {
  double lost = 0, bursts = 0;
  explicit Losses(const std::vector<std::optional<Time>>& arrivals) {
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      if (arrivals[i]) continue;
      ++lost;
      if (i == 0 || arrivals[i - 1]) ++bursts;
    }
  }
};

class BadLines : public testing::Test {
 protected:
  const unsigned seed_ = test_support::test_seed();
  const testing::ScopedTrace trace_{__FILE__, __LINE__, "TEST_SEED=" + std::to_string(seed_)};
  std::mt19937_64 random_{seed_};

  double draw(double most) { return std::uniform_real_distribution<double>(0, most)(random_); }
};

TEST_F(BadLines, LoseTheShareTheyShallInBurstsOfTheLengthTheyShallHave) {
  for (const double loss : {0.01, 0.1, 0.3, 0.5}) {
    for (const double burst : {1.0, 2.0, 4.0, 20.0}) {
      SCOPED_TRACE(testing::Message() << loss << " in bursts of " << burst);
      const Losses losses(sent_through({.loss = loss, .burst = burst}, random_()));
      const double ends = 1 / burst, begins = ends * loss / (1 - loss);
      const double memory = 1 - ends - begins;  // from one packet to the next
      const double deviation =
          std::sqrt(kPackets * loss * (1 - loss) * (1 + memory) / (1 - memory));
      EXPECT_NEAR(losses.lost, kPackets * loss, kDeviations * deviation + 1);
      EXPECT_NEAR(losses.lost / losses.bursts, burst,
                  kDeviations * burst * std::sqrt((1 - ends) / losses.bursts) + 1e-9);
    }
  }
}

// Bursts of one packet with one between them were all that 90 % in bursts of one came to.
TEST_F(BadLines, LoseMoreInARowWhereTheShareLeavesNoRoomForSmallerBursts) {
  for (const double loss : {0.6, 0.9, 0.99}) {
    SCOPED_TRACE(loss);
    const Losses losses(sent_through({.loss = loss, .burst = 1}, random_()));
    EXPECT_NEAR(losses.lost, kPackets * loss, kDeviations * std::sqrt(kPackets * (1 - loss)));
    EXPECT_NEAR(losses.bursts, kPackets - losses.lost, 1) << "single packets between them";
  }
}

TEST_F(BadLines, DelayUpToTheJitterAndKeepTheOrder) {
  for (int round = 0; round < 20; ++round) {
    const std::chrono::microseconds jitter(1 + random_() % 300000);
    SCOPED_TRACE(jitter.count());
    const auto arrivals = sent_through({.jitter = jitter}, random_(), 5000);
    auto most = 0ns;
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      ASSERT_TRUE(arrivals[i]);
      ASSERT_GE(*arrivals[i], sent(i));
      ASSERT_LE(*arrivals[i], sent(i) + jitter);
      if (i > 0) {
        ASSERT_GE(*arrivals[i], *arrivals[i - 1]);
      }
      most = std::max<std::chrono::nanoseconds>(most, *arrivals[i] - sent(i));
    }
    EXPECT_GT(most, jitter * 0.95);
  }
}

TEST_F(BadLines, LetTheNextOvertakeTheShareTheyShallAndKeepAllOthersInOrder) {
  for (const double reorder : {0.02, 0.25, 0.5}) {
    for (const std::chrono::microseconds jitter : {0ms, 7ms, 100ms}) {
      SCOPED_TRACE(testing::Message() << reorder << ", jitter " << jitter.count());
      const auto arrivals = sent_through({.jitter = jitter, .reorder = reorder}, random_());
      int overtaken = 0;
      std::optional<Time> last;  // of the others
      for (std::size_t i = 0; i + 1 < arrivals.size(); ++i) {
        ASSERT_TRUE(arrivals[i]) << "lost";
        if (*arrivals[i] > *arrivals[i + 1]) {
          ++overtaken;
          ASSERT_LE(*arrivals[i], sent(i) + jitter + BadLine::kOvertaken);
        } else {
          if (last) {
            ASSERT_GE(*arrivals[i], *last);
          }
          ASSERT_LE(*arrivals[i], sent(i) + jitter);
          last = arrivals[i];
        }
      }
      EXPECT_NEAR(overtaken, kPackets * reorder, kDeviations * std::sqrt(kPackets * reorder) + 1);
    }
  }
}

// All at once: what is lost has nothing to do with what comes late.
TEST_F(BadLines, LoseWhatTheyShallAndDelayTheRestWithinTheirBounds) {
  for (int round = 0; round < 20; ++round) {
    const LineSpec spec{.loss = draw(1),
                        .burst = 1 + draw(9),
                        .jitter = std::chrono::microseconds(random_() % 200000),
                        .reorder = draw(0.5)};
    SCOPED_TRACE(testing::Message() << spec.loss << " " << spec.burst << " " << spec.jitter.count()
                                    << " " << spec.reorder);
    const auto arrivals = sent_through(spec, random_());
    EXPECT_NEAR(Losses(arrivals).lost, kPackets * spec.loss, kPackets * 0.04);
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
      if (!arrivals[i]) continue;
      ASSERT_GE(*arrivals[i], sent(i));
      ASSERT_LE(*arrivals[i], sent(i) + spec.jitter + BadLine::kOvertaken);
    }
  }
}

TEST_F(BadLines, FareTheSameWithTheSameSeed) {
  const LineSpec spec{.loss = 0.1, .burst = 2, .jitter = 30ms, .reorder = 0.1};
  EXPECT_EQ(sent_through(spec, seed_), sent_through(spec, seed_));
  EXPECT_NE(sent_through(spec, seed_), sent_through(spec, seed_ + 1ULL));
}

TEST_F(BadLines, LoseAllOrNothingAndThenDelayNothing) {
  for (const auto& arrival : sent_through({.loss = 1, .burst = 3}, seed_)) EXPECT_FALSE(arrival);
  const auto arrivals = sent_through({}, seed_);
  for (std::size_t i = 0; i < arrivals.size(); ++i) EXPECT_EQ(arrivals[i], sent(i));
}

}  // namespace
}  // namespace load
