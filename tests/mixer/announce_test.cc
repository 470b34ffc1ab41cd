// The chat message to newcomers whose client shows no roster.
#include "tests/support/focus_bench.h"

namespace {

using namespace test;

constexpr char kRoom[] = "room@mixer.localhost";

// What the last of so many is told.
std::string told_to_the_last_of(int people) {
  Bench bench;
  bench.up();
  Step step;
  for (int i = 0; i < people; ++i) {
    // Sorted as they come.
    const std::string name = "u" + std::to_string(100 + i);
    const Step called = bench.iq(name + "@localhost/x", kRoom, Offer{.sid = name}.xml());
    const auto leg = called.all<mixer::OpenLeg>().at(0).spec.leg;
    bench.media(bench.engine.opened(leg));
    step = bench.media(bench.engine.connected(leg));
  }
  for (const auto& message : step.all<mixer::SendMessage>()) {
    if (message.payload.starts_with("<body>")) return message.payload;
  }
  return "";
}

TEST(Announce, ASmallRoomsPeopleAreAllNamed) {
  EXPECT_NE(told_to_the_last_of(1).find("You are the only one in this call."), std::string::npos);
  EXPECT_NE(told_to_the_last_of(3).find("In this call: u100, u101."), std::string::npos);
  const std::string ten = told_to_the_last_of(11);
  EXPECT_NE(ten.find("u108, u109. "), std::string::npos) << ten;
  EXPECT_EQ(ten.find("others"), std::string::npos) << ten;
}

TEST(Announce, OfALargeRoomsPeopleTenAreNamedAndTheOthersCounted) {
  const std::string one_more = told_to_the_last_of(12), many = told_to_the_last_of(50);
  EXPECT_NE(one_more.find("u108, u109 and 1 other. "), std::string::npos) << one_more;
  EXPECT_NE(many.find("u108, u109 and 39 others. "), std::string::npos) << many;
  EXPECT_LE(many.size(), one_more.size() + 2) << "it grows with the room";
}

}  // namespace
