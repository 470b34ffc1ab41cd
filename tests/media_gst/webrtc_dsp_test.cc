// Voices through GStreamer's webrtcdsp: less noise, more of quiet voices, nothing where nothing is
// wanted.
#include "media/gst/webrtc_dsp.h"

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/audio.h"
#include "tests/support/seed.h"
#include "tests/support/speech.h"

namespace media::gst {
namespace {

using test_support::rms_dbfs;
using test_support::Samples;

class WebrtcDsp : public testing::Test {
 protected:
  void SetUp() override {
    gst_init(nullptr, nullptr);
    if (!has_webrtc_dsp()) GTEST_SKIP() << "GStreamer's webrtcdsp is not installed";
  }
  static Samples processed(const VoiceProcessing& wanted, Samples sound) {
    const auto filter = make_webrtc_dsp(wanted);
    for (std::size_t at = 0; at + kFrame_samples <= sound.size(); at += kFrame_samples) {
      Frame frame;
      std::copy_n(sound.begin() + static_cast<std::ptrdiff_t>(at), frame.size(), frame.begin());
      filter->process(frame);
      std::ranges::copy(frame, sound.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return sound;
  }
  static double end_dbfs(const Samples& sound) {
    return rms_dbfs(std::span(sound).last(3 * 48000));
  }
};

TEST_F(WebrtcDsp, NothingIsDoneWhereNothingIsWanted) { EXPECT_EQ(make_webrtc_dsp({}), nullptr); }

TEST_F(WebrtcDsp, NoiseIsTakenAwayAndSpeechStays) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::normal_distribution<double> noise(0, 150);
  Samples hiss(6 * 48000);
  for (auto& sample : hiss) sample = static_cast<std::int16_t>(noise(random));
  const Samples voice = test_support::speech(140, hiss.size());
  Samples both(hiss.size());
  std::ranges::transform(voice, hiss, both.begin(),
                         [](int a, int b) { return static_cast<std::int16_t>(a + b); });
  const VoiceProcessing wanted{.denoise = true};
  EXPECT_LT(end_dbfs(processed(wanted, hiss)), end_dbfs(hiss) - 8);
  EXPECT_NEAR(end_dbfs(processed(wanted, both)), end_dbfs(voice), 2);
}

TEST_F(WebrtcDsp, QuietVoicesAreLiftedMoreThanLoudOnes) {
  const Samples quiet = test_support::speech(140, 10 * 48000, 3.1, 1500);
  const Samples loud = test_support::speech(140, 10 * 48000, 3.1, 30000);
  const VoiceProcessing wanted{.automatic_gain = true};
  const double quiet_db = end_dbfs(processed(wanted, quiet)) - end_dbfs(quiet);
  const double loud_db = end_dbfs(processed(wanted, loud)) - end_dbfs(loud);
  EXPECT_NEAR(quiet_db, 11.7, 1.5);
  EXPECT_LT(loud_db, quiet_db - 6);
}

}  // namespace
}  // namespace media::gst
