// The mixer dials out: guests named in the configuration, by JMI and directly (XEP-0353, XEP-0166).
#include <gtest/gtest.h>

#include "tests/e2e/world.h"

namespace e2e {
namespace {

using Names = std::vector<std::string>;

constexpr double kAnn_hz = 440;
constexpr double kBob_hz = 610;

class Dialling : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }

  static Mixer::Spec inviting(const std::string& guest) {
    return {.more = "[room.room]\ndeparted-seconds = 60\ninvite = [\"" + guest + "\"]"};
  }
  // Some document of that caller holds `text`.
  static bool told(const Call& call, const std::string& text) {
    for (const std::string& document : call.documents()) {
      if (document.find(text) != std::string::npos) return true;
    }
    return false;
  }

  support::TempDir folder_;
};

TEST_F(Dialling, AGuestIsCalledWhenTheFirstCallerIsInAndBothHearEachOther) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody, inviting("bob@localhost"));
  Call bob(prosody, {.user = "bob",
                     .play = tone_file(folder_, kBob_hz),
                     .record = true,
                     .more = {"--ring", "1"}});
  ASSERT_TRUE(bob.wait_for("online")) << bob.output();
  Call ann(prosody,
           {.user = "ann", .to = mixer.jid(), .play = tone_file(folder_, kAnn_hz), .record = true});
  EXPECT_TRUE(ann.wait_until([](const Call& call) {
    return call.roster() == Names{"ann", "bob"};
  })) << ann.output()
      << bob.output() << mixer.log();
  EXPECT_TRUE(told(ann, "<status>alerting</status>")) << ann.output();
  EXPECT_TRUE(told(ann, "<joining-method>dialed-out</joining-method>")) << ann.output();

  const std::vector<Heard> recordings{{ann.recording(), kAnn_hz, {kBob_hz}},
                                      {bob.recording(), kBob_hz, {kAnn_hz}}};
  for (const auto& [recording, own_hz, others_hz] : recordings) {
    EXPECT_TRUE(wait_until_heard(recording, others_hz, 5)) << recording << mixer.log();
  }
  bob.say("hangup");
  EXPECT_EQ(bob.finish(), 0) << bob.output();
  EXPECT_TRUE(bob.report()["isfocus"].boolean());
  EXPECT_GE(bob.report()["documents"]["full"].number(), 1);
  EXPECT_TRUE(ann.wait_until([](const Call& call) {
    return told(call, "<disconnection-method>departed</disconnection-method>");
  })) << ann.output();
  EXPECT_EQ(ann.finish(), 0) << ann.output();
  expect_all_but_own_heard(recordings);
  if (HasFailure()) ADD_FAILURE() << mixer.log();
}

TEST_F(Dialling, WhoIsBusyIsListedAsBusy) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody, inviting("bob@localhost"));
  Call bob(prosody, {.user = "bob", .more = {"--busy"}});
  ASSERT_TRUE(bob.wait_for("online")) << bob.output();
  Call ann(prosody, {.user = "ann", .to = mixer.jid()});
  EXPECT_TRUE(ann.wait_until([](const Call& call) {
    return told(call, "<disconnection-method>busy</disconnection-method>");
  })) << ann.output()
      << bob.output() << mixer.log();
}

TEST_F(Dialling, ABotInvitesToo) {
  auto with_tls = prosody_spec();
  with_tls.tls = true;
  const support::Prosody prosody(with_tls);
  Mixer mixer(prosody, {.client_mode = true, .more = "[room.bot]\ninvite = [\"bob@localhost\"]"});
  Call bob(prosody, {.user = "bob"});
  ASSERT_TRUE(bob.wait_for("online")) << bob.output();
  Call ann(prosody, {.user = "ann", .to = mixer.jid()});
  EXPECT_TRUE(ann.wait_until([](const Call& call) {
    return call.roster() == Names{"ann", "bob"};
  })) << ann.output()
      << bob.output() << mixer.log();
}

}  // namespace
}  // namespace e2e
