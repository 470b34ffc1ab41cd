// Whom a room dials, as its participants are told (RFC 4575 §5.7.3, §5.7.4), and links to other
// foci that we dialled.
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using coin::EndpointStatus;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost/desk";
constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kUs[] = "room@mixer.localhost/focus";

// Ann in a room, who reads documents and has others dialled by their full JID.
struct Dialler : Bench {
  explicit Dialler(mixer::Config config = open_to_all()) : Bench(std::move(config)) {
    client = disco("x", "urn:xmpp:coin:1");
    up();
    join(kAnn, kRoom, Offer{.sid = "A"});
    wait(1s);
  }
  static mixer::Config open_to_all() {
    mixer::Config config = component_config();
    config.access.anyone = true;
    return config;
  }
  // Dials; the sid and the leg of the call.
  struct Called {
    std::string sid;
    media::LegId leg;
  };
  Called dial(const std::string& full) {
    auto invited = focus.invite(
        {.room = "room", .target = jid(full), .by = jid(kAnn), .reason = "Tea\u202e"}, now);
    EXPECT_FALSE(invited.refused);
    const Step dialled = perform(std::move(invited.commands));
    const media::LegId leg = dialled.all<mixer::OpenLeg>().at(0).spec.leg;
    const Step initiated = media(engine.opened(leg));
    for (const auto& [iq, request] : initiated.jingle()) {
      if (std::holds_alternative<jingle::SessionInitiate>(request.payload)) {
        return {request.sid.value, leg};
      }
    }
    ADD_FAILURE() << "no session-initiate";
    return {};
  }
  // The dialled one accepts; with more children of <jingle/>.
  Step accepts(const std::string& full, const Called& called, const std::string& more = "") {
    std::string xml = Offer{.sid = called.sid, .name = "audio", .more_jingle = more}.xml();
    const std::string initiate = "session-initiate", actpass = "actpass";
    xml.replace(xml.find(initiate), initiate.size(), "session-accept");
    xml.replace(xml.find(actpass), actpass.size(), "active");
    Step step = iq(full, kUs, xml);
    EXPECT_TRUE(step.acked()) << step.answer();
    return step;
  }
  Called connects(const std::string& full, const std::string& more = "") {
    const Called called = dial(full);
    accepts(full, called, more);
    media(engine.connected(called.leg));
    return called;
  }
  std::optional<coin::Endpoint> told_of(const std::string& bare) {
    wait(1s);
    const coin::User* user = listed("A", "xmpp:" + bare);
    if (!user) return std::nullopt;
    EXPECT_EQ(user->endpoints.size(), 1u);
    return user->endpoints.front();
  }
};

TEST(DialledOut, WhoseClientCannotAnswerUsIsLeftAlone) {
  Dialler bench;
  const auto called = bench.dial(kBob);
  std::string xml = Offer{.sid = called.sid, .name = "audio"}.xml();
  xml.replace(xml.find("session-initiate"), 16, "session-accept");  // and leaves DTLS open
  EXPECT_EQ(bench.iq(kBob, kUs, xml).terminated().condition, "security-error");
  const auto again =
      bench.focus.invite({.room = "room", .target = jid(kBob), .by = std::nullopt}, bench.now);
  EXPECT_EQ(again.refused, mixer::InviteRefusal::refused_lately);
}

// All devices of the invited are asked what they are; the one that is called may be another, which
// crashes on documents (Dino).
TEST(DialledOut, WhatAnotherDeviceIsSaysNothingOfTheOneThatIsCalled) {
  Dialler bench;
  bench.answers = false;
  const std::string tablet = "bob@localhost/tablet";
  bench.presence(tablet, kRoom, "",
                 "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>");
  auto invited = bench.focus.invite(
      {.room = "room", .target = jid("bob@localhost"), .by = std::nullopt}, bench.now);
  const Step step = bench.perform(std::move(invited.commands));
  ASSERT_EQ(step.jmi().size(), 1u);
  std::optional<mixer::SendIq> asked;
  for (const auto& iq : step.all<mixer::SendIq>()) {
    if (iq.to == jid(tablet)) asked = iq;
  }
  ASSERT_TRUE(asked);
  const std::string sid = step.jmi()[0].id.value;
  const auto legs =
      bench.message(kBob, kUs, "<proceed xmlns='urn:xmpp:jingle-message:0' id='" + sid + "'/>")
          .all<mixer::OpenLeg>();
  ASSERT_EQ(legs.size(), 1u);
  const media::LegId leg = legs[0].spec.leg;
  bench.media(bench.engine.opened(leg));
  bench.answered(*asked, "result", disco("x", "urn:xmpp:coin:1"));
  bench.accepts(kBob, {sid, leg});
  bench.media(bench.engine.connected(leg));
  for (const auto& [iq, info] : bench.wait(1s).documents()) EXPECT_NE(iq.to, jid(kBob));
}

TEST(DialledOut, TheInvitedIsListedFromTheFirstAndWhoWantedIt) {
  Dialler bench;
  const auto called = bench.dial(kBob);
  auto bob = bench.told_of("bob@localhost");
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->status, EndpointStatus::dialing_out);
  EXPECT_EQ(bob->joining_method, coin::JoiningMethod::dialed_out);
  EXPECT_EQ(bob->joining_info->by, "xmpp:ann@localhost");
  EXPECT_EQ(bob->joining_info->reason, "Tea");
  EXPECT_EQ(bob->joining_info->when, "2026-01-01T00:00:01Z");
  EXPECT_TRUE(bob->media.empty());
  EXPECT_EQ(bench.views.at("A").info()->conference_state->user_count, 1u);

  bench.iq(kBob, kUs, session_info(called.sid, "ringing"));
  EXPECT_EQ(bench.told_of("bob@localhost")->status, EndpointStatus::alerting);
  bench.accepts(kBob, called);
  bench.media(bench.engine.connected(called.leg));
  bob = bench.told_of("bob@localhost");
  EXPECT_EQ(bob->status, EndpointStatus::connected);
  EXPECT_EQ(bob->joining_info->when, "2026-01-01T00:00:03Z") << "when he joined";
  EXPECT_EQ(bob->media.size(), 1u);
  EXPECT_EQ(bench.views.at("A").info()->conference_state->user_count, 2u);
  EXPECT_NE(bench.listed(called.sid, "xmpp:ann@localhost"), nullptr) << "he is told, too";
}

TEST(DialledOut, WhoDeclinesIsListedAsBusyForAWhile) {
  Dialler bench;
  const auto called = bench.dial(kBob);
  bench.iq(kBob, kUs, in_session(called.sid, "session-terminate", "<reason><decline/></reason>"));
  const auto bob = bench.told_of("bob@localhost");
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->status, EndpointStatus::disconnected);
  EXPECT_EQ(bob->disconnection_method, coin::DisconnectionMethod::busy);
  bench.wait(10s);
  EXPECT_FALSE(bench.told_of("bob@localhost"));
}

TEST(DialledOut, WhoDoesNotAnswerHasFailed) {
  Dialler bench;
  bench.dial(kBob);
  bench.wait(45s);
  const auto bob = bench.told_of("bob@localhost");
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->disconnection_method, coin::DisconnectionMethod::failed);
}

TEST(DialledOut, TheInvitedTakeAPlace) {
  mixer::Config config = Dialler::open_to_all();
  config.limits.participants_per_room = 2;
  Dialler bench(config);
  EXPECT_FALSE(
      bench.focus.invite({.room = "room", .target = jid("bob@localhost"), .by = {}}, bench.now)
          .refused);
  const Step refused = bench.iq("cyd@localhost/x", kRoom, Offer{.sid = "C"}.xml());
  EXPECT_EQ(refused.terminated().condition, "busy");
}

// Somebody may be just coming back.
TEST(DialledOut, ALinkThatServesNobodyEndsAfterAWhile) {
  const std::string focus = "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>";
  for (const bool comes_back : {false, true}) {
    Dialler bench;
    const auto link = bench.connects("party@other.localhost/focus", focus);
    EXPECT_TRUE(bench.wait(60s).sent<jingle::SessionTerminate>().empty()) << "ann hears it";
    bench.iq(kAnn, kRoom, terminate("A"));
    EXPECT_TRUE(bench.wait(5s).sent<jingle::SessionTerminate>().empty());
    EXPECT_TRUE(bench.iq("party@other.localhost/focus", kUs, session_info(link.sid))
                    .sent<jingle::SessionTerminate>()
                    .empty());
    EXPECT_TRUE(bench.wait(4s).sent<jingle::SessionTerminate>().empty());
    if (comes_back) bench.join(kAnn, kRoom, Offer{.sid = "A2"});
    const Step step = bench.wait(60s);
    EXPECT_EQ(step.sent<jingle::SessionTerminate>().size(), comes_back ? 0u : 1u);
    EXPECT_EQ(bench.focus.rooms(), comes_back ? 1u : 0u);
  }
}

TEST(DialledOut, ALinkServesPeopleBehindAnother) {
  const std::string focus = "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>";
  Dialler bench;
  bench.connects("party@other.localhost/focus", focus);
  bench.join("ball@third.localhost/focus", kRoom, Offer{.sid = "F", .more_jingle = focus});
  bench.iq(kAnn, kRoom, terminate("A"));
  EXPECT_TRUE(bench.wait(60s).sent<jingle::SessionTerminate>().empty())
      << "there may be somebody behind a focus that told nothing";
  bench.iq("ball@third.localhost/focus", kRoom,
           "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
           "entity='xmpp:ball@third.localhost' state='full' version='1'>"
           "<conference-description/><users state='full'/></conference-info>");
  EXPECT_EQ(bench.wait(60s).sent<jingle::SessionTerminate>().size(), 1u);
}

TEST(DialledOut, AParticipantWeDialledStaysWhenAllOthersLeave) {
  Dialler bench;
  bench.connects(kBob);
  bench.iq(kAnn, kRoom, terminate("A"));
  EXPECT_TRUE(bench.wait(60s).sent<jingle::SessionTerminate>().empty());
}

}  // namespace
