// How much delay the packets of a leg need, learnt from when they come.
#include "media/arrival_delay.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "media/audio_frame.h"
#include "tests/support/seed.h"

namespace media {
namespace {

constexpr std::int32_t kMs = kSampleRate_hz / 1000;

// The onset of who had been silent for a minute was heard with gaps, by one in 150: of the two and
// a half packets a second that Opus sends then, eight seconds have too few to tell the jitter.
TEST(ArrivalDelay, TheJitterOfATalkIsKnownAfterItsSilence) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  ArrivalDelay delay({.least_samples = 20 * kMs, .most_samples = 200 * kMs});
  std::uint32_t now = random();
  const auto packets = [&](int count, int every_ms, int most_late_ms) {
    std::uniform_int_distribution<int> late_ms(0, most_late_ms);
    for (int i = 0; i < count; ++i) {
      now += static_cast<std::uint32_t>(every_ms * kMs);
      delay.observe(now + static_cast<std::uint32_t>(late_ms(random) * kMs), now, kFrame_samples);
    }
  };
  packets(10 * 50, 20, 60);
  const std::int32_t of_talk = delay.wanted_samples();
  EXPECT_GE(of_talk, 55 * kMs);
  packets(10 * 5 / 2, 400, 0);
  EXPECT_EQ(delay.wanted_samples(), of_talk);
  packets(10 * 50, 20, 0);
  EXPECT_EQ(delay.wanted_samples(), 20 * kMs) << "forgotten with what has come since";
}

}  // namespace
}  // namespace media
