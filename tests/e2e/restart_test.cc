// A caller changes its network in the middle of a call (XEP-0176 §5.9): it stays, and everybody
// goes on hearing it.
#include <gtest/gtest.h>

#include "tests/e2e/world.h"
#include "tests/support/audio.h"

namespace e2e {
namespace {

constexpr double kAnn_hz = 440;
constexpr double kBob_hz = 610;
constexpr double kCyd_hz = 970;

class Restart : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }
  CallSpec spec(const std::string& user, double hz, const std::string& to) {
    return {.user = user, .to = to, .play = tone_file(folder_, hz), .record = true};
  }
  support::TempDir folder_;
};

// Samples of 20 ms pieces without the tone, between its first and its last.
std::size_t missing_samples(const std::string& recording, double hz) {
  const auto [rate_hz, samples] = test_support::read_wav(recording);
  const auto piece = static_cast<std::size_t>(rate_hz / 50);
  std::size_t missing = 0, since_last = 0;
  bool begun = false;
  for (std::size_t at = 0; at + piece <= samples.size(); at += piece) {
    const std::span window(samples.data() + at, piece);
    if (test_support::tone_dbfs(window, hz, rate_hz) > kTone_dbfs - 10) {
      if (begun) missing += since_last;
      begun = true;
      since_last = 0;
    } else {
      since_last += piece;
    }
  }
  return missing;
}

TEST_P(Restart, ACallerThatMovesToAnotherAddressGoesOnHearingAndBeingHeard) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  auto anns = spec("ann", kAnn_hz, mixer.jid());
  if (*GetParam()) anns.more = {GetParam()};
  Call ann(prosody, anns);
  Call bob(prosody, spec("bob", kBob_hz, mixer.jid()));
  Call cyd(prosody, spec("cyd", kCyd_hz, mixer.jid()));
  const std::vector<Heard> recordings{{ann.recording(), kAnn_hz, {kBob_hz, kCyd_hz}},
                                      {bob.recording(), kBob_hz, {kAnn_hz, kCyd_hz}},
                                      {cyd.recording(), kCyd_hz, {kAnn_hz, kBob_hz}}};
  for (const auto& [recording, own_hz, others_hz] : recordings) {
    ASSERT_TRUE(wait_until_heard(recording, others_hz, 3)) << recording << mixer.log();
  }
  ann.say("restart 127.0.0.2");
  ASSERT_TRUE(ann.wait_for("reconnected")) << ann.output() << mixer.log();
  for (const auto& [recording, own_hz, others_hz] : recordings) {
    EXPECT_TRUE(wait_until_heard(recording, others_hz, 8)) << recording << mixer.log();
  }
  for (Call* each : {&ann, &bob, &cyd}) EXPECT_EQ(each->finish(), 0) << each->output();
  expect_all_but_own_heard(recordings);
  EXPECT_NE(ann.report()["ice"]["local"].string().find("127.0.0.2"), std::string::npos);
  EXPECT_EQ(mixer.logged("ice restarted:"), 1) << mixer.log();
  for (const Call* listener : {&bob, &cyd}) {
    // The way of three stanzas, and a check each way; what is given up only after a time is 5 s.
    EXPECT_LT(missing_samples(listener->recording(), kAnn_hz), 3 * 48000U);
  }
  RecordProperty("missing_samples", static_cast<int>(missing_samples(bob.recording(), kAnn_hz)));
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutRtcpMux, Restart, testing::Values("", "--no-rtcp-mux"),
                         [](const auto& info) {
                           return std::string(*info.param ? "without_mux" : "with_mux");
                         });

}  // namespace
}  // namespace e2e
