#include "tools/load/roles.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tools/load/marker.h"

namespace load {
namespace {

Options of(int callers, int talkers) {
  Options options;
  options.callers = callers;
  options.talkers = talkers;
  options.seed = 5;
  return options;
}

TEST(Roles, TwentyListenersAndThreeTalkersAreDrawn) {
  const auto roles = draw_roles(of(200, 10));
  const auto sampled = [&roles](bool talker) {
    return std::ranges::count_if(
        roles, [talker](const Role& role) { return role.sampled && role.talker == talker; });
  };
  EXPECT_EQ(sampled(false), 20);
  EXPECT_EQ(sampled(true), 3);
  const auto all = draw_roles(of(10, 2));
  EXPECT_EQ(std::ranges::count_if(all, &Role::sampled), 10) << "when there are no more";
}

TEST(Roles, TheFirstTalkersOfEachRoomHaveAMarkerOfTheirOwn) {
  Options options = of(40, 10);
  options.rooms = 2;
  const auto roles = draw_roles(options);
  for (std::size_t i = 0; i < roles.size(); ++i) {
    EXPECT_EQ(roles[i].room, i % 2);
    EXPECT_EQ(roles[i].talker, i < 20);
    if (i < 2 * kMarkers) {
      EXPECT_EQ(roles[i].marker, i / 2);
    } else {
      EXPECT_FALSE(roles[i].marker);
    }
  }
}

TEST(Roles, AllLikePacketsOfTheSameLength) {
  Options options = of(3, 1);
  options.ptime = std::chrono::milliseconds(60);
  for (const Role& role : draw_roles(options)) EXPECT_EQ(role.packet, options.ptime);
}

TEST(Roles, BadLinesGoToTheirShareOfThoseWhoMayHaveThem) {
  Options options = of(103, 3);
  options.line.loss = 0.05;
  options.afflicted_share = 0.1;
  const auto afflicted = [&options](bool talker) {
    const auto roles = draw_roles(options);
    return std::ranges::count_if(
        roles, [talker](const Role& role) { return role.afflicted && role.talker == talker; });
  };
  options.afflicted = Options::Afflicted::listeners;
  EXPECT_EQ(afflicted(false), 10);
  EXPECT_EQ(afflicted(true), 0);
  options.afflicted = Options::Afflicted::talkers;
  options.afflicted_share = 1;
  EXPECT_EQ(afflicted(false), 0);
  EXPECT_EQ(afflicted(true), 3);
}

TEST(Roles, ASeedDrawsTheSameAgain) {
  Options options = of(100, 3);
  const auto drawn = [&options] {
    std::vector<std::size_t> numbers;
    const auto roles = draw_roles(options);
    for (std::size_t i = 0; i < roles.size(); ++i) {
      if (roles[i].sampled) numbers.push_back(i);
    }
    return numbers;
  };
  const auto first = drawn();
  EXPECT_EQ(drawn(), first);
  options.seed = 6;
  EXPECT_NE(drawn(), first);
}

}  // namespace
}  // namespace load
