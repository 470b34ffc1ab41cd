#include "media/complexity_governor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace media {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr unsigned kSecond = 50, kMinute = 60 * kSecond;

void run(ComplexityGovernor& governor, unsigned ticks, std::chrono::milliseconds late) {
  for (unsigned i = 0; i < ticks; ++i) governor.tick(late);
}

// A room on a machine: a tick takes what its encodes take at this complexity and what `others`
// take; the next one begins when it is due, or when this one is done.
struct Machine {
  void tick(ComplexityGovernor& governor, std::chrono::microseconds others,
            std::chrono::microseconds encodes_at_nine) {
    now = std::max(now, due);
    governor.tick(now - due);
    const int share = governor.complexity() == 9   ? 255
                      : governor.complexity() == 5 ? 140
                      : governor.complexity() == 3 ? 115
                                                   : 69;
    now += others + encodes_at_nine * share / 255;
    due += 20ms;
    // More than two ticks behind: the rest is left out.
    if (now > due + 40ms) due += (now - due) / 20ms * 20ms;
  }
  std::chrono::microseconds now{}, due{};
};

TEST(ComplexityGovernor, PunctualTicksHaveTheBest) {
  ComplexityGovernor governor;
  run(governor, 10 * kMinute, 2ms);
  EXPECT_EQ(governor.complexity(), 9);
}

TEST(ComplexityGovernor, LateTicksGoDownStepByStep) {
  ComplexityGovernor governor;
  for (const int complexity : {5, 3, 0, 0}) {
    run(governor, kSecond, 15ms);
    EXPECT_EQ(governor.complexity(), complexity);
  }
}

TEST(ComplexityGovernor, AndComeBackStepByStep) {
  ComplexityGovernor governor;
  run(governor, 5 * kSecond, 15ms);
  for (const int complexity : {3, 5, 9}) {
    run(governor, 11 * kSecond, 0ms);
    EXPECT_EQ(governor.complexity(), complexity);
  }
}

// SIGSTOP, a stolen CPU: however long, it is one late tick; a few of them are no load either.
TEST(ComplexityGovernor, AStandstillIsNoLoad) {
  ComplexityGovernor governor;
  for (int i = 0; i < 100; ++i) {
    run(governor, 1, 10s);
    run(governor, kSecond, 0ms);
    ASSERT_EQ(governor.complexity(), 9);
  }
}

TEST(ComplexityGovernor, NowAndThenALateTickIsBorneButNothingIsAddedToIt) {
  ComplexityGovernor governor;
  run(governor, kSecond, 15ms);
  ASSERT_EQ(governor.complexity(), 5);
  for (int i = 0; i < 600; ++i) {
    run(governor, 1, 12ms);
    run(governor, kSecond - 1, 0ms);
  }
  EXPECT_EQ(governor.complexity(), 5);
}

// Too much at 9, enough room at 5: it is found in time, and tried again more and more rarely.
TEST(ComplexityGovernor, FindsWhatFitsAndStaysThere) {
  ComplexityGovernor governor;
  Machine machine;
  int changes = 0;
  unsigned late = 0;
  for (unsigned t = 0; t < 60 * kMinute; ++t) {
    const int before = governor.complexity();
    machine.tick(governor, 9ms, 14ms);  // 23 ms, or 17
    if (governor.complexity() != before) ++changes;
    if (machine.now > machine.due + 10ms) ++late;
  }
  EXPECT_LE(changes, 2 * 20) << "an hour";
  EXPECT_LT(late, 60 * kMinute / 100) << "one in a hundred";
  for (unsigned t = 0; t < 6 * kMinute; ++t) machine.tick(governor, 1ms, 14ms);
  EXPECT_EQ(governor.complexity(), 9) << "when the others are gone";
}

// Laws: whatever happens it is one of the steps, and it goes from one to the next once a second at
// most.
TEST(ComplexityGovernor, GoesOneStepASecondAtMost) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  ComplexityGovernor governor;
  const auto& steps = ComplexityGovernor::kSteps;
  const auto step = [&] { return std::ranges::find(steps, governor.complexity()) - steps.begin(); };
  std::ptrdiff_t before = 0;
  for (int i = 0; i < 20000; ++i) {
    const int late = random() % 3 == 0 ? static_cast<int>(random() % 60) : 0;
    run(governor, kSecond, std::chrono::milliseconds(late));
    ASSERT_LT(step(), static_cast<std::ptrdiff_t>(steps.size()));
    ASSERT_LE(std::abs(step() - before), 1);
    before = step();
  }
}

}  // namespace
}  // namespace media
