#include "media/mix_minus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "media/limits.h"
#include "tests/support/seed.h"

namespace media {
namespace {

TEST(MixMinus, SoleParticipantHearsSilence) {
  Frame own;
  own.fill(1234);
  const Frame* in[] = {&own};
  Sum total, minus;
  sum_frames(in, total);
  subtract(total, &own, minus);
  EXPECT_TRUE(std::ranges::all_of(minus, [](auto s) { return s == 0; }));
  EXPECT_TRUE(std::ranges::all_of(total, [](auto s) { return s == 1234; }));
}

TEST(MixMinus, AnEmptyRoomSumsToSilence) {
  Sum total;
  total.fill(7);
  sum_frames({}, total);
  EXPECT_TRUE(std::ranges::all_of(total, [](auto s) { return s == 0; }));
}

TEST(MixMinus, MinusAndOwnMakeTheTotal) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    const std::size_t legs = random() % 40;
    std::vector<Frame> frames(legs);
    std::vector<const Frame*> in(legs);
    for (std::size_t k = 0; k < legs; ++k) {
      for (auto& s : frames[k]) s = static_cast<std::int16_t>(random());
      in[k] = random() % 3 == 0 ? nullptr : &frames[k];
    }
    Sum total;
    std::vector<Sum> minus(legs);
    sum_frames(in, total);
    for (std::size_t k = 0; k < legs; ++k) subtract(total, in[k], minus[k]);
    for (std::size_t i = 0; i < kFrame_samples; ++i) {
      std::int64_t expected = 0;
      for (std::size_t k = 0; k < legs; ++k) expected += in[k] ? (*in[k])[i] : 0;
      ASSERT_EQ(total[i], expected);
      for (std::size_t k = 0; k < legs; ++k) {
        ASSERT_EQ(minus[k][i] + (in[k] ? (*in[k])[i] : 0), total[i]) << "leg " << k;
      }
    }
  }
}

TEST(MixMinus, AFullRoomAtFullScaleDoesNotWrap) {
  auto loud = std::make_unique<Frame>();
  loud->fill(-32768);
  const std::vector<const Frame*> in(limits::kMaxLegs, loud.get());
  Sum total;
  sum_frames(in, total);
  EXPECT_EQ(total[0], -32768 * static_cast<std::int64_t>(limits::kMaxLegs));
  Sum minus;
  subtract(total, loud.get(), minus);
  EXPECT_EQ(minus[959], total[959] + 32768);
}

TEST(MixMinusDeathTest, NoMoreFramesThanCanBeSummed) {
  const std::vector<const Frame*> in(limits::kMaxLegs + 1);
  Sum total;
  EXPECT_DEATH(sum_frames(in, total), "kMaxLegs");
}

}  // namespace
}  // namespace media
