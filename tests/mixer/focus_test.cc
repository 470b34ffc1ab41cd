// The domain as a whole: discovery, who may dial and how often, presence, start and end.
#include "mixer/focus.h"

#include "mixer/features.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::OpenLeg;
using mixer::SendPresence;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";
const std::string kInfo = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
const std::string kItems = "<query xmlns='http://jabber.org/protocol/disco#items'/>";

std::string info_node(const std::string& node) {
  return "<query xmlns='http://jabber.org/protocol/disco#info' node='" + node + "'/>";
}
jingle::DiscoInfo parse_info(const Step& step) {
  const auto xml = jingle::Xml::parse(step.reply().result.value());
  return jingle::DiscoInfo::parse(xml->root()).value();
}

// XEP-0298 §7: "If an entity supports Coin, it SHOULD advertise that fact by returning a feature"
TEST(Disco, ARoomLooksLikeAPhoneThatEveryClientCanCall) {
  Bench bench;
  for (const char* to : {"room@mixer.localhost", "room@mixer.localhost/focus"}) {
    const auto info = parse_info(bench.iq("ann@localhost", to, kInfo, "get"));
    ASSERT_EQ(info.identities.size(), 1u);
    EXPECT_EQ(info.identities[0].category, "client");
    EXPECT_EQ(info.identities[0].type, "phone");
    // All of them and no other: what is missing loses a client, what does not work loses its calls.
    EXPECT_EQ(info.features,
              (std::set<std::string>{
                  "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items",
                  "http://jabber.org/protocol/caps", "urn:xmpp:ping", "urn:xmpp:jingle:1",
                  "urn:xmpp:jingle:apps:rtp:1", "urn:xmpp:jingle:apps:rtp:audio",
                  "urn:xmpp:jingle:apps:rtp:rtcp-fb:0", "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0",
                  "urn:xmpp:jingle:transports:ice-udp:1", "urn:xmpp:jingle:apps:dtls:0",
                  "urn:xmpp:jingle-message:0", "urn:ietf:rfc:5888", "urn:ietf:rfc:5576",
                  "urn:xmpp:coin:1", "urn:xmpp:coin", "urn:xmpp:receipts"}));
  }
}

TEST(Disco, EveryRoomThereIsOrCouldBeHasTheSameCaps) {
  Bench bench;
  bench.join(kAnn);
  const auto open = parse_info(bench.iq(kAnn, kRoom, kInfo, "get"));
  const auto dreamt = parse_info(bench.iq("ann@localhost", "dreamt@mixer.localhost", kInfo, "get"));
  EXPECT_EQ(open.caps_ver(), dreamt.caps_ver());
}

TEST(Disco, TheCapsNodeIsMirroredAndOthersNotFound) {
  Bench bench;
  const auto ver = parse_info(bench.iq(kAnn, kRoom, kInfo, "get")).caps_ver();
  const std::string node = std::string(mixer::kCapsNode) + "#" + ver;
  const Step step = bench.iq(kAnn, kRoom, info_node(node), "get");
  ASSERT_TRUE(step.acked());
  EXPECT_NE(step.reply().result->find(node), std::string::npos);
  EXPECT_EQ(parse_info(step).caps_ver(), ver);
  EXPECT_EQ(bench.iq(kAnn, kRoom, info_node("nope"), "get").answer(), "item-not-found");
  EXPECT_EQ(bench.iq(kAnn, "mixer.localhost", info_node(node), "get").answer(), "item-not-found");
}

TEST(Disco, TheDomainIsAComponentThatListsPublicRooms) {
  mixer::Config config = component_config();
  config.rooms["tea"] = {.name = "tea", .display_text = "Tea", .subject = {}, .is_public = true};
  config.rooms["secret"] = {.name = "secret", .display_text = {}, .subject = {}};
  Bench bench(config);
  const auto info = parse_info(bench.iq(kAnn, "mixer.localhost", kInfo, "get"));
  EXPECT_EQ(info.identities.at(0).category, "component");
  EXPECT_FALSE(info.features.contains("urn:xmpp:jingle:1"));
  bench.join(kAnn);
  const std::string items = bench.iq(kAnn, "mixer.localhost", kItems, "get").reply().result.value();
  EXPECT_NE(items.find("tea@mixer.localhost"), std::string::npos);
  EXPECT_EQ(items.find("secret"), std::string::npos);
  EXPECT_EQ(items.find("room@"), std::string::npos) << "dialled rooms are not public";
  EXPECT_EQ(Bench().iq(kAnn, "mixer.localhost", kItems, "get").reply().result.value(),
            "<query xmlns='http://jabber.org/protocol/disco#items'></query>");
}

// XEP-0030 §4: nothing to list is an empty result, and commands there are none.
TEST(Disco, AFullJidHasNoItemsAndNobodyHasANode) {
  Bench bench;
  EXPECT_EQ(bench.iq(kAnn, "room@mixer.localhost/focus", kItems, "get").reply().result.value(),
            "<query xmlns='http://jabber.org/protocol/disco#items'></query>");
  for (const char* to : {"mixer.localhost", kRoom, "room@mixer.localhost/focus"}) {
    EXPECT_EQ(bench
                  .iq(kAnn, to,
                      "<query xmlns='http://jabber.org/protocol/disco#items' "
                      "node='http://jabber.org/protocol/commands'/>",
                      "get")
                  .answer(),
              "item-not-found");
  }
}

TEST(Disco, ARoomsItemIsItsCallableJid) {
  Bench bench;
  EXPECT_NE(bench.iq(kAnn, kRoom, kItems, "get").reply().result->find("room@mixer.localhost/focus"),
            std::string::npos);
}

TEST(Disco, WhereOnlyListedRoomsExistOthersAreNotFound) {
  mixer::Config config = component_config();
  config.create_rooms_on_dial = false;
  config.rooms["tea"] = {.name = "tea", .display_text = {}, .subject = {}};
  Bench bench(config);
  EXPECT_EQ(bench.iq(kAnn, kRoom, kInfo, "get").answer(), "item-not-found");
  EXPECT_EQ(bench.iq(kAnn, kRoom, Offer{}.xml()).answer(), "service-unavailable");
  EXPECT_EQ(bench.iq(kAnn, "tea@mixer.localhost", kInfo, "get").answer(), "result");
  EXPECT_EQ(bench.iq(kAnn, "tea@mixer.localhost", Offer{}.xml()).answer(), "result");
  EXPECT_TRUE(bench.presence("ann@localhost", kRoom, "subscribe").all<SendPresence>().at(0).type ==
              "unsubscribed");
}

TEST(Ping, IsAnswered) {
  Bench bench;
  EXPECT_EQ(bench.iq(kAnn, kRoom, "<ping xmlns='urn:xmpp:ping'/>", "get").answer(), "result");
  EXPECT_EQ(bench.iq(kAnn, "mixer.localhost", "<ping xmlns='urn:xmpp:ping'/>", "get").answer(),
            "result");
}

// XEP-0054, XEP-0092, XEP-0202, XEP-0012, XEP-0050, XEP-0045: clients ask for them unasked.
TEST(Unsupported, IsServiceUnavailableToEverybodyEverywhere) {
  Bench bench;
  for (const char* payload :
       {"<vCard xmlns='vcard-temp'/>", "<query xmlns='jabber:iq:version'/>",
        "<time xmlns='urn:xmpp:time'/>", "<query xmlns='jabber:iq:last'/>",
        "<query xmlns='http://jabber.org/protocol/muc#owner'/>",
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:metadata'/>"
        "</pubsub>"}) {
    for (const char* to : {kRoom, "room@mixer.localhost/focus", "mixer.localhost"}) {
      for (const char* from : {kAnn, "ann@localhost", "eve@evil.example/x"}) {
        EXPECT_EQ(bench.iq(from, to, payload, "get").answer(), "service-unavailable") << payload;
      }
    }
  }
  EXPECT_EQ(bench
                .iq(kAnn, kRoom,
                    "<command xmlns='http://jabber.org/protocol/commands' node='x' "
                    "action='execute'/>")
                .answer(),
            "service-unavailable");
}

TEST(Limits, StrangersAreRefusedOnOneLogLineAndLeaveNothing) {
  Bench bench;
  const Step step = bench.iq("eve@evil.example/x", kRoom, Offer{}.xml());
  EXPECT_EQ(step.answer(), "service-unavailable");
  EXPECT_EQ(step.all<mixer::Log>().size(), 1u);
  EXPECT_EQ(step.commands.size(), 2u);
  std::size_t lines = 0;
  for (int i = 0; i < 1000; ++i) {
    lines += bench.iq("eve@evil.example/x", kRoom, Offer{}.xml()).all<mixer::Log>().size();
  }
  EXPECT_LT(lines, 30u) << "a flood must not fill the disk";
  EXPECT_EQ(bench.focus.rooms(), 0u);
}

TEST(Limits, ThreePendingCallsPerBareJid) {
  Bench bench;
  for (int i = 0; i < 3; ++i) {
    const std::string n = std::to_string(i);
    EXPECT_EQ(bench.iq("ann@localhost/" + n, "r" + n + "@mixer.localhost", Offer{}.xml()).answer(),
              "result");
  }
  EXPECT_EQ(bench.iq(kAnn, kRoom, Offer{}.xml()).answer(), "resource-constraint");
  EXPECT_EQ(bench.iq("bob@localhost/x", kRoom, Offer{}.xml()).answer(), "result");
}

TEST(Limits, TenCallsAMinutePerBareJid) {
  Bench bench;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(bench.iq(kAnn, kRoom, Offer{}.xml()).answer(), "result") << i;
    bench.iq(kAnn, kRoom, terminate("S1"));
  }
  EXPECT_EQ(bench.iq(kAnn, kRoom, Offer{}.xml()).answer(), "resource-constraint");
  bench.wait(61s);
  EXPECT_EQ(bench.iq(kAnn, kRoom, Offer{}.xml()).answer(), "result");
}

TEST(Limits, AFullRoomIsBusyAFullProcessAResourceConstraint) {
  mixer::Config config = component_config();
  config.limits.participants_per_room = 1;
  config.limits.participants = 2;
  Bench bench(config);
  bench.join(kAnn);
  const Step busy = bench.iq("bob@localhost/x", kRoom, Offer{}.xml());
  EXPECT_TRUE(busy.acked());
  EXPECT_EQ(busy.terminated().condition, "busy");
  EXPECT_FALSE(busy.terminated().text.empty());
  bench.join("bob@localhost/x", "other@mixer.localhost");
  EXPECT_EQ(bench.iq("cyd@localhost/x", "third@mixer.localhost", Offer{}.xml()).answer(),
            "resource-constraint");
}

TEST(Limits, RoomsCreatedPerDomainAndHour) {
  mixer::Config config = component_config();
  config.limits.rooms_per_domain_and_hour = 2;
  config.rooms["listed"] = {.name = "listed", .display_text = {}, .subject = {}};
  Bench bench(config);
  bench.join("a@localhost/x", "r1@mixer.localhost");
  bench.join("b@localhost/x", "r2@mixer.localhost");
  EXPECT_EQ(bench.iq("c@localhost/x", "r3@mixer.localhost", Offer{}.xml()).answer(),
            "resource-constraint");
  EXPECT_EQ(bench.iq("c@localhost/x", "r1@mixer.localhost", Offer{}.xml()).answer(), "result");
  EXPECT_EQ(bench.iq("d@localhost/x", "listed@mixer.localhost", Offer{}.xml()).answer(), "result");
}

TEST(Limits, NobodyIsServedAndTheKeyIsNamedIfTheOwnServerIsUnknown) {
  mixer::Config config = component_config();
  config.xmpp.jid = jid("mixer");
  Bench bench(config);
  const auto lines = bench.up().all<mixer::Log>();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].level, mixer::Log::Level::error);
  EXPECT_NE(lines[0].text.find("access.dial"), std::string::npos);
  EXPECT_TRUE(bench.up().all<mixer::Log>().empty());
}

TEST(ClientMode, TheAccountIsOneConference) {
  Bench bench(client_config());
  const Step up = bench.up(false, "bot@localhost/focus");
  const auto presences = up.all<SendPresence>();
  ASSERT_EQ(presences.size(), 1u);
  EXPECT_TRUE(presences[0].to.empty());
  EXPECT_NE(presences[0].payload.find("http://jabber.org/protocol/caps"), std::string::npos);
  EXPECT_EQ(parse_info(bench.iq(kAnn, "bot@localhost/focus", kInfo, "get")).identities.at(0).type,
            "bot");
  const auto leg = bench.join(kAnn, "bot@localhost/focus");
  EXPECT_EQ(bench.focus.legs(), 1u);
  EXPECT_FALSE(bench.engine.legs().at(leg).spec.ice_controlling);
  EXPECT_EQ(bench.iq("eve@evil.example/x", "bot@localhost/focus", Offer{}.xml()).answer(),
            "service-unavailable");
}

TEST(ClientMode, ContactsOfTheRosterMayCall) {
  Bench bench(client_config());
  bench.answers = false;
  const auto asked = bench.up(false, "bot@localhost/focus").all<mixer::SendIq>();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_NE(asked[0].payload.find("jabber:iq:roster"), std::string::npos);
  const std::string roster =
      "<query xmlns='jabber:iq:roster'><item jid='cyd@far.example' subscription='both'/></query>";
  bench.answered(asked[0], "result", roster, "eve@evil.example");
  EXPECT_EQ(bench.iq("cyd@far.example/x", "bot@localhost/focus", Offer{}.xml()).answer(),
            "service-unavailable")
      << "only our own server knows our roster";
  bench.answered(asked[0], "result", roster);
  EXPECT_EQ(bench.iq("cyd@far.example/x", "bot@localhost/focus", Offer{}.xml()).answer(), "result");
}

TEST(ClientMode, CallsToAnotherNameEndAfterAFailedResumption) {
  Bench bench(client_config());
  bench.up(false, "bot@localhost/focus");
  bench.join(kAnn, "bot@localhost/focus");
  bench.handle(mixer::ConnectionDown{});
  bench.up(false, "bot@localhost/focus-2");
  EXPECT_EQ(bench.wait(29s).terminated().condition, "");
  EXPECT_EQ(bench.wait(2s).terminated().condition, "connectivity-error");
}

TEST(Shutdown, EndsEveryCallWithAReason) {
  Bench bench;
  bench.up();
  bench.presence("ann@localhost", kRoom, "subscribe");
  bench.join(kAnn);
  bench.call("bob@localhost/x", "other@mixer.localhost");
  bench.message("cyd@localhost/x", kRoom,
                "<propose xmlns='urn:xmpp:jingle-message:0' id='P'><description "
                "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>");
  const Step step = bench.handle(mixer::ShutdownRequested{});
  const auto ends = step.sent<jingle::SessionTerminate>();
  ASSERT_EQ(ends.size(), 2u);
  for (const auto& end : ends) {
    EXPECT_EQ(end.reason.condition, "gone");
    EXPECT_FALSE(end.reason.text.empty());
  }
  EXPECT_EQ(step.jmi().size(), 1u);
  EXPECT_EQ(step.all<SendPresence>().at(0).type, "unavailable");
  EXPECT_EQ(bench.focus.legs(), 0u);
  EXPECT_EQ(bench.iq(kAnn, kRoom, Offer{}.xml()).answer(), "resource-constraint");
}

TEST(Idle, ThousandsOfConfiguredRoomsHaveNoTimerAndNoLeg) {
  mixer::Config config = component_config();
  for (int i = 0; i < 10000; ++i) {
    const std::string name = "r" + std::to_string(i);
    config.rooms[name] = {.name = name, .display_text = {}, .subject = {}};
  }
  Bench bench(config);
  // A room's pipeline comes with its first leg.
  EXPECT_TRUE(bench.up().all<OpenLeg>().empty());
  bench.iq(kAnn, "r0@mixer.localhost", kInfo, "get");
  bench.iq(kAnn, "r9999@mixer.localhost", "<ping xmlns='urn:xmpp:ping'/>", "get");
  EXPECT_FALSE(bench.focus.next_deadline());
  EXPECT_EQ(bench.focus.rooms(), 0u);
  EXPECT_EQ(bench.focus.legs(), 0u);
}

}  // namespace
