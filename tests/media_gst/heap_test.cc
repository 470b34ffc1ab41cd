#include "media/gst/heap.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <vector>

#include "tests/media_gst/engine_fixture.h"
#include "tests/support/in_use.h"
#include "tests/support/seed.h"

namespace {
std::atomic<int> trims{0};
}  // namespace

extern "C" int malloc_trim(std::size_t pad) noexcept {
  ++trims;
  return reinterpret_cast<decltype(&malloc_trim)>(::dlsym(RTLD_NEXT, "malloc_trim"))(pad);
}

namespace media::gst {
namespace {

void twenty_calls() {
  Engine mixer;
  CallerThread thread;
  std::vector<std::unique_ptr<TestCaller>> callers;
  for (std::uint64_t leg = 1; leg <= 20; ++leg) {
    callers.push_back(std::make_unique<TestCaller>(thread, LegId{leg}, 440));
    dial(mixer, *callers.back(), RoomId{leg % 3});
    ASSERT_TRUE(mixer.log.wait_for<LegConnected>(LegId{leg}));
  }
  for (const auto& caller : callers) {
    mixer.engine->close_leg(caller->leg());
    ASSERT_TRUE(mixer.log.wait_for<LegClosed>(caller->leg()));
  }
}

TEST(Heap, CallsLeaveNothingInUse) {
  if (!test_support::kKnowsInUse) GTEST_SKIP() << "a sanitizer keeps what was freed";
  for (int i = 0; i < 2; ++i) twenty_calls();  // what is allocated once and for all
  const std::size_t before = test_support::bytes_in_use();
  for (int i = 0; i < 5; ++i) twenty_calls();
  EXPECT_LT(test_support::bytes_in_use(), before + 100 * std::size_t{500});
}

TEST(Heap, IsTrimmedByTheEngineWhenLegsHaveGone) {
  Engine mixer;
  for (std::uint64_t leg = 1; leg <= HeapTrim::kLeast; ++leg) {
    mixer.engine->open_leg(dialled_leg(LegId{leg}, RoomId{1}));
    ASSERT_TRUE(mixer.log.wait_for<LegOpened>(LegId{leg}));
  }
  const int before = trims;
  for (std::uint64_t leg = 1; leg <= HeapTrim::kLeast; ++leg) {
    mixer.engine->close_leg(LegId{leg});
  }
  EXPECT_TRUE(eventually([&] { return trims > before; }));
}

TEST(HeapTrim, IsDueWhenHalfOfTheLegsAreGone) {
  HeapTrim heap;
  for (int i = 0; i < 100; ++i) heap.opened();
  std::vector<int> due;
  for (int left = 99; left >= 0; --left) {
    if (heap.closed()) due.push_back(left);
  }
  EXPECT_EQ(due, (std::vector<int>{50, 25, 12, 4}));
}

TEST(HeapTrim, OfFewLegsWaitsForSome) {
  HeapTrim heap;
  for (std::size_t i = 1; i <= 10 * HeapTrim::kLeast; ++i) {
    heap.opened();
    EXPECT_EQ(heap.closed(), i % HeapTrim::kLeast == 0) << i;
  }
}

// Each time it looks through what as many legs have as are there; as many have gone.
TEST(HeapTrim, LooksThroughNoMoreLegsThanHaveGone) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  HeapTrim heap;
  std::size_t legs = 0, gone = 0, looked_through = 0;
  for (int i = 0; i < 100000; ++i) {
    if (legs == 0 || random() % 100 < (i / 1000 % 2 == 0 ? 60U : 40U)) {
      heap.opened();
      ++legs;
      continue;
    }
    --legs;
    ++gone;
    if (heap.closed()) looked_through += std::max(legs, HeapTrim::kLeast);
  }
  EXPECT_GT(looked_through, gone / 2) << "nor is it forgotten";
  EXPECT_LE(looked_through, gone);
}

}  // namespace
}  // namespace media::gst
