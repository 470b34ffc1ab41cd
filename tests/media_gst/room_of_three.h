// tests/media_gst/room_of_three.h: three callers in a room of the real engine, each with a tone of
// its own, all on one I/O thread with whoever else comes; and whether each of them heard the two
// others without a gap.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "media/audio_frame.h"
#include "tests/media_gst/engine_fixture.h"
#include "tools/call/tones.h"

namespace media::gst {

class RoomOfThree {
 public:
  static constexpr RoomId kRoom{1};
  static constexpr std::array<double, 3> kTones_hz{440, 610, 970};

  RoomOfThree() : mixer(on_one_thread()) {
    for (std::uint64_t i = 0; i < 3; ++i) {
      callers_.push_back(std::make_unique<TestCaller>(thread, LegId{i + 1}, kTones_hz[i]));
      dial(mixer, *callers_.back(), kRoom);
    }
    plan({});
    for (const auto& caller : callers_) {
      EXPECT_TRUE(mixer.log.wait_for<LegConnected>(caller->leg()));
      EXPECT_TRUE(caller->wait_connected());
      caller->talk();
    }
    listen();  // until everybody is heard by everybody
    for (const auto& caller : callers_) begun_.push_back(caller->packets().size());
  }

  // Who else speaks and hears. `gain`: of what they say; where that is noise, the tones' gaps are
  // still to be seen.
  void plan(const std::vector<LegId>& others, float gain = 1) {
    MixPlan all;
    for (const auto& caller : callers_) all.legs.push_back({.leg = caller->leg()});
    for (const LegId leg : others) all.legs.push_back({.leg = leg, .gain = gain});
    mixer.engine->set_mix_plan(kRoom, all);
  }

  // Until each has heard another second. False: not even in kPatience.
  bool listen() {
    bool heard = true;
    for (const auto& caller : callers_) {
      heard = caller->wait_for_sound(caller->packets().size() * kFrame_samples + 48000) && heard;
    }
    return heard;
  }

  // From construction until now: no packet lost, and no tone missing.
  void expect_no_gap() {
    for (std::size_t i = 0; i < callers_.size(); ++i) {
      SCOPED_TRACE(testing::Message() << "heard by " << i);
      const auto packets = callers_[i]->packets();
      for (std::size_t k = begun_[i] + 1; k < packets.size(); ++k) {
        ASSERT_EQ(sequence(packets[k]), static_cast<std::uint16_t>(sequence(packets[k - 1]) + 1));
      }
      const auto heard = callers_[i]->last_samples((packets.size() - begun_[i]) * kFrame_samples);
      for (std::size_t k = 0; k < kTones_hz.size(); ++k) {
        if (k == i) continue;
        for (const auto& gap : call::gaps(heard, kTones_hz[k], TestCaller::kLevel_dbfs)) {
          ADD_FAILURE() << kTones_hz[k] << " Hz is missing for " << gap.seconds << " s after "
                        << gap.at_s << " s";
        }
      }
      EXPECT_EQ(mixer.log.count<LegFailed>(callers_[i]->leg()), 0U);
    }
  }

  // What the third of them hears of a tone now.
  double level_of(double tone_hz) const {
    return test_support::tone_dbfs(callers_[2]->last_samples(24000), tone_hz);
  }

  Engine mixer;
  CallerThread thread;

 private:
  static EngineConfig on_one_thread() {
    auto config = loopback();
    config.io_threads = 1;
    return config;
  }
  static std::uint16_t sequence(const std::vector<std::uint8_t>& rtp) {
    return static_cast<std::uint16_t>(rtp.at(2) << 8 | rtp.at(3));
  }

  std::vector<std::unique_ptr<TestCaller>> callers_;
  std::vector<std::size_t> begun_;  // packets
};

}  // namespace media::gst
