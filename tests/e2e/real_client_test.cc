// Real clients among our own callers: other XMPP code, other ICE, DTLS-SRTP and Opus at the other
// end of the call. Each dials the mixer's room, and the mixer as a bot.
#include "tests/e2e/real_client.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "tests/support/eventually.h"
#include "tests/support/sanitized.h"

namespace e2e {
namespace {

constexpr double kAnn_hz = 440;
constexpr double kBob_hz = 610;
constexpr double kCyd_hz = 970;  // the real client's
constexpr double kApart_db = 50;

struct Case {
  Stack stack;
  bool bot;
};

class RealClients : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    const auto [stack, bot] = GetParam();
    if (stack == Stack::chromium && test_support::kSanitized) {
      GTEST_SKIP() << "a browser beside a sanitized mixer takes minutes; the preset dev has it";
    }
    if (const auto why = RealClient::missing(stack); !why.empty()) GTEST_SKIP() << why;
    auto spec = prosody_spec();
    spec.websocket = stack == Stack::chromium;
    spec.tls = bot;
    prosody_.emplace(spec);
    mixer_.emplace(*prosody_,
                   Mixer::Spec{.client_mode = bot,
                               .media = "addresses = [\"" + address() + "\"]\nbitrate = 96000"});
    ann_.emplace(*prosody_, spec_of("ann", kAnn_hz));
    bob_.emplace(*prosody_, spec_of("bob", kBob_hz));
    cyd_.emplace(stack, *prosody_,
                 RealClient::Spec{.user = "cyd", .hz = kCyd_hz, .address = address()});
    ASSERT_TRUE(cyd_->wait_for("online")) << cyd_->output();
    cyd_->say(dial() + " " + mixer_->jid());
    ASSERT_TRUE(others_see("cyd", "connected", "sendrecv"));
  }
  void TearDown() override {
    if (!cyd_) return;
    EXPECT_EQ(cyd_->finish(), 0);
    if (HasFailure()) ADD_FAILURE() << cyd_->output() << mixer_->log();
  }

  virtual std::string address() const { return "127.0.0.1"; }  // where all media is
  virtual std::string dial() const { return "dial"; }
  CallSpec spec_of(const std::string& user, double hz) {
    return {.user = user,
            .to = mixer_->jid(),
            .play = tone_file(folder_, hz),
            .record = true,
            .more = {"--address", address()}};
  }
  // In the documents that ann and bob get.
  bool others_see(const std::string& who, const std::string& status, const std::string& media) {
    const auto seen = [&](const Call& call) {
      const auto entry = call.roster_entry(who);
      return entry["status"].string() == status && entry["media_status"].string() == media;
    };
    return ann_->wait_until(seen) && bob_->wait_until(seen);
  }
  // Whether the last second of what `caller` heard comes to hold the tone, or no trace of it.
  static bool comes_to_hear(const Call& caller, double hz) {
    return support::eventually([&] { return last_dbfs(caller.recording(), hz) > kTone_dbfs - 3; },
                               kWait);
  }
  static bool comes_not_to_hear(const Call& caller, double hz) {
    return support::eventually(
        [&] { return last_dbfs(caller.recording(), hz) < kTone_dbfs - kApart_db; }, kWait);
  }
  bool others_come_to_hear_cyd() {
    return comes_to_hear(*ann_, kCyd_hz) && comes_to_hear(*bob_, kCyd_hz);
  }
  bool others_come_not_to_hear_cyd() {
    return comes_not_to_hear(*ann_, kCyd_hz) && comes_not_to_hear(*bob_, kCyd_hz);
  }

  support::TempDir folder_;
  std::optional<support::Prosody> prosody_;
  std::optional<Mixer> mixer_;
  std::optional<Call> ann_, bob_;
  std::optional<RealClient> cyd_;
};

TEST_P(RealClients, HearAreHeardMuteHoldAndHangUp) {
  EXPECT_TRUE(cyd_->wait_for("accepted"));  // its words may come later than the others' documents
  EXPECT_TRUE(cyd_->last("accepted")["isfocus"].boolean());
  const std::vector<Heard> recordings{{ann_->recording(), kAnn_hz, {kBob_hz, kCyd_hz}},
                                      {bob_->recording(), kBob_hz, {kAnn_hz, kCyd_hz}},
                                      {cyd_->recording(), kCyd_hz, {kAnn_hz, kBob_hz}}};
  for (const auto& [recording, own_hz, others_hz] : recordings) {
    EXPECT_TRUE(wait_until_heard(recording, others_hz, 5)) << recording;
  }
  expect_all_but_own_heard(recordings);

  cyd_->say("mute");
  EXPECT_TRUE(others_see("cyd", "connected", "recvonly"));
  EXPECT_TRUE(others_come_not_to_hear_cyd());
  EXPECT_TRUE(comes_to_hear(*cyd_, kBob_hz)) << "who is muted hears";
  cyd_->say("unmute");
  EXPECT_TRUE(others_see("cyd", "connected", "sendrecv"));
  EXPECT_TRUE(others_come_to_hear_cyd());

  cyd_->say("hold");
  EXPECT_TRUE(ann_->wait_until(
      [](const Call& call) { return call.roster_entry("cyd")["status"].string() == "on-hold"; }));
  EXPECT_TRUE(others_come_not_to_hear_cyd());
  EXPECT_TRUE(comes_not_to_hear(*cyd_, kBob_hz)) << "who holds is sent no sound";  // XEP-0167 §8.2
  cyd_->say("unhold");
  EXPECT_TRUE(others_see("cyd", "connected", "sendrecv"));
  EXPECT_TRUE(others_come_to_hear_cyd());
  EXPECT_TRUE(comes_to_hear(*cyd_, kBob_hz));

  cyd_->say("hangup");
  EXPECT_TRUE(cyd_->wait_for("ended"));
  EXPECT_EQ(cyd_->last("ended")["detail"].string(), "success");
  EXPECT_TRUE(ann_->wait_until([](const Call& call) {
    return call.roster() == std::vector<std::string>{"ann", "bob"};
  }));
  EXPECT_FALSE(cyd_->happened("error"));
}

TEST_P(RealClients, SeeWhoIsThereAndWhyTheyAreHungUpOn) {
  EXPECT_TRUE(cyd_->wait_for("document"));
  ann_->say("mute");
  EXPECT_TRUE(others_see("ann", "connected", "recvonly"));
  if (GetParam().stack == Stack::chromium) {
    // StanzaJS takes the document for an unknown request. The call goes on without, and a chat
    // message says who is there.
    EXPECT_TRUE(cyd_->wait_for("refused-iq"));
    EXPECT_NE(cyd_->last("refused-iq")["detail"].string().find("service-unavailable"),
              std::string::npos);
    EXPECT_TRUE(cyd_->wait_for("chat"));
    EXPECT_EQ(cyd_->documents().size(), 1U);
  } else {
    EXPECT_TRUE(cyd_->wait_until([](const Call& call) {
      return call.documents().back().find("recvonly") != std::string::npos;
    }));
  }
  EXPECT_TRUE(comes_to_hear(*cyd_, kBob_hz));
  EXPECT_FALSE(cyd_->happened("error"));  // later, what was on its way may find nobody there

  mixer_->process().signal(SIGTERM);
  EXPECT_EQ(mixer_->process().wait(kWait), 0);
  EXPECT_TRUE(cyd_->wait_for("ended"));
  EXPECT_EQ(cyd_->last("ended")["detail"].string(), "gone");
  EXPECT_NE(cyd_->last("ended")["text"].string(), "");
}

// XEP-0176 §5.9
TEST_P(RealClients, RestartIceAndStay) {
  if (GetParam().stack != Stack::chromium) GTEST_SKIP() << "aiortc knows no ICE restart";
  for (int i = 1; i <= 2; ++i) {
    cyd_->say("restart");
    EXPECT_TRUE(support::eventually([&] { return mixer_->logged("ice restarted:") == i; }, kWait));
    EXPECT_TRUE(others_come_to_hear_cyd());
    EXPECT_TRUE(comes_to_hear(*cyd_, kBob_hz));
  }
  EXPECT_FALSE(cyd_->happened("ended"));
  EXPECT_FALSE(cyd_->happened("error"));
}

class RealClientsOverIpv6 : public RealClients {
  std::string address() const override { return "::1"; }
};

TEST_P(RealClientsOverIpv6, HearAndAreHeard) {
  EXPECT_TRUE(comes_to_hear(*cyd_, kBob_hz));
  EXPECT_TRUE(others_come_to_hear_cyd());
}

class RealClientsWithVideo : public RealClients {
  std::string dial() const override { return "dial-with-video"; }
};

// It is accepted, so that the client stays, and goes neither way.
TEST_P(RealClientsWithVideo, AreHeardAndNotSeen) {
  EXPECT_TRUE(comes_to_hear(*cyd_, kBob_hz));
  EXPECT_TRUE(others_come_to_hear_cyd());
  EXPECT_TRUE(cyd_->wait_for("accepted"));
  EXPECT_TRUE(cyd_->last("accepted")["video"].boolean());
  cyd_->say("hangup");
  EXPECT_TRUE(cyd_->wait_for("ended"));
  const auto report = call::Json::parse(cyd_->last("statistics")["detail"].string());
  ASSERT_TRUE(report) << cyd_->output();
  EXPECT_GT((*report)["packetsSent"].number(), 0);
  EXPECT_EQ((*report)["video-packetsSent"].number(), 0);
  EXPECT_EQ((*report)["video-packetsReceived"].number(), 0);
  EXPECT_FALSE(cyd_->happened("error"));
}

// Chromium's StanzaJS knows no proposals (XEP-0353), but sends a receipt for ours; aiortc takes it.
class InvitedRealClients : public testing::TestWithParam<Stack> {};

TEST_P(InvitedRealClients, HearAreHeardAndHangUp) {
  REQUIRE_PROSODY();
  const Stack stack = GetParam();
  if (stack == Stack::chromium && test_support::kSanitized) {
    GTEST_SKIP() << "no browser beside a sanitized mixer";
  }
  if (const auto why = RealClient::missing(stack); !why.empty()) GTEST_SKIP() << why;
  auto spec = prosody_spec();
  spec.websocket = stack == Stack::chromium;
  const support::Prosody prosody(spec);
  Mixer mixer(prosody, {.more = "[room.room]\ninvite = [\"cyd@localhost\"]"});
  const support::TempDir folder;
  RealClient cyd(stack, prosody, {.user = "cyd", .hz = kCyd_hz});
  ASSERT_TRUE(cyd.wait_for("online")) << cyd.output();
  cyd.say("expect " + mixer.jid());
  ASSERT_TRUE(cyd.wait_for("told")) << cyd.output();
  Call ann(prosody,
           {.user = "ann", .to = mixer.jid(), .play = tone_file(folder, kAnn_hz), .record = true});
  const auto there = [&](std::vector<std::string> who) {
    return ann.wait_until([&](const Call& call) { return call.roster() == who; });
  };
  ASSERT_TRUE(there({"ann", "cyd"})) << cyd.output() << ann.output() << mixer.log();
  EXPECT_TRUE(wait_until_heard(ann.recording(), std::vector{kCyd_hz}, 3));
  EXPECT_TRUE(wait_until_heard(cyd.recording(), std::vector{kAnn_hz}, 3));
  cyd.say("hangup");
  EXPECT_TRUE(cyd.wait_for("ended"));
  EXPECT_TRUE(there({"ann"}));
  EXPECT_FALSE(cyd.happened("error"));
  EXPECT_EQ(cyd.finish(), 0);
  if (HasFailure()) ADD_FAILURE() << cyd.output() << ann.output() << mixer.log();
}

std::string stack_name(Stack stack) { return stack == Stack::chromium ? "Chromium" : "Aiortc"; }
std::string name_of(const testing::TestParamInfo<Case>& info) {
  return stack_name(info.param.stack) + (info.param.bot ? "DialsTheBot" : "DialsTheRoom");
}

const auto kCases = testing::Values(Case{Stack::chromium, false}, Case{Stack::chromium, true},
                                    Case{Stack::aiortc, false}, Case{Stack::aiortc, true});
INSTANTIATE_TEST_SUITE_P(E2e, RealClients, kCases, name_of);
INSTANTIATE_TEST_SUITE_P(E2e, InvitedRealClients, testing::Values(Stack::chromium, Stack::aiortc),
                         [](const auto& info) { return stack_name(info.param); });
INSTANTIATE_TEST_SUITE_P(E2e, RealClientsWithVideo, testing::Values(Case{Stack::chromium, false}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(E2e, RealClientsOverIpv6,
                         testing::Values(Case{Stack::chromium, false}, Case{Stack::aiortc, false}),
                         name_of);

}  // namespace
}  // namespace e2e
