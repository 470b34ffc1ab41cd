#include "media/listener_classes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace media {
namespace {

void settle(ListenerClasses& classes, const std::vector<EncoderSettings>& wishes) {
  classes.begin();
  for (const auto& wish : wishes) classes.add(wish);
  classes.settle();
}

EncoderSettings wish(std::int32_t bitrate_bps, bool loses = false) {
  return {.bitrate_bps = bitrate_bps, .loses = loses};
}

TEST(ListenerClasses, UpToFourWishesAreFulfilledExactly) {
  ListenerClasses classes;
  const std::vector<EncoderSettings> wishes{wish(32000), wish(32000, true), wish(16000, true),
                                            wish(24000)};
  settle(classes, wishes);
  for (const auto& each : wishes) EXPECT_EQ(classes.settings(classes.class_of(each)), each);
}

TEST(ListenerClasses, WhatIsMerelyLikedMakesNoClass) {
  ListenerClasses classes;
  const EncoderSettings narrow{.max_rate_hz = 8000, .constant_bitrate = true};
  settle(classes, {narrow});
  EXPECT_EQ(classes.settings(classes.class_of(narrow)), narrow) << "but is done if all would";
  settle(classes, {narrow, {}});
  EXPECT_EQ(classes.class_of(narrow), classes.class_of({}));
  EXPECT_EQ(classes.settings(classes.class_of(narrow)), EncoderSettings{});
}

// Mono is for everybody; who likes stereo has it where there are no more than four wishes, or where
// others like it.
TEST(ListenerClasses, StereoIsLostOnlyToWhoCannotTakeIt) {
  ListenerClasses classes;
  EncoderSettings stereo{.stereo = true}, stereo_lossy{.loses = true, .stereo = true};
  settle(classes, {wish(32000), stereo});
  EXPECT_EQ(classes.settings(classes.class_of(stereo)), stereo);
  EXPECT_EQ(classes.settings(classes.class_of(wish(32000))), wish(32000));
  settle(classes, {wish(32000), wish(16000), wish(8000), stereo, stereo_lossy});
  EXPECT_EQ(classes.settings(classes.class_of(stereo)), stereo_lossy) << "rather FEC than mono";
  EXPECT_EQ(classes.class_of(stereo), classes.class_of(stereo_lossy));
  EXPECT_FALSE(classes.settings(classes.class_of(wish(32000))).stereo);
}

// Of five the two that differ least go together; the many keep what they wish.
TEST(ListenerClasses, TheNearestGoTogether) {
  ListenerClasses classes;
  std::vector<EncoderSettings> wishes(100, wish(32000));
  for (const auto& few : {wish(28000, true), wish(32000, true), wish(16000, true), wish(12000)}) {
    wishes.push_back(few);
  }
  settle(classes, wishes);
  EXPECT_EQ(classes.settings(classes.class_of(wish(32000))), wish(32000));
  EXPECT_EQ(classes.class_of(wish(28000, true)), classes.class_of(wish(32000, true)));
  EXPECT_EQ(classes.settings(classes.class_of(wish(32000, true))), wish(28000, true));
  EXPECT_EQ(classes.settings(classes.class_of(wish(12000))), wish(12000));
}

TEST(ListenerClasses, WhoseWishStaysKeepsHisClass) {
  ListenerClasses classes;
  settle(classes, {wish(32000), wish(16000)});
  const auto full = classes.class_of(wish(32000)), narrow = classes.class_of(wish(16000));
  settle(classes, {wish(16000), wish(64000, true), wish(32000, true), wish(32000)});
  EXPECT_EQ(classes.class_of(wish(32000)), full);
  EXPECT_EQ(classes.class_of(wish(16000)), narrow);
  settle(classes, {wish(24000), wish(16000)});
  EXPECT_EQ(classes.class_of(wish(16000)), narrow);
}

TEST(ListenerClasses, AClassWhoseListenersAllChangeTheirWishChangesWithThem) {
  ListenerClasses classes;
  settle(classes, {wish(32000), wish(16000)});
  const auto full = classes.class_of(wish(32000));
  settle(classes, {wish(32000, true), wish(16000)});
  EXPECT_EQ(classes.class_of(wish(32000, true)), full);
}

// Laws, for any wishes one after another.
TEST(ListenerClasses, EverybodyCanTakeHisClass) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  ListenerClasses classes;
  for (int round = 0; round < 2000; ++round) {
    std::vector<EncoderSettings> wishes(1 + random() % 100);
    for (auto& each : wishes) {
      each = wish(6000 + static_cast<std::int32_t>(random() % (random() % 2 ? 40000 : 504000)),
                  random() % 2 == 0);
      each.max_rate_hz = random() % 2 ? 48000 : 16000;
      each.constant_bitrate = random() % 2 == 0;
      each.stereo = random() % 2 == 0;
    }
    settle(classes, wishes);
    std::set<std::size_t> used;
    for (const auto& each : wishes) {
      const std::size_t listener_class = classes.class_of(each);
      ASSERT_LT(listener_class, ListenerClasses::kClasses);
      ASSERT_TRUE(classes.used(listener_class));
      used.insert(listener_class);
      const EncoderSettings& settings = classes.settings(listener_class);
      ASSERT_LE(settings.bitrate_bps, each.bitrate_bps);
      ASSERT_TRUE(settings.loses || !each.loses);
      ASSERT_GE(settings.max_rate_hz, each.max_rate_hz);
      ASSERT_TRUE(!settings.constant_bitrate || each.constant_bitrate);
      ASSERT_TRUE(!settings.stereo || each.stereo);
    }
    for (std::size_t i = 0; i < ListenerClasses::kClasses; ++i) {
      ASSERT_EQ(classes.used(i), used.contains(i));
      if (!classes.used(i)) continue;
      ASSERT_TRUE(std::ranges::any_of(wishes, [&](const EncoderSettings& each) {
        return each.bitrate_bps == classes.settings(i).bitrate_bps;
      })) << "and no lower than somebody in it needs";
    }
  }
}

}  // namespace
}  // namespace media
