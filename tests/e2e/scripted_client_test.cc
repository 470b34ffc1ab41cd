// Clients as they are (tests/peers/clients.cc) with a real server and real sound: what each sends
// connects it, it hears and is heard, and nothing it is sent would make it give up.
#include <gtest/gtest.h>

#include "tests/e2e/scripted_client.h"

namespace e2e {
namespace {

constexpr double kAnn_hz = 440;
constexpr double kCyd_hz = 970;

class ScriptedClients : public testing::TestWithParam<peers::Client> {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    prosody_.emplace(prosody_spec());
    mixer_.emplace(*prosody_);
    ann_.emplace(*prosody_, CallSpec{.user = "ann",
                                     .to = mixer_->jid(),
                                     .play = tone_file(folder_, kAnn_hz),
                                     .record = true});
    ASSERT_TRUE(ann_->wait_for("connected")) << ann_->output();
    cyd_.emplace(GetParam(), *prosody_, "cyd", mixer_->jid(), kCyd_hz);
  }
  void TearDown() override {
    if (!cyd_) return;
    for (const auto& complaint : cyd_->peer().complaints()) ADD_FAILURE() << complaint;
    EXPECT_TRUE(cyd_->peer().ended());
    if (HasFailure()) ADD_FAILURE() << mixer_->log();
  }

  bool ann_sees_cyd(const std::string& status, const std::string& media) {
    return cyd_->run_until([&] {
      const auto entry = ann_->roster_entry("cyd");
      return entry["status"].string() == status && entry["media_status"].string() == media;
    });
  }
  bool is_heard(const std::string& recording, double hz) {
    return cyd_->run_until([&] { return last_dbfs(recording, hz) > kTone_dbfs - 3; });
  }
  bool both_are_heard() {
    return is_heard(cyd_->recording(), kAnn_hz) && is_heard(ann_->recording(), kCyd_hz);
  }
  void look_at(peers::Act act) {
    switch (act) {
      case peers::Act::mute: EXPECT_TRUE(ann_sees_cyd("connected", "recvonly")); break;
      case peers::Act::hold: EXPECT_TRUE(ann_sees_cyd("on-hold", "inactive")); break;
      case peers::Act::unmute: EXPECT_TRUE(ann_sees_cyd("connected", "sendrecv")); [[fallthrough]];
      case peers::Act::add_video: EXPECT_TRUE(both_are_heard()); break;
      default: break;
    }
  }

  support::TempDir folder_;
  std::optional<support::Prosody> prosody_;
  std::optional<Mixer> mixer_;
  std::optional<Call> ann_;
  std::optional<ScriptedClient> cyd_;
};

TEST_P(ScriptedClients, HearAndAreHeardOrAreToldWhyNot) {
  const peers::Peer& peer = cyd_->peer();
  if (!GetParam().joins) {
    EXPECT_TRUE(cyd_->run_until([&] { return peer.ended(); }));
    EXPECT_EQ(peer.reason(), "security-error");
    EXPECT_NE(peer.reason_text(), "");
    return;
  }
  cyd_->run_until([&] { return peer.memory().connected || peer.ended(); });
  ASSERT_TRUE(peer.memory().connected && !peer.ended());
  EXPECT_TRUE(ann_sees_cyd("connected", "sendrecv"));
  EXPECT_TRUE(both_are_heard());
  int restarts = 0;
  while (const auto act = cyd_->step()) {
    SCOPED_TRACE(static_cast<int>(*act));
    look_at(*act);
    if (*act == peers::Act::restart) ++restarts;
    if (*act == peers::Act::trickle && restarts > 0) {
      EXPECT_TRUE(cyd_->run_until([&] { return cyd_->restarts() == restarts; }));
      EXPECT_TRUE(both_are_heard());
    }
  }
  EXPECT_TRUE(peer.ended());
  EXPECT_TRUE(cyd_->run_until([&] { return ann_->roster() == std::vector<std::string>{"ann"}; }));
}

INSTANTIATE_TEST_SUITE_P(E2e, ScriptedClients, testing::ValuesIn(peers::clients()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace e2e
