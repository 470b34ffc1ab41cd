// Three callers in a room: each hears the two others and not itself.
#include <gtest/gtest.h>

#include "tests/e2e/world.h"

namespace e2e {
namespace {

constexpr double kAnn_hz = 440;
constexpr double kBob_hz = 610;
constexpr double kCyd_hz = 970;

class Audio : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }

  CallSpec spec(const std::string& user, double hz, const std::string& to) {
    return {.user = user, .to = to, .play = tone_file(folder_, hz), .record = true};
  }
  // All three talk until each has heard the two others for five seconds; then what they heard is
  // measured.
  void talk(Call& ann, Call& bob, Call& cyd) {
    const std::vector<Heard> recordings{{ann.recording(), kAnn_hz, {kBob_hz, kCyd_hz}},
                                        {bob.recording(), kBob_hz, {kAnn_hz, kCyd_hz}},
                                        {cyd.recording(), kCyd_hz, {kAnn_hz, kBob_hz}}};
    for (const auto& [recording, own_hz, others_hz] : recordings) {
      EXPECT_TRUE(wait_until_heard(recording, others_hz, 5)) << recording;
    }
    for (Call* each : {&ann, &bob, &cyd}) EXPECT_EQ(each->finish(), 0) << each->output();
    expect_all_but_own_heard(recordings);
  }
  void talk_in(Mixer& mixer, const support::Prosody& prosody,
               const std::vector<std::string>& anns_options = {}) {
    auto anns = spec("ann", kAnn_hz, mixer.jid());
    anns.more = anns_options;
    Call ann(prosody, anns);
    Call bob(prosody, spec("bob", kBob_hz, mixer.jid()));
    Call cyd(prosody, spec("cyd", kCyd_hz, mixer.jid()));
    talk(ann, bob, cyd);
    if (HasFailure()) ADD_FAILURE() << mixer.log();
    const auto report = ann.report();
    EXPECT_EQ(report["result"].string(), "success");
    EXPECT_TRUE(report["isfocus"].boolean());
    EXPECT_GT(report["rtp"]["sent"].number(), 100);
    EXPECT_GT(report["rtp"]["received"].number(), 100);
    EXPECT_GE(report["documents"]["full"].number(), 1);
  }

  support::TempDir folder_;
};

TEST_F(Audio, EachOfThreeCallersHearsTheOthersAndNotItself) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  talk_in(mixer, prosody);
}

TEST_F(Audio, TheSameWithTheMixerAsABotThatLoggedIn) {
  auto with_tls = prosody_spec();
  with_tls.tls = true;
  with_tls.components.clear();
  const support::Prosody prosody(with_tls);
  Mixer mixer(prosody, {.client_mode = true});
  talk_in(mixer, prosody);
}

TEST_F(Audio, ACallerWithoutRtcpMuxSharesARoomWithOthers) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  talk_in(mixer, prosody, {"--no-rtcp-mux"});
}

TEST_F(Audio, CallsRunOverIpv6) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody, {.media = "addresses = [\"::1\"]"});
  auto anns = spec("ann", kAnn_hz, mixer.jid());
  auto bobs = spec("bob", kBob_hz, mixer.jid());
  anns.more = bobs.more = {"--address", "::1"};
  Call ann(prosody, anns);
  Call bob(prosody, bobs);
  const std::vector<double> bobs_tone{kBob_hz};
  EXPECT_TRUE(wait_until_heard(ann.recording(), bobs_tone, 2)) << ann.output() << mixer.log();
  EXPECT_EQ(ann.finish(), 0);
  EXPECT_NE(ann.report()["ice"]["remote"].string().find("::1"), std::string::npos);
}

}  // namespace
}  // namespace e2e
