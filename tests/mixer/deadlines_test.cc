#include "mixer/deadlines.h"

#include <gtest/gtest.h>

#include "tests/support/generators.h"

namespace {

using namespace std::chrono_literals;
using mixer::TimePoint;

TEST(Deadlines, SayWhatAskingEachWouldSay) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    test::Dice dice(seed);
    mixer::Deadlines<int> deadlines;
    std::map<int, TimePoint> model;
    for (int i = 0; i < 200; ++i) {
      const int key = static_cast<int>(dice.below(8));
      const TimePoint at = TimePoint() + std::chrono::seconds(dice.below(10));
      if (dice.chance(0.3)) {
        model.erase(key);
        deadlines.set(key, std::nullopt);
      } else {
        model[key] = at;
        deadlines.set(key, at);
      }
      std::optional<TimePoint> next;
      std::set<int> due;
      for (const auto& [who, when] : model) {
        if (!next || when < *next) next = when;
        if (when <= at) due.insert(who);
      }
      EXPECT_EQ(deadlines.next(), next);
      const auto told = deadlines.due(at);
      EXPECT_EQ(std::set<int>(told.begin(), told.end()), due);
      EXPECT_EQ(told.size(), due.size());
      EXPECT_TRUE(std::ranges::is_sorted(told, {}, [&](int who) { return model.at(who); }));
    }
  }
}

}  // namespace
