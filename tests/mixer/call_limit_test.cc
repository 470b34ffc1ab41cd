#include "mixer/call_limit.h"

#include <gtest/gtest.h>

#include "mixer/limits.h"
#include "tests/support/focus_bench.h"

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

// Documents list an endpoint for each, and others read at most 64 of a user.
TEST(CallLimit, OfOneUserInARoom) {
  using namespace test;
  constexpr char kRoom[] = "room@mixer.localhost";
  mixer::Config config = component_config();
  config.limits.calls_per_minute_per_jid = 1000;
  Bench bench(config);
  for (std::size_t i = 0; i < mixer::limits::kMaxCallsPerUser; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_NE(bench.join("ann@localhost/" + n, kRoom, Offer{.sid = "A" + n}).value, 0u);
  }
  EXPECT_EQ(bench.iq("ann@localhost/more", kRoom, Offer{.sid = "M"}.xml()).terminated().condition,
            "busy");
  EXPECT_NE(bench.join("bob@localhost/x", kRoom, Offer{.sid = "B"}).value, 0u);
}

}  // namespace
