// Invitations that are ended by what is done about others at the same instant.
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::Dial;
namespace jmi = jingle::jmi;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kOther[] = "room@other.example/focus";
constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kUs[] = "room@mixer.localhost/focus";

struct Dialler : Bench {
  Dialler() : Bench(config()) {
    client =
        "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' "
        "type='pc' name='x'/><feature var='urn:xmpp:jingle:1'/><feature "
        "var='urn:xmpp:jingle:apps:rtp:audio'/><feature "
        "var='urn:xmpp:jingle:transports:ice-udp:1'/></query>";
    up();
  }
  static mixer::Config config() {
    mixer::Config config = component_config();
    config.access.anyone = true;
    return config;
  }
  Step invite(const std::string& target) {
    auto invited = focus.invite({.room = "room", .target = jid(target), .by = std::nullopt}, now);
    EXPECT_FALSE(invited.refused) << target;
    return perform(std::move(invited.commands));
  }
  // A call of ours to another focus, connected.
  void link() {
    const auto leg = invite(kOther).all<mixer::OpenLeg>().at(0).spec.leg;
    const Step initiated = media(engine.opened(leg));
    std::string sid;
    for (const auto& [iq, request] : initiated.jingle()) sid = request.sid.value;
    std::string xml =
        Offer{.sid = sid,
              .name = "audio",
              .more_jingle = "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>"}
            .xml();
    xml.replace(xml.find("session-initiate"), 16, "session-accept");
    xml.replace(xml.find("actpass"), 7, "active");
    EXPECT_TRUE(iq(kOther, kUs, xml).acked());
    media(engine.connected(leg));
  }
};

// When nobody on our side is left, the call to the other focus ends and with it every invitation;
// that is found out while the first of two silent ones is called directly.
TEST(DialRace, WhatAnotherInvitationEndedIsNotActedUpon) {
  Dialler bench;
  for (const char* device : {"bob@localhost/phone", "carl@localhost/phone"}) {
    bench.presence(device, kRoom, "",
                   "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>");
  }
  bench.join(kAnn, kRoom, Offer{.sid = "A"});
  bench.link();
  bench.iq(kAnn, kRoom, terminate("A"));
  bench.wait(5s);
  bench.invite("bob@localhost");
  bench.invite("carl@localhost");
  const Step step = bench.wait(5s);
  ASSERT_EQ(step.terminated().condition, "success") << "the link has not ended at this instant";
  std::map<std::string, int> retracts;
  for (const auto& event : step.jmi()) {
    if (std::holds_alternative<jmi::Retract>(event.payload)) ++retracts[event.id.value];
  }
  EXPECT_EQ(retracts.size(), 2u);
  for (const auto& [sid, count] : retracts) EXPECT_EQ(count, 1) << sid;
  EXPECT_LE(step.all<mixer::OpenLeg>().size(), 1u) << "carl was called into a room that is over";
  bench.wait(60s);
  EXPECT_EQ(bench.focus.rooms(), 0u);
  EXPECT_EQ(bench.focus.legs(), 0u);
}

TEST(DialRace, ACopyStandsForAsLongAsItsInvitationIsAsItWas) {
  mixer::Dialling dialling;
  const TimePoint now{1000s};
  const auto dial = [](std::uint64_t leg) {
    return Dial{.room = "room",
                .leg = {leg},
                .sid = {"S" + std::to_string(leg)},
                .target = jid("bob@localhost"),
                .by = std::nullopt};
  };
  dialling.propose(dial(1), now);
  const Dial copy = dialling.all().at(0);
  EXPECT_TRUE(dialling.stands(copy));
  dialling.end({1}, false, now);
  EXPECT_FALSE(dialling.stands(copy)) << "over";
  dialling.propose(dial(2), now);
  EXPECT_FALSE(dialling.stands(copy)) << "another";
  const Dial second = dialling.all().at(0);
  dialling.call(second, jid("bob@localhost/phone"));
  EXPECT_FALSE(dialling.stands(second)) << "called by now";
}

// XEP-0166 §7.2.16: only what is for the same media crosses.
TEST(DialRace, AFileOfferedByTheInvitedMeanwhileIsNoAnswer) {
  constexpr char kBob[] = "bob@localhost/phone";
  for (const char* sid : {"z", "!"}) {
    Dialler bench;
    bench.join(kAnn);
    bench.media(bench.engine.opened(bench.invite(kBob).all<mixer::OpenLeg>().at(0).spec.leg));
    const Step step =
        bench.iq(kBob, kUs,
                 in_session(sid, "session-initiate",
                            "<content creator='initiator' name='f'><description "
                            "xmlns='urn:xmpp:jingle:apps:file-transfer:5'/></content>"));
    EXPECT_TRUE(step.acked()) << sid;
    EXPECT_EQ(step.terminated().condition, "unsupported-applications") << sid;
    EXPECT_EQ(bench.engine.close_count(), 0u) << sid;
    EXPECT_EQ(bench.focus.legs(), 2u) << sid;
  }
}

}  // namespace
