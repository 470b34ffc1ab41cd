#include "mixer/call_limit.h"

#include <gtest/gtest.h>

#include "mixer/limits.h"

namespace {

using namespace std::chrono_literals;
using mixer::CallLimit;
constexpr mixer::TimePoint kStart{1000s};

TEST(CallLimit, WhoCallsAMinuteLaterIsWelcome) {
  CallLimit limit(2);
  EXPECT_TRUE(limit.take("ann", kStart) && limit.take("ann", kStart));
  EXPECT_FALSE(limit.take("ann", kStart));
  EXPECT_TRUE(limit.take("bob", kStart));
  EXPECT_TRUE(limit.take("ann", kStart + 60s));
  EXPECT_FALSE(limit.blocked("ann", kStart + 60s));
}

TEST(CallLimit, WhoGoesOnRegardlessIsBlockedForAWhile) {
  CallLimit limit(1);
  EXPECT_TRUE(limit.take("ann", kStart));
  for (int i = 0; i < mixer::limits::kRefusedCalls; ++i) {
    EXPECT_FALSE(limit.blocked("ann", kStart)) << i;
    limit.take("ann", kStart);
  }
  limit.refused("ann", kStart);
  EXPECT_TRUE(limit.blocked("ann", kStart));
  EXPECT_FALSE(limit.blocked("bob", kStart));
  EXPECT_TRUE(limit.blocked("ann", kStart + mixer::limits::kBlockedFor - 1s));
  EXPECT_FALSE(limit.blocked("ann", kStart + mixer::limits::kBlockedFor));
  EXPECT_TRUE(limit.take("ann", kStart + mixer::limits::kBlockedFor));
}

}  // namespace
