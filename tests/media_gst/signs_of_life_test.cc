#include "media/gst/signs_of_life.h"

#include <gtest/gtest.h>

#include "tests/support/generators.h"
#include "tests/support/seed.h"

namespace media::gst {
namespace {

using namespace std::chrono_literals;
using TimePoint = SignsOfLife::TimePoint;

constexpr TimePoint kStart{1000s};

// When it is called quiet; nothing more comes.
TimePoint end_of(const SignsOfLife& signs) { return signs.next_deadline(); }

TEST(SignsOfLife, WhoSentRtpUntilNowIsMissedAfterThreeSeconds) {
  SignsOfLife signs;
  signs.other(kStart);
  signs.rtp(kStart + 1s);
  signs.other(kStart + 2s);
  signs.rtp(kStart + 3s);
  EXPECT_EQ(end_of(signs), kStart + 6s);
  EXPECT_FALSE(signs.on_deadline(kStart + 6s - 1ms));
  EXPECT_TRUE(signs.on_deadline(kStart + 6s));
  EXPECT_FALSE(signs.on_deadline(kStart + 60s)) << "said once";
  EXPECT_EQ(end_of(signs), TimePoint::max());
}

// RFC 7675 §5.1: a check every 4 to 6 s.
TEST(SignsOfLife, WhoOnlyAnswersChecksIsNotQuiet) {
  const auto seed = test_support::test_seed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  test::Dice dice(seed);
  SignsOfLife signs;
  auto now = kStart;
  signs.other(now);
  for (int i = 0; i < 10'000; ++i) {
    const auto next = now + 4s + dice.up_to(2s) + dice.up_to(900ms);  // and the round trip
    EXPECT_FALSE(signs.on_deadline(next));
    EXPECT_FALSE(signs.other(next));
    now = next;
  }
  EXPECT_EQ(end_of(signs), now + limits::kSignlessTime);
}

TEST(SignsOfLife, AnySignEndsTheQuiet) {
  for (const bool rtp : {true, false}) {
    SignsOfLife signs;
    signs.rtp(kStart);
    ASSERT_TRUE(signs.on_deadline(kStart + 3s));
    EXPECT_TRUE(rtp ? signs.rtp(kStart + 4s) : signs.other(kStart + 4s));
    EXPECT_FALSE(signs.rtp(kStart + 5s)) << "said once";
    EXPECT_EQ(end_of(signs), kStart + 8s);
  }
}

}  // namespace
}  // namespace media::gst
