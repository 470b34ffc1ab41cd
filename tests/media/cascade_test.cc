// A leg that is a mixer itself: who contributed to what it says is passed on (RFC 3550 §7.3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "media/loudness.h"
#include "tests/media/room_fixture.h"
#include "tests/support/seed.h"

namespace media {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Legs that speak, each louder than the next one; contributor ids are 1001 and so on.
struct CascadeRoom : TestRoom {
  CascadeRoom(std::size_t legs, std::size_t speakers)
      : TestRoom(legs, {.csrc_audio_level = 2}), plan(everybody()) {
    for (std::size_t i = 0; i < speakers; ++i) {
      callers[i]->tone_hz = 300 + 170.0 * static_cast<double>(i);
      callers[i]->amplitude = 12000 / static_cast<double>(1 + i);
    }
  }
  void make_mixer(std::size_t i, std::vector<Contributor> contributors) {
    callers[i]->contributors = std::move(contributors);
    plan.legs[i].is_mixer = true;
    set_plan(plan);
  }
  std::vector<std::uint32_t> ids(std::size_t i) const {
    std::vector<std::uint32_t> ids;
    for (const Contributor& contributor : callers[i]->told()) ids.push_back(contributor.id);
    return ids;
  }
  MixPlan plan;
};

TEST(Cascade, AMixersContributorsTakeThePlaceOfItsLeg) {
  CascadeRoom room(4, 3);
  room.make_mixer(1, {{77, 20}, {66, 30}});
  room.run(20);
  EXPECT_THAT(room.ids(3), ElementsAre(1001, 77, 66, 1003));
  EXPECT_THAT(room.ids(0), ElementsAre(77, 66, 1003));
  const auto told = room[3].told();
  EXPECT_EQ(told[1].level_dbov, 20) << "as the mixer says";
  EXPECT_EQ(told[2].level_dbov, 30);
  EXPECT_EQ(told[3].level_dbov, frame_level_dbov(*room.mixer.own(*room[2].leg)));
}

TEST(Cascade, WithoutLevelsThoseOfAMixerAreAsLoudAsItsLeg) {
  CascadeRoom room(3, 2);
  room[1].spec.rtp.csrc_audio_level = 0;  // he sends none
  room.make_mixer(1, {{77, 20}, {66, 30}});
  room.run(20);
  const auto level = frame_level_dbov(*room.mixer.own(*room[1].leg));
  EXPECT_THAT(room[2].told(),
              ElementsAre(::testing::_, Contributor{77, level}, Contributor{66, level}));
}

TEST(Cascade, AMixerThatNamesNobodyIsNamedItself) {
  CascadeRoom room(3, 2);
  room.make_mixer(1, {});
  room.run(20);
  EXPECT_THAT(room.ids(2), ElementsAre(1001, 1002));
}

TEST(Cascade, WhoIsNoMixerNamesNobody) {
  CascadeRoom room(3, 2);
  room.make_mixer(1, {{77, 20}});
  room.plan.legs[1].is_mixer = false;
  room.set_plan(room.plan);
  room.run(20);
  EXPECT_THAT(room.ids(2), ElementsAre(1001, 1002));
}

TEST(Cascade, ASilentMixerNamesNobody) {
  CascadeRoom room(3, 2);
  room.make_mixer(1, {{77, 20}});
  room.run(20);
  room.plan.legs[1].in_mix = false;
  room.set_plan(room.plan);
  room.run(2);
  EXPECT_THAT(room.ids(2), ElementsAre(1001));
  EXPECT_THAT(room.ids(0), IsEmpty());
}

TEST(Cascade, AMixerNamesNobodyOfOurOwn) {
  CascadeRoom room(4, 2);
  room.make_mixer(0, {{1003, 20}, {77, 25}, {1002, 30}, {1001, 35}});
  room.run(40);
  EXPECT_THAT(room.ids(3), ElementsAre(77, 1002)) << "1002 speaks himself";
  EXPECT_THAT(room.ids(2), ElementsAre(77, 1002));
  EXPECT_THAT(room.ids(1), ElementsAre(77));
  EXPECT_THAT(room.ids(0), ElementsAre(1002));
}

TEST(Cascade, AMixerThatNamesOurOwnAloneIsNamedItself) {
  CascadeRoom room(3, 1);
  room.make_mixer(0, {{1002, 20}, {1003, 25}});
  room.run(20);
  EXPECT_THAT(room.ids(1), ElementsAre(1001));
  EXPECT_THAT(room.ids(2), ElementsAre(1001));
}

TEST(Cascade, WhoIsOurOwnFollowsWhoIsInTheRoom) {
  CascadeRoom room(3, 1);
  room.make_mixer(0, {{1003, 20}, {88, 25}});
  room.run(20);
  EXPECT_THAT(room.ids(1), ElementsAre(88));
  room.mixer.remove(*room[2].leg);
  room.run(1);
  EXPECT_THAT(room.ids(1), ElementsAre(1003, 88)) << "anybody's now";
  auto spec = room[1].spec;
  spec.contributor_id = 88;
  room.mixer.update(*room[1].leg, spec);
  room.run(1);
  EXPECT_THAT(room.ids(1), ElementsAre(1003));
}

TEST(Cascade, AMixerIsNotToldOfWhomItNamedUnlessAnotherNamesThemToo) {
  CascadeRoom room(4, 3);
  room.make_mixer(0, {{77, 20}, {66, 20}});
  room.make_mixer(1, {{66, 30}, {55, 30}});
  room.run(20);
  EXPECT_THAT(room.ids(0), ElementsAre(66, 55, 1003));
  EXPECT_THAT(room.ids(1), ElementsAre(77, 66, 1003));
  EXPECT_THAT(room.ids(2), ElementsAre(77, 66, 55));
  EXPECT_THAT(room.ids(3), ElementsAre(77, 66, 55, 1003)) << "each once";
}

// Not with the packet that came last: with the one that is heard.
TEST(Cascade, ContributorsChangeWithTheSound) {
  CascadeRoom room(2, 1);
  room.make_mixer(0, {{1, 20}});
  std::uint32_t last = 0;
  for (std::uint32_t t = 1; t <= 60; ++t) {
    room[0].contributors = {{t, 20}};
    const bool lost = t % 10 == 0;
    room[0].amplitude = lost ? 0 : 12000;
    if (lost) ++room[0].sequence;
    room.tick();
    const auto ids = room.ids(1);
    if (ids.empty()) continue;
    ASSERT_EQ(ids.size(), 1U);
    if (last != 0 && ids[0] != 1001) {
      // Through a gap the list stays, and is two on after it.
      const bool gap = last % 10 == 9;
      ASSERT_TRUE(gap ? ids[0] == last || ids[0] == last + 2 : ids[0] == last + 1)
          << "tick " << t << ": " << last << ", " << ids[0];
    }
    last = ids[0];
  }
  EXPECT_GT(last, 50U);
}

TEST(Cascade, FramesOfALongPacketHaveItsContributors) {
  CascadeRoom room(2, 1);
  room[0].ptime_samples = 2880;
  room.make_mixer(0, {{77, 20}});
  room.run(10);
  for (int t = 0; t < 12; ++t) {
    room.tick();
    ASSERT_THAT(room.ids(1), ElementsAre(77)) << t;
  }
}

// Laws of every list, whatever mixers say: at most fifteen, each once, never the listener himself,
// nobody of our own through a mixer, nobody through the listener's own leg alone, nobody left out
// for whom there is room, the loudest legs' first.
TEST(Cascade, ListsObeyTheirLaws) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 30; ++round) {
    CascadeRoom room(12, 1 + random() % 10);
    for (std::size_t i = 0; i < 10; ++i) {
      if (random() % 3 == 0) continue;
      std::vector<Contributor> contributors(random() % 16);
      for (auto& each : contributors) {  // few different ones: callers of this room among them
        each = {static_cast<std::uint32_t>(995 + random() % (round % 2 == 0 ? 60 : 20)),
                static_cast<std::uint8_t>(random() % 128)};
      }
      room.make_mixer(i, contributors);
    }
    room.run(15);
    std::vector<Caller*> heard;
    for (auto& caller : room.callers) {
      if (room.mixer.own(*caller->leg)) heard.push_back(caller.get());
    }
    ASSERT_FALSE(heard.empty());
    const auto level = [&](const Caller* caller) {
      return frame_level_dbov(*room.mixer.own(*caller->leg));
    };
    std::ranges::stable_sort(heard, {}, level);
    const auto ours = [](std::uint32_t id) { return id > 1000 && id <= 1012; };
    const auto names = [&](const Caller& caller) {
      std::vector<std::uint32_t> ids;
      const bool mixer = room.plan.legs[caller.spec.leg.value - 1].is_mixer;
      if (mixer) {
        for (const auto& each : caller.contributors) {
          if (!ours(each.id)) ids.push_back(each.id);
        }
      }
      if (ids.empty()) ids.push_back(caller.spec.contributor_id);
      return ids;
    };
    for (std::size_t i = 0; i < 12; ++i) {
      const auto told = room.ids(i);
      std::vector<std::uint32_t> possible;  // in their order
      for (const Caller* speaker : heard) {
        if (speaker == &room[i]) continue;
        for (const auto id : names(*speaker)) {
          if (std::ranges::find(possible, id) == possible.end()) possible.push_back(id);
        }
      }
      ASSERT_EQ(told.size(), std::min<std::size_t>(possible.size(), 15)) << "leg " << i;
      ASSERT_EQ(std::set(told.begin(), told.end()).size(), told.size());
      for (const auto id : told) ASSERT_NE(std::ranges::find(possible, id), possible.end());
      if (!room.mixer.own(*room[i].leg)) {
        possible.resize(told.size());
        ASSERT_EQ(told, possible) << "leg " << i;
      }
    }
  }
}

}  // namespace
}  // namespace media
