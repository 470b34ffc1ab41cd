// XEP-0298 by its sentences, where no other test shows what one says. tests/coin/sentences.txt has
// the list of them; each test says above itself which it is for.
#include <set>
#include <sstream>

#include "tests/support/data.h"
#include "tests/support/focus_bench.h"
#include "tests/support/xsd_validator.h"

namespace {

using namespace test;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost/desk";
constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kDocument[] =
    "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='xmpp:x@y' "
    "state='full' version='1'><conference-description/><users/></conference-info>";

std::string isfocus(const char* value) {
  return std::string("<conference-info xmlns='urn:xmpp:coin:1' isfocus='") + value + "'/>";
}
// Everything said until the caller is connected.
Step dial(Bench& bench, const std::string& who, Offer offer = {}) {
  Step step = bench.iq(who, kRoom, offer.xml());
  const auto leg = step.all<mixer::OpenLeg>().at(0).spec.leg;
  for (const Step& more :
       {bench.media(bench.engine.opened(leg)), bench.media(bench.engine.connected(leg))}) {
    step.commands.insert(step.commands.end(), more.commands.begin(), more.commands.end());
  }
  return step;
}

// XEP-0298 §4: "In essence Coin allows clients that establish Jingle calls to determine whether"
// XEP-0298 §5: "When creating conference calls mixers SHOULD indicate the nature of the call as"
// XEP-0298 §5: "Similarly mixers being dialed by new participants SHOULD indicate the nature of"
TEST(CoinSentences, TheAnswerToACallerSaysFocus) {
  Bench bench;
  const auto said = dial(bench, kAnn).jingle();
  ASSERT_GE(said.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<jingle::TransportInfo>(said[0].second.payload));
  EXPECT_EQ(std::get<jingle::SessionAccept>(said[1].second.payload).isfocus, true);
}

// A client that knows neither Coin nor how to answer it.
// XEP-0298 §1: "Basic participation or hosting of tightly coupled conferences requires no"
// XEP-0298 §1: "With the exception of the mixing agent, call members, however, all perceive the"
// XEP-0298 §3: "Impose no requirements on agents joining the call other than those necessary"
TEST(CoinSentences, AnOrdinaryCallIsAllThatACallerNeeds) {
  Bench bench;
  bench.join(kBob, kRoom, Offer{.sid = "B"});
  bench.answers = false;
  Step step = dial(bench, kAnn);
  const auto accepts = step.sent<jingle::SessionAccept>();
  ASSERT_EQ(accepts.size(), 1u);
  EXPECT_EQ(accepts[0].contents.size(), 1u);
  const std::string error =
      "<error type='cancel'><service-unavailable "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
  for (int i = 0; i < 3; ++i) {
    for (const auto& iq : step.all<mixer::SendIq>()) {
      const bool is_accept = iq.payload.find("session-accept") != iq.payload.npos;
      bench.answered(iq, is_accept ? "result" : "error", is_accept ? "" : error);
    }
    step = bench.wait(10s);
    EXPECT_TRUE(step.sent<jingle::SessionTerminate>().empty());
  }
  const auto& plan = bench.engine.plans().begin()->second;
  EXPECT_EQ(plan.legs.size(), 2u) << "both hear each other";
}

// XEP-0298 §1: "A conference participant exchanges Coin IQs only with the agent they have"
TEST(CoinSentences, DocumentsGoToPeersOfASessionOnly) {
  Bench bench;
  Step all = dial(bench, kAnn);
  for (const Step& more : {dial(bench, kBob, Offer{.sid = "B"}), bench.wait(5s)}) {
    all.commands.insert(all.commands.end(), more.commands.begin(), more.commands.end());
  }
  std::set<jingle::Jid> told;
  for (const auto& [iq, info] : all.documents()) {
    EXPECT_EQ(iq.from, jid(kRoom)) << "whom they have established the session with";
    told.insert(iq.to);
  }
  EXPECT_EQ(told, (std::set<jingle::Jid>{jid(kAnn), jid(kBob)}));
  EXPECT_EQ(bench.iq("eve@localhost/x", kRoom, kDocument).answer(),
            "item-not-found/unknown-session");
  bench.iq(kAnn, kRoom, terminate("S1"));
  for (const auto& [iq, info] : bench.wait(5s).documents()) EXPECT_EQ(iq.to, jid(kBob));
}

// XEP-0298 §5: "Note that presence of the <conference-info/> element is only determines whether"
TEST(CoinSentences, TheElementSaysOnlyWhetherItsSenderIsAMixerNow) {
  Bench bench;
  bench.join(kAnn);
  EXPECT_EQ(bench.iq(kAnn, kRoom, kDocument).answer(), "not-allowed");
  bench.iq(kAnn, kRoom, in_session("S1", "session-info", isfocus("true")));
  EXPECT_EQ(bench.iq(kAnn, kRoom, kDocument).answer(), "result");
  bench.iq(kAnn, kRoom, in_session("S1", "session-info", isfocus("false")));
  EXPECT_EQ(bench.iq(kAnn, kRoom, kDocument).answer(), "not-allowed");
}

// XEP-0298 §5: "If multiple peers in a call are independently acting as mixers they should all"
TEST(CoinSentences, AFocusIsToldOfTheFocusToo) {
  Bench bench;
  const auto accepts =
      dial(bench, kAnn, Offer{.more_jingle = isfocus("true")}).sent<jingle::SessionAccept>();
  ASSERT_EQ(accepts.size(), 1u);
  EXPECT_EQ(accepts[0].isfocus, true);
}

// XEP-0298 §6: "The IQ message containing the conference info document MAY also contain a jingle"
TEST(CoinSentences, AJingleElementMayNameTheSession) {
  for (const bool wanted : {false, true}) {
    mixer::Config config = component_config();
    config.coin.jingle_sibling = wanted;
    Bench bench(config);
    Step step = dial(bench, kAnn);
    const Step later = bench.wait(2s);
    step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
    int documents = 0;
    for (const auto& iq : step.all<mixer::SendIq>()) {
      if (iq.payload.find("urn:ietf:params:xml:ns:conference-info") == iq.payload.npos) continue;
      ++documents;
      EXPECT_EQ(iq.payload.starts_with("<jingle xmlns='urn:xmpp:jingle:1' sid='S1'/>"), wanted)
          << iq.payload;
    }
    EXPECT_GT(documents, 0);
  }
  Bench bench;
  bench.join(kAnn, kRoom, Offer{.more_jingle = isfocus("true")});
  const std::string sibling = "<jingle xmlns='urn:xmpp:jingle:1' sid='S1'/>";
  EXPECT_EQ(bench.iq(kAnn, kRoom, sibling + kDocument).answer(), "result");
  EXPECT_EQ(bench.iq(kAnn, kRoom, kDocument + sibling).answer(), "result");
}

// XEP-0298 §10.1: "<xs:attribute name='isfocus' type='xs:boolean' required='true'/>"
TEST(CoinSentences, WhatSaysFocusIsValid) {
  const test_support::XsdValidator schema(test_support::data("schemas/xep-0298-coin-1.xsd"));
  Bench bench;
  int said = 0;
  for (const auto& iq : dial(bench, kAnn).all<mixer::SendIq>()) {
    pugi::xml_document xml;
    xml.load_string(iq.payload.c_str());
    const auto element = xml.child("jingle").child("conference-info");
    if (!element) continue;
    ++said;
    std::ostringstream text;
    element.print(text, "", pugi::format_raw);
    EXPECT_EQ(schema.complaint(text.str()), std::nullopt) << text.str();
  }
  EXPECT_GT(said, 0);
  EXPECT_NE(schema.complaint("<conference-info xmlns='urn:xmpp:coin:1' isfocus='yes'/>"),
            std::nullopt);
  EXPECT_NE(schema.complaint("<conference-info xmlns='urn:xmpp:coin:1'/>"), std::nullopt);
}

}  // namespace
