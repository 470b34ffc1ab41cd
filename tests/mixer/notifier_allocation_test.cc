// Telling one receiver of one change costs the same in a small room and in a large one: what is
// allocated for it is counted, for time cannot be tested.
#include <gtest/gtest.h>

#include <random>

#include "mixer/notifier.h"
#include "tests/support/allocations.h"
#include "tests/support/generators.h"

namespace {

using namespace std::chrono_literals;
using mixer::DocumentForm;

class OneChange : public testing::TestWithParam<std::tuple<DocumentForm, mixer::Disclose>> {
 protected:
  // The most that one mute of a few takes.
  std::size_t allocations_among(std::uint64_t size) {
    const auto [form, disclose] = GetParam();
    const jingle::Jid room = *jingle::Jid::parse("room@mixer.localhost");
    mixer::RoomConfig config;
    config.disclose = disclose;
    mixer::Roster roster(room, config);
    mixer::ByteBudget budget(1e9);
    mixer::Notifier notifier("room", {}, budget);
    std::mt19937_64 random(1);
    mixer::Outbox out([&] { return random(); });
    mixer::TimePoint now{1000s};
    const auto set = [&](std::uint64_t n, bool in_mix) {
      roster.set({n}, {.peer = *jingle::Jid::parse("u" + std::to_string(n) + "@a.example/x"),
                       .token = "t" + std::to_string(n),
                       .contributor_id = static_cast<std::uint32_t>(n),
                       .plan = {.leg = {n}, .in_mix = in_mix, .receives = true}});
      notifier.touch();
    };
    const auto advance = [&] {
      now += 600ms;
      notifier.advance(roster, out, now);
      std::size_t documents = 0;
      for (const auto& command : out.take()) {
        const auto& iq = std::get<mixer::SendIq>(command);
        budget.answered(iq.id, now);
        notifier.answered({1}, iq.id, nullptr, now);
        ++documents;
      }
      return documents;
    };
    for (std::uint64_t n = 1; n <= size; ++n) set(n, true);
    notifier.add(
        {1},
        {.local = room, .peer = *jingle::Jid::parse("u1@a.example/x"), .sid = {"S"}, .form = form});
    for (int i = 0; i < 100; ++i) advance();  // its roster may be of many documents
    std::size_t most = 0;
    for (int i = 0; i < 8; ++i) {
      test_support::count_allocations();
      set(2, i % 2 == 1);
      const std::size_t documents = advance();
      most = std::max(most, test_support::allocations_counted());
      EXPECT_EQ(documents, 1u);
    }
    return most;
  }
};

TEST_P(OneChange, AllocatesAsMuchAmongAThousandAsAmongTen) {
  if (!test_support::kCountsAllocations) GTEST_SKIP() << "malloc is the sanitizer's";
  const std::size_t few = allocations_among(10);
  EXPECT_GT(few, 10u);
  EXPECT_LE(allocations_among(1000), few + 2);  // what queues take now and then
}

INSTANTIATE_TEST_SUITE_P(
    Notifier, OneChange,
    testing::Combine(testing::Values(DocumentForm::standard, DocumentForm::jitsi),
                     testing::Values(mixer::Disclose::full, mixer::Disclose::nick)));

}  // namespace
