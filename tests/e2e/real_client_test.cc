// Real clients among our own callers: other XMPP code, other ICE, DTLS-SRTP and Opus at the other
// end of the call. Each dials the mixer's room, and the mixer as a bot.
#include "tests/e2e/real_client.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/support/eventually.h"
#include "tools/call/tones.h"
#include "tools/call/wav.h"

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
    if (const auto why = RealClient::missing(stack); !why.empty()) GTEST_SKIP() << why;
    auto spec = prosody_spec();
    spec.websocket = stack == Stack::chromium;
    spec.tls = bot;
    prosody_.emplace(spec);
    mixer_.emplace(*prosody_, Mixer::Spec{.client_mode = bot});
    ann_.emplace(*prosody_, spec_of("ann", kAnn_hz));
    bob_.emplace(*prosody_, spec_of("bob", kBob_hz));
    cyd_.emplace(stack, *prosody_, "cyd", kCyd_hz);
    ASSERT_TRUE(cyd_->wait_for("online")) << cyd_->output();
    cyd_->say("dial " + mixer_->jid());
    ASSERT_TRUE(others_see("cyd", "connected", "sendrecv"));
  }
  void TearDown() override {
    if (!cyd_) return;
    EXPECT_EQ(cyd_->finish(), 0);
    if (HasFailure()) ADD_FAILURE() << cyd_->output() << mixer_->log();
  }

  CallSpec spec_of(const std::string& user, double hz) {
    return {.user = user, .to = mixer_->jid(), .play = tone_file(folder_, hz), .record = true};
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

  mixer_->process().signal(SIGTERM);
  EXPECT_EQ(mixer_->process().wait(kWait), 0);
  EXPECT_TRUE(cyd_->wait_for("ended"));
  EXPECT_EQ(cyd_->last("ended")["detail"].string(), "gone");
  EXPECT_NE(cyd_->last("ended")["text"].string(), "");
  EXPECT_FALSE(cyd_->happened("error"));
}

// Three minutes each, and not in the default run: ctest --preset dev -C long -R LongCalls
class LongCalls : public RealClients {
 protected:
  static constexpr std::size_t kSamples = std::size_t{180} * 48000;

  // In the last three minutes of a recording.
  static void expect_no_gap(const Call& caller, double hz) {
    SCOPED_TRACE(caller.recording() + " at " + std::to_string(hz) + " Hz");
    const auto sound = call::read_wav(caller.recording());
    ASSERT_TRUE(sound && sound->samples.size() >= kSamples);
    const auto samples = std::span(sound->samples).last(kSamples);
    EXPECT_GT(call::tone_dbfs(samples.first(1920), hz), kTone_dbfs - 3) << "at the beginning";
    EXPECT_GT(call::tone_dbfs(samples.last(1920), hz), kTone_dbfs - 3) << "at the end";
    for (const auto& gap : call::gaps(samples, hz, kTone_dbfs)) {
      ADD_FAILURE() << gap.seconds << " s are missing after " << gap.at_s << " s";
    }
  }
};

TEST_P(LongCalls, HaveNoGapInThreeMinutes) {
  ASSERT_TRUE(others_come_to_hear_cyd());
  ASSERT_TRUE(comes_to_hear(*cyd_, kAnn_hz) && comes_to_hear(*cyd_, kBob_hz));
  const std::filesystem::path recording = cyd_->recording();
  const auto until = file_size(recording) + kSamples * sizeof(std::int16_t);
  EXPECT_TRUE(
      support::eventually([&] { return file_size(recording) > until; }, std::chrono::minutes(5)));
  expect_no_gap(*cyd_, kAnn_hz);
  expect_no_gap(*cyd_, kBob_hz);
  expect_no_gap(*ann_, kCyd_hz);
  cyd_->say("hangup");
  EXPECT_TRUE(cyd_->wait_for("ended"));
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return std::string(info.param.stack == Stack::chromium ? "Chromium" : "Aiortc") +
         (info.param.bot ? "DialsTheBot" : "DialsTheRoom");
}

const auto kCases = testing::Values(Case{Stack::chromium, false}, Case{Stack::chromium, true},
                                    Case{Stack::aiortc, false}, Case{Stack::aiortc, true});
INSTANTIATE_TEST_SUITE_P(E2e, RealClients, kCases, name_of);
INSTANTIATE_TEST_SUITE_P(E2e, LongCalls, kCases, name_of);

}  // namespace
}  // namespace e2e
