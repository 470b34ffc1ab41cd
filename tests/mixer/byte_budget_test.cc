#include "mixer/byte_budget.h"

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace {

using namespace std::chrono_literals;
using mixer::ByteBudget;
using mixer::TimePoint;
namespace limits = mixer::limits;

constexpr std::size_t kDocument = 10'000;

struct Link {
  ByteBudget budget{1e12};
  TimePoint now{1000s};
  int ids = 0;

  bool ready() {
    budget.look(now);
    return budget.ready_at() <= now;
  }
  TimePoint send() { return budget.sent(std::to_string(++ids), kDocument, now); }
  // What it takes at once, as a number of documents.
  int fill() {
    const int before = ids;
    while (ready()) send();
    return ids - before;
  }
  void answer(int id) { budget.answered(std::to_string(id), now); }
  int window_of(std::size_t bytes) { return static_cast<int>((bytes - 1) / kDocument) + 1; }
};

TEST(ByteBudget, AnAnswerShowsThatWhateverWasSentBeforeHasPassedTheLink) {
  Link link;
  const int window = link.fill();
  EXPECT_EQ(window, link.window_of(limits::kCoinWindowAtFirst));
  link.now += 700ms;  // no reason for another window
  EXPECT_EQ(link.fill(), 0);
  link.answer(5);
  EXPECT_EQ(link.fill(), 5) << "1 to 4 are deaf";
  link.answer(3);
  link.answer(5);
  link.answer(4711);
  EXPECT_EQ(link.fill(), 0);
}

TEST(ByteBudget, AFastLinkIsGivenMoreUpToABound) {
  Link link;
  for (int i = 0; i < 20; ++i) {
    link.fill();
    link.now += 50ms;
    link.answer(link.ids);
  }
  EXPECT_EQ(link.fill(), link.window_of(limits::kCoinWindowMost));
}

TEST(ByteBudget, ASlowLinkIsGivenLessDownToABound) {
  Link link;
  link.fill();
  link.now += 1100ms;
  for (int id = 1; id <= link.ids; ++id) link.answer(id);
  EXPECT_EQ(link.fill(), link.window_of(limits::kCoinWindowAtFirst / 2)) << "halved once";
  for (int i = 0; i < 20; ++i) {
    link.now += 3s;
    link.answer(link.ids);
    link.fill();
  }
  link.now += 3s;
  link.answer(link.ids);
  EXPECT_EQ(link.fill(), link.window_of(limits::kCoinWindowLeast));
}

TEST(ByteBudget, AnAnswerIsLateByTheLinksOwnLag) {
  Link link;
  EXPECT_EQ(link.send(), link.now + limits::kCoinReplyTimeout);
  link.now += 4s;
  link.answer(1);
  EXPECT_EQ(link.send(), link.now + limits::kCoinReplyTimeout + 4s);
  link.now += 1s;
  link.answer(2);
  EXPECT_EQ(link.send(), link.now + limits::kCoinReplyTimeout + 1s);
}

// A server that reads nothing, and clients that answer nothing: they look alike.
TEST(ByteBudget, ALinkWithoutAnswersIsGivenAWindowAtEverLongerTimes) {
  Link link;
  const TimePoint start = link.now;
  std::vector<std::chrono::milliseconds> at;
  std::size_t given = 0;
  for (; link.now < start + 100s; link.now += 100ms) {
    const int more = link.fill();
    if (more == 0) continue;
    at.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(link.now - start));
    given += static_cast<std::size_t>(more);
    EXPECT_LE(more, link.window_of(at.size() == 1 ? limits::kCoinWindowAtFirst
                                                  : limits::kCoinWindowLeast));
  }
  const std::vector<std::chrono::milliseconds> expected = {0s, 5s, 15s, 35s, 55s, 75s, 95s};
  EXPECT_EQ(at, expected);
  EXPECT_LE(given * kDocument, 1'200'000u);
  link.answer(link.ids);
  link.now += 1ms;
  EXPECT_GT(link.fill(), 0);
}

TEST(ByteBudget, WhatWasOnALostLinkCountsNoMore) {
  Link link;
  const int window = link.fill();
  link.budget.link_down();
  EXPECT_EQ(link.fill(), window);
}

// A link that carries so many bytes a second, first in, first out, to clients of which some never
// answer: what waits on it stays below two seconds' worth or the least window, and it is not idle.
TEST(ByteBudget, WhateverALinkCarriesItIsKeptBusyAndShort) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (const double rate : {30e3, 100e3, 300e3, 1e6, 2.2e6}) {
    SCOPED_TRACE(std::to_string(rate) + " bytes a second");
    Link link;
    const TimePoint start = link.now, busy_from = start + 20s, end = start + 60s;
    double on_link = 0, carried = 0;
    int passed = 0;
    for (; link.now < end; link.now += 10ms) {
      const int sent = link.fill();
      on_link += static_cast<double>(sent) * kDocument;
      const double step = std::min(on_link, rate / 100);
      on_link -= step;
      if (link.now >= busy_from) carried += step;
      for (; (link.ids - passed - 1) * 1.0 * kDocument >= on_link && passed < link.ids; ++passed) {
        if (random() % 4 != 0) link.answer(passed + 1);
      }
      if (link.now < busy_from) continue;
      ASSERT_LE(on_link, std::max<double>(2 * rate, limits::kCoinWindowLeast) + kDocument);
    }
    EXPECT_GE(carried, 0.8 * rate * 40);
  }
}

}  // namespace
