// A call that moves to another device of its user (XEP-0353 §4.2), as the others see it: one user
// throughout, whatever order things happen in.
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using coin::EndpointStatus;

constexpr char kPhone[] = "ann@localhost/phone";
constexpr char kTablet[] = "ann@localhost/tablet";
constexpr char kBob[] = "bob@localhost/desk";
constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kUs[] = "room@mixer.localhost/focus";

// Bob, who reads documents, and ann, who moves from her phone to her tablet.
struct Move : Bench {
  // `proposed`: as the phone's call was.
  explicit Move(bool proposed, const mixer::Config& config = component_config()) : Bench(config) {
    client = disco("x", "urn:xmpp:coin:1");
    up();
    watch(media(engine.connected(calls(kBob, "B", kRoom))));
    if (proposed) watch(message(kPhone, kRoom, propose("A1")));
    phone = calls(kPhone, "A1", proposed ? kUs : kRoom);
    watch(media(engine.connected(phone)));
    watch(wait(2s));
  }
  static std::string propose(const std::string& sid) {
    return "<propose xmlns='urn:xmpp:jingle-message:0' id='" + sid +
           "'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>";
  }
  // Up to the accept.
  media::LegId calls(const std::string& who, const std::string& sid, const std::string& to) {
    const Step step = iq(who, to, Offer{.sid = sid}.xml());
    watch(step);
    const auto leg = step.all<mixer::OpenLeg>().at(0).spec.leg;
    watch(media(engine.opened(leg)));
    return leg;
  }
  // What bob was told of ann, document by document; nullopt: she is not listed.
  void watch(const Step& step) {
    for (const auto& [iq, info] : step.documents()) {
      if (iq.to != jid(kBob)) continue;
      bob.receive(info);
      ASSERT_TRUE(bob.info() && !bob.stale());
      std::optional<std::vector<EndpointStatus>> ann;
      for (const coin::User& user : bob.info()->users->users) {
        if (user.entity != "xmpp:ann@localhost") continue;
        for (const auto& endpoint : user.endpoints) {
          (ann ? *ann : ann.emplace()).push_back(endpoint.status.value());
        }
      }
      told.push_back(ann);
    }
  }
  void proposes() { watch(message(kTablet, kRoom, propose("A2"))); }
  void initiates() { tablet = calls(kTablet, "A2", kUs); }
  void connects() { watch(media(engine.connected(tablet))); }
  void phone_ends(bool fails) {
    if (!engine.legs().contains(phone)) return;  // replaced already
    watch(fails ? media(media::LegFailed{phone, media::LegFailure::consent_lost, "gone"})
                : iq(kPhone, kUs, terminate("A1")));
  }
  media::LegId phone, tablet;
  coin::View bob;
  std::vector<std::optional<std::vector<EndpointStatus>>> told;
};

TEST(Migration, TheUserIsNeverListedAsDepartedWhateverTheOrder) {
  for (int order = 0; order < 3; ++order) {
    for (const bool fails : {false, true}) {
      for (const bool proposed : {false, true}) {
        for (const auto gap : {0ms, 300ms, 2000ms}) {
          SCOPED_TRACE("phone ends after step " + std::to_string(order) +
                       (fails ? " by failing" : "") + (proposed ? ", proposed" : "") + ", gap " +
                       std::to_string(gap.count()) + " ms");
          Move move(proposed);
          move.told.clear();
          move.proposes();
          move.watch(move.wait(gap));
          if (order == 0) move.phone_ends(fails);
          move.watch(move.wait(gap));
          move.initiates();
          move.watch(move.wait(gap));
          if (order == 1) move.phone_ends(fails);
          move.watch(move.wait(gap));
          move.connects();
          move.watch(move.wait(gap));
          if (order == 2) move.phone_ends(fails);
          move.watch(move.wait(20s));
          ASSERT_FALSE(move.told.empty());
          for (const auto& ann : move.told) {
            ASSERT_TRUE(ann) << "deleted";
            EXPECT_EQ(std::ranges::count(*ann, EndpointStatus::disconnected), 0) << "departed";
          }
          EXPECT_EQ(move.told.back(), std::vector{EndpointStatus::connected});
        }
      }
    }
  }
}

// RFC 4575 §5.7: "status: alerting while it rings, dialing-in while he is coming"
TEST(Migration, WhoseOtherDeviceNeverCallsHasLeftAfterAll) {
  Move move(true);
  move.proposes();
  move.phone_ends(false);
  move.watch(move.wait(2s));
  EXPECT_EQ(move.told.back(), std::vector{EndpointStatus::dialing_in});
  EXPECT_EQ(move.bob.info()->conference_state->user_count, 1u);
  move.watch(move.wait(30s));
  EXPECT_EQ(move.told.back(), std::vector{EndpointStatus::disconnected});
  move.watch(move.wait(12s));
  EXPECT_EQ(move.told.back(), std::nullopt);
}

TEST(Migration, WhoseOtherDeviceFailsHasLeftAfterAll) {
  Move move(true);
  move.proposes();
  move.phone_ends(false);
  move.initiates();
  move.watch(move.wait(35s));
  EXPECT_EQ(move.told.back(), std::vector{EndpointStatus::dialing_in}) << "it may connect yet";
  move.watch(move.media(media::LegFailed{move.tablet, media::LegFailure::ice_failed, "no way"}));
  move.watch(move.wait(1s));
  EXPECT_EQ(move.told.back(), std::vector{EndpointStatus::disconnected});
}

TEST(Migration, WhoHangsUpLongAfterAMoveThatCameToNothingLeaves) {
  Move move(true);
  move.proposes();
  move.watch(move.wait(60s));
  move.phone_ends(false);
  move.watch(move.wait(1s));
  EXPECT_EQ(move.told.back(), std::vector{EndpointStatus::disconnected});
}

// A device that lost everything and calls again by the same name (XEP-0353 §4.2: "resume").
TEST(Migration, ADeviceThatProposesAnewReplacesItsOwnCall) {
  Move move(true);
  move.watch(move.message(kPhone, kRoom, Move::propose("A2")));
  const auto again = move.calls(kPhone, "A2", kUs);
  const Step step = move.media(move.engine.connected(again));
  move.watch(step);
  EXPECT_EQ(step.terminated().condition, "expired") << "though it was alive a moment ago";
  move.watch(move.wait(2s));
  EXPECT_EQ(move.told.back(), std::vector{EndpointStatus::connected});
  EXPECT_EQ(move.focus.legs(), 2u);
}

TEST(Migration, AProposalReplacesOneThatNoCallHasFollowedYet) {
  Move move(true);
  move.phone_ends(false);
  move.wait(1s);
  move.message(kPhone, kRoom, Move::propose("A3"));
  const auto events = move.message(kTablet, kRoom, Move::propose("A4")).jmi();
  ASSERT_EQ(events.size(), 3u);
  const auto* finish = std::get_if<jingle::jmi::Finish>(&events[1].payload);
  ASSERT_TRUE(finish);
  EXPECT_EQ(events[1].id.value, "A3");
  EXPECT_EQ(finish->migrated_to, "A4");
  EXPECT_EQ(finish->reason.condition, "expired");
  EXPECT_TRUE(std::holds_alternative<jingle::jmi::Proceed>(events[2].payload));
  for (const auto& event : move.wait(60s).jmi()) EXPECT_EQ(event.id.value, "A4");
}

// The way is not lost when the proposal that the call moves to is itself replaced.
TEST(Migration, ACallMovesAlongAChainOfProposals) {
  Move move(true);
  move.proposes();
  move.message("ann@localhost/desk", kRoom, Move::propose("A3"));
  const auto desk = move.calls("ann@localhost/desk", "A3", kUs);
  const Step step = move.media(move.engine.connected(desk));
  EXPECT_EQ(step.terminated().condition, "expired");
  EXPECT_EQ(move.focus.legs(), 2u);
}

TEST(Migration, InARoomOfManyDevicesEachIsAnEndpoint) {
  mixer::Config config = component_config();
  config.room_defaults.multi_device = true;
  Move move(true, config);
  const Step proposed = move.message(kTablet, kRoom, Move::propose("A2"));
  EXPECT_EQ(proposed.jmi().size(), 2u) << "ringing and proceed, and nothing is finished";
  move.initiates();
  move.connects();
  move.watch(move.wait(2s));
  EXPECT_EQ(move.told.back(), (std::vector{EndpointStatus::connected, EndpointStatus::connected}));
  EXPECT_EQ(move.bob.info()->conference_state->user_count, 2u) << "one user";
  EXPECT_EQ(move.focus.legs(), 3u);
  // The same device again is no further one.
  move.message(kTablet, kRoom, Move::propose("A3"));
  const auto again = move.calls(kTablet, "A3", kUs);
  EXPECT_EQ(move.media(move.engine.connected(again)).terminated().condition, "expired");
  EXPECT_EQ(move.focus.legs(), 3u);
}

// Of ann, who moves, and her phone hangs up: what is said in the next two seconds.
Step moves_and_hangs_up(Bench& bench) {
  bench.message(kPhone, kRoom, Move::propose("A1"));
  bench.join(kPhone, kUs, Offer{.sid = "A1"});
  bench.message(kTablet, kRoom, Move::propose("A2"));
  Step step = bench.iq(kPhone, kUs, terminate("A1"));
  const Step later = bench.wait(2s);
  step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
  return step;
}

// He is about to come back: nobody who rings is told that it is over.
TEST(Migration, OfTheOnlyOneInTheRoomLetsItsInvitationsRing) {
  mixer::Config config = component_config();
  config.room_defaults.invite = {jid("cat@localhost")};
  Bench bench(config);
  bench.up();
  const Step step = moves_and_hangs_up(bench);
  for (const auto& event : step.jmi()) {
    EXPECT_FALSE(std::holds_alternative<jingle::jmi::Retract>(event.payload));
  }
  // The other device never calls: the conference is over after all.
  int retracted = 0;
  for (const auto& event : bench.wait(40s).jmi()) {
    retracted += std::holds_alternative<jingle::jmi::Retract>(event.payload);
  }
  EXPECT_EQ(retracted, 1);
}

TEST(Migration, OfOneOfTwoLeavesItAConference) {
  mixer::Config config = component_config();
  config.room_defaults.focus = mixer::FocusWhen::multiparty;
  Bench bench(config);
  bench.client = disco("x", "urn:xmpp:coin:1");
  bench.up();
  bench.join(kBob, kRoom, Offer{.sid = "B"});
  const Step step = moves_and_hangs_up(bench);
  EXPECT_TRUE(step.sent<jingle::SessionInfo>().empty());
  EXPECT_EQ(bench.wait(40s).sent<jingle::SessionInfo>().size(), 1u) << "alone after all";
}

}  // namespace
