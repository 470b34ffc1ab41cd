// Who leaves a conference, as the others are told (RFC 4575 §5.7.6, §5.7.7).
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using coin::DisconnectionMethod;
using coin::EndpointStatus;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost/desk";
constexpr char kRoom[] = "room@mixer.localhost";

// Ann in a room, who reads documents; bob comes and goes.
struct Meeting : Bench {
  explicit Meeting(std::chrono::seconds departed_for = 10s) : Bench(config(departed_for)) {
    client = disco("x", "urn:xmpp:coin:1");
    join(kAnn, kRoom, Offer{.sid = "A"});
    wait(1s);
  }
  static mixer::Config config(std::chrono::seconds departed_for) {
    mixer::Config config = component_config();
    config.room_defaults.departed_for = departed_for;
    return config;
  }
  media::LegId bob_joins(const std::string& sid) {
    const auto leg = join(kBob, kRoom, Offer{.sid = sid});
    wait(1s);
    return leg;
  }
  // What ann was told of bob's endpoints.
  std::vector<coin::Endpoint> bob() const {
    const coin::User* user = listed("A", "xmpp:bob@localhost");
    return user ? user->endpoints : std::vector<coin::Endpoint>{};
  }
  std::uint32_t count() const { return *views.at("A").info()->conference_state->user_count; }
};

TEST(Departure, WhoLeavesStaysListedAsDisconnectedForAWhile) {
  Meeting meeting;
  meeting.bob_joins("B");
  ASSERT_EQ(meeting.bob().size(), 1u);
  EXPECT_EQ(meeting.bob()[0].joining_info->when, "2026-01-01T00:00:01Z");
  EXPECT_EQ(meeting.count(), 2u);

  meeting.iq(kBob, kRoom, terminate("B"));
  meeting.wait(1s);
  ASSERT_EQ(meeting.bob().size(), 1u);
  const coin::Endpoint gone = meeting.bob()[0];
  EXPECT_EQ(gone.status, EndpointStatus::disconnected);
  EXPECT_EQ(gone.disconnection_method, DisconnectionMethod::departed);
  EXPECT_EQ(gone.disconnection_info->when, "2026-01-01T00:00:02Z");
  EXPECT_EQ(meeting.count(), 1u) << "who left is counted no more";

  meeting.wait(8s);
  EXPECT_EQ(meeting.bob().size(), 1u);
  meeting.wait(2s);
  EXPECT_TRUE(meeting.bob().empty());
}

TEST(Departure, WhoComesBackIsThereAgainAndNothingElse) {
  Meeting meeting;
  meeting.bob_joins("B1");
  meeting.iq(kBob, kRoom, terminate("B1"));
  meeting.wait(1s);
  meeting.bob_joins("B2");
  ASSERT_EQ(meeting.bob().size(), 1u);
  EXPECT_EQ(meeting.bob()[0].status, EndpointStatus::connected);
  meeting.wait(20s);
  EXPECT_EQ(meeting.bob().size(), 1u);
}

TEST(Departure, ARoomMayListNobodyWhoLeft) {
  Meeting meeting(0s);
  meeting.bob_joins("B");
  meeting.iq(kBob, kRoom, terminate("B"));
  meeting.wait(1s);
  EXPECT_TRUE(meeting.bob().empty());
}

TEST(Departure, WhoWasNeverInTheRoomDidNotLeaveIt) {
  Meeting meeting;
  meeting.call(kBob, kRoom, Offer{.sid = "B"});
  meeting.wait(1s);
  meeting.iq(kBob, kRoom, terminate("B"));
  const Step refused = meeting.iq(kBob, kRoom, Offer{.sid = "C", .fingerprint = ""}.xml());
  EXPECT_EQ(refused.terminated().condition, "security-error");
  meeting.wait(20s);
  EXPECT_EQ(meeting.views.at("A").info()->version, 1u) << "there was nothing to tell";
}

TEST(Departure, ACallThatAnotherOfTheSameUserReplacesLeavesNoTrace) {
  Meeting meeting;
  const auto old = meeting.bob_joins("B1");
  meeting.media(media::LegQuiet{old});
  meeting.wait(4s);
  const Step replaced = [&] {
    const auto leg = meeting.call(kBob, kRoom, Offer{.sid = "B2"});
    return meeting.media(meeting.engine.connected(leg));
  }();
  EXPECT_EQ(replaced.terminated().condition, "expired");
  meeting.wait(1s);
  ASSERT_EQ(meeting.bob().size(), 1u);
  EXPECT_EQ(meeting.bob()[0].status, EndpointStatus::connected);
}

TEST(Departure, AFailedLegIsToldAsAFailure) {
  Meeting meeting;
  const auto leg = meeting.bob_joins("B");
  meeting.media(media::LegFailed{leg, media::LegFailure::consent_lost, "gone"});
  meeting.wait(1s);
  ASSERT_EQ(meeting.bob().size(), 1u);
  EXPECT_EQ(meeting.bob()[0].disconnection_method, DisconnectionMethod::failed);
}

TEST(Departure, ARoomOfNobodyButTheDepartedEnds) {
  Meeting meeting;
  meeting.bob_joins("B");
  meeting.iq(kBob, kRoom, terminate("B"));
  meeting.iq(kAnn, kRoom, terminate("A"));
  EXPECT_EQ(meeting.focus.rooms(), 0u);
  EXPECT_FALSE(meeting.focus.next_deadline());
}

}  // namespace
