#include "signaling/date_time.h"

#include <gtest/gtest.h>

namespace jingle {
namespace {

using namespace std::chrono_literals;

const auto kDay = std::chrono::sys_days(2026y / 1 / 31);

// XEP-0082 §3.2.
TEST(DateTime, IsReadToTheSecond) {
  EXPECT_EQ(parse_date_time("2026-01-31T00:00:00Z"), kDay + 0s);
  EXPECT_EQ(parse_date_time("2026-01-31T23:59:59Z"), kDay + 86399s);
  EXPECT_EQ(parse_date_time("2026-01-31T01:02:03.999Z"), kDay + 3723s);
  EXPECT_EQ(parse_date_time("2026-01-31T01:02:03+00:00"), kDay + 3723s);
  EXPECT_EQ(parse_date_time("2024-02-29T00:00:00Z"), std::chrono::sys_days(2024y / 2 / 29));
  EXPECT_EQ(parse_date_time("2016-12-31T23:59:60Z"), std::chrono::sys_days(2017y / 1 / 1));
}

TEST(DateTime, AnythingElseIsNone) {
  for (const char* wrong :
       {"", "now", "2026-01-31", "2026-01-31T00:00:00", "2026-01-31T00:00:00.Z",
        "2026-01-31T00:00:00.1", "2026-01-31T00:00:00+01:00", "2026-01-31T24:00:00Z",
        "2026-01-31T00:60:00Z", "2026-01-31T00:00:61Z", "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z", "-026-01-31T00:00:00Z", "20260131T00:00:00",
        "2026-01-31T00:00:00Zz", " 2026-01-31T00:00:00Z"}) {
    EXPECT_FALSE(parse_date_time(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace jingle
