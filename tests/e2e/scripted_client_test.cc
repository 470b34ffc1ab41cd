// Clients as they are (tests/peers/clients.cc) with a real server and real sound: each calls a room
// and the bot and is called by a room that is to invite it. What it sends connects it, it hears and
// is heard, and nothing it is sent would make it give up.
#include <gtest/gtest.h>

#include "tests/e2e/scripted_client.h"
#include "tests/support/sanitized.h"

namespace e2e {
namespace {

constexpr double kAnn_hz = 440;
constexpr double kCyd_hz = 970;
constexpr char kInvites[] = "[room.room]\ninvite = [\"cyd@localhost\"]";

struct Case {
  peers::Client client;
  peers::Part part = peers::Part::calls;
  bool bot = false;
};
void PrintTo(const Case& each, std::ostream* out) { PrintTo(each.client, out); }

class ScriptedClients : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    const auto& [client, part, bot] = GetParam();
    const bool calls = part == peers::Part::calls;
    if (test_support::kSanitized && (bot || !calls)) {
      GTEST_SKIP() << "sanitized in the simulator, and over Prosody what calls a room";
    }
    auto spec = prosody_spec();
    spec.tls = bot;
    prosody_.emplace(spec);
    mixer_.emplace(*prosody_, Mixer::Spec{.client_mode = bot, .more = calls ? "" : kInvites});
    const std::string room = bot ? "bot@localhost" : mixer_->jid();
    if (!calls) {
      cyd_.emplace(client, part, *prosody_, "cyd", room, kCyd_hz);
      ASSERT_TRUE(cyd_->run_until([&] { return cyd_->ready(); })) << cyd_->story();
    }
    ann_.emplace(*prosody_, CallSpec{.user = "ann",
                                     .to = mixer_->jid(),
                                     .play = tone_file(folder_, kAnn_hz),
                                     .record = true});
    ASSERT_TRUE(ann_->wait_for("connected")) << ann_->output();
    if (calls) cyd_.emplace(client, part, *prosody_, "cyd", room, kCyd_hz);
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
  if (!GetParam().client.joins) {
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

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const peers::Client& client : peers::clients()) {
    out.push_back({client});
    out.push_back({client, peers::Part::calls, true});
    const auto part =
        client.proposed_to.empty() ? peers::Part::is_called : peers::Part::is_proposed_to;
    if (!peers::script(client, part).empty()) out.push_back({client, part});
  }
  return out;
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  const auto& [client, part, bot] = info.param;
  if (part != peers::Part::calls) return client.name + "IsCalled";
  return client.name + (bot ? "CallsTheBot" : "CallsARoom");
}

INSTANTIATE_TEST_SUITE_P(E2e, ScriptedClients, testing::ValuesIn(cases()), name_of);

}  // namespace
}  // namespace e2e
