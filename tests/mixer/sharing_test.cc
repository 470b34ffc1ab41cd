// What participants let the others see of themselves: only by consent, only from their own
// accounts, and gone when it is over.
#include "mixer/sharing.h"

#include <gmock/gmock.h>

#include "mixer/limits.h"
#include "tests/mixer/sharing_room.h"
#include "tests/support/data.h"
#include "tests/support/xsd_validator.h"

namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string emptied(const char* how) {
  return std::string("<event xmlns='http://jabber.org/protocol/pubsub#event'><") + how + " node='" +
         kMoodNs + "'/></event>";
}

TEST_F(SharingInARoom, WhatAParticipantSharesStandsInHisUser) {
  publishes(event("<item>" + mood("sad") + "</item>"));
  EXPECT_THAT(seen(), IsEmpty()) << "he has not said so";
  EXPECT_THAT(says("share mood"), HasSubstr("The call sees of you: mood"));
  publishes(event("<item id='current'>" + mood("happy") + "</item>"));
  EXPECT_THAT(seen(), ElementsAre(shown("happy")));
  EXPECT_THAT(bench.listed("B", "xmpp:bob@localhost")->foreign.elements, IsEmpty());
  publishes(event("<item>" + mood("calm") + "</item>"));
  EXPECT_THAT(seen(), ElementsAre(shown("calm")));
}

TEST_F(SharingInARoom, ItGoesInEveryWayItCan) {
  for (const std::string& end :
       {event("<item>" + mood("") + "</item>"), event("<retract id='current'/>"), emptied("purge"),
        emptied("delete"), event("<item>" + mood("frobnicated") + "</item>"),
        event("<item><tune xmlns='http://jabber.org/protocol/tune'/></item>"),
        std::string("unshare"), std::string("unshare mood"), std::string("unsubscribed"),
        std::string("unsubscribe")}) {
    says("share mood");
    publishes(event("<item>" + mood("happy") + "</item>"));
    EXPECT_THAT(seen(), ElementsAre(shown("happy"))) << end;
    if (end.starts_with("<")) {
      publishes(end);
    } else if (end.starts_with("unshare")) {
      EXPECT_THAT(says(end), HasSubstr("nothing more of you"));
    } else {
      bench.presence("ann@localhost", kRoom, end);
    }
    EXPECT_THAT(seen(), IsEmpty()) << end;
  }
}

TEST_F(SharingInARoom, ConsentIsForOneCall) {
  says("share mood");
  publishes(event("<item>" + mood("happy") + "</item>"));
  EXPECT_THAT(seen(), SizeIs(1));
  bench.iq(kAnn, kFocus, terminate("A"));
  EXPECT_THAT(seen(), IsEmpty());
  bench.join(kAnn, kRoom, Offer{.sid = "A2"});
  publishes(event("<item>" + mood("happy") + "</item>"));
  EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(SharingInARoom, OnlyHisOwnAccountSpeaksForAParticipant) {
  says("share mood");
  for (const char* stranger : {"eve@stranger.example", "bob@localhost", "ann@localhost/phone",
                               "localhost", "room@mixer.localhost"}) {
    publishes(event("<item>" + mood("happy") + "</item>"), stranger);
    EXPECT_THAT(seen(), IsEmpty()) << stranger;
  }
}

TEST_F(SharingInARoom, OnlyWhatTheOperatorListsCanBeShared) {
  EXPECT_THAT(says("share geoloc activity"), HasSubstr("You can share: tune, mood."));
  publishes(
      event("<item><geoloc xmlns='http://jabber.org/protocol/geoloc'><lat>1</lat></geoloc>"
            "</item>",
            "http://jabber.org/protocol/geoloc"));
  EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(SharingInARoom, AWordThatIsNoNodeOfferedIsNamedAndTheRestIsDone) {
  const std::string offered = "You can share: tune, mood.";
  const std::string sees_mood = " The call sees of you: mood. To end that say: unshare</body>";
  EXPECT_EQ(says("share moood"), "<body>moood cannot be shared here. " + offered + "</body>");
  EXPECT_EQ(says("share mood geoloc bogus"),
            "<body>geoloc, bogus cannot be shared here. " + offered + sees_mood);
  publishes(event("<item>" + mood("happy") + "</item>"));
  EXPECT_THAT(seen(), ElementsAre(shown("happy")));
  for (const char* text : {"unshare moood", "unshare moood, bogus"}) {
    EXPECT_THAT(says(text), HasSubstr("cannot be shared here. " + offered + sees_mood)) << text;
    EXPECT_THAT(seen(), ElementsAre(shown("happy"))) << text;
  }
  EXPECT_EQ(says("unshare mood bogus"), "<body>bogus cannot be shared here. " + offered +
                                            " The call sees nothing more of you.</body>");
  EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(SharingInARoom, AWordIsNamedAsANameIs) {
  EXPECT_EQ(says("share \xe2\x80\xae" + std::string(1000, 'x')),
            "<body>" + std::string(64, 'x') +
                " cannot be shared here. You can share: tune, mood.</body>");
}

TEST_F(SharingInARoom, WhatWasPublishedBeforeIsAskedFor) {
  bench.answers = false;
  const Step step = bench.message(kAnn, kRoom, "<body>Share mood, tune</body>");
  std::vector<mixer::SendIq> asked;
  for (const auto& iq : step.all<mixer::SendIq>()) {
    if (iq.payload.find("<items") != std::string::npos) asked.push_back(iq);
  }
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[1].to, jid("ann@localhost"));
  EXPECT_THAT(asked[1].payload, HasSubstr(kMoodNs));
  const std::string items =
      std::string("<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='") + kMoodNs +
      "'><item>" + mood("happy") + "</item></items></pubsub>";
  bench.answers = true;
  bench.answered(asked[1], "result", items, "eve@stranger.example");
  EXPECT_THAT(seen(), IsEmpty()) << "somebody else's answer";
  bench.answered(asked[1], "result", items);
  EXPECT_THAT(seen(), ElementsAre(shown("happy")));
  bench.answered(asked[0], "error",
                 "<error type='auth'><not-authorized "
                 "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
  EXPECT_THAT(seen(), ElementsAre(shown("happy")));
}

TEST_F(SharingInARoom, WhoIsNotInTheCallSharesNothing) {
  EXPECT_EQ(says("share mood", "cyd@localhost/x"), "<body>Call this address first.</body>");
  EXPECT_EQ(says("share mood", "eve@stranger.example/x"), "");
  EXPECT_EQ(says("share mood"),
            "<body>The call sees of you: mood. To end that say: unshare</body>");
}

TEST_F(SharingInARoom, AFloodIsAsManyDocumentsAsAnyNews) {
  says("share mood");
  bench.wait(60s);
  std::size_t documents = 0;
  for (int i = 0; i < 1000; ++i) {  // 100 a second
    const auto news = event("<item>" + mood(std::vector{"sad", "calm", "hot"}[i % 3]) + "</item>");
    for (const auto& [iq, info] : documents_after(news, 10ms)) documents += iq.to == jid(kBob);
  }
  EXPECT_GE(documents, 5u);
  EXPECT_LE(documents, 21u) << "two a second";
}

TEST_F(SharingInARoom, ADocumentWithItIsValidAndThePartialIsOfThatUserOnly) {
  says("share mood tune");
  publishes(event("<item>" + mood("happy") + "</item>"));
  bench.wait(3s);
  const test_support::XsdValidator validator(test_support::data("schemas/conference-info.xsd"));
  bool found = false;
  const auto tune = event(
      "<item><tune xmlns='http://jabber.org/protocol/tune'><title>&lt;Sunrise&gt;"
      "</title></tune></item>",
      "http://jabber.org/protocol/tune");
  for (auto& [iq, info] : documents_after(tune, 3s)) {
    ASSERT_EQ(info.users->users.size(), 1u);
    const coin::User& ann = info.users->users[0];
    EXPECT_EQ(ann.entity, "xmpp:ann@localhost");
    EXPECT_THAT(ann.foreign.elements, SizeIs(2));
    info.sid.reset();
    EXPECT_EQ(validator.complaint(coin::write(info)), std::nullopt);
    found = true;
  }
  EXPECT_TRUE(found);
}

TEST_F(SharingInARoom, AClientThatCannotReadItIsSentNone) {
  bench.client = disco("Jitsi", "urn:xmpp:coin");
  bench.join("cyd@localhost/j", kRoom, Offer{.sid = "J"});
  says("share mood");
  publishes(event("<item>" + mood("happy") + "</item>"));
  EXPECT_THAT(seen(), SizeIs(1));
  const auto* ann = bench.listed("J", "xmpp:ann@localhost");
  ASSERT_NE(ann, nullptr);
  EXPECT_THAT(ann->foreign.elements, IsEmpty());
}

TEST_F(SharingInARoom, NothingOfItIsLogged) {
  std::string log;
  const auto note = [&](const Step& step) {
    for (const auto& line : step.all<mixer::Log>()) log += line.text + "\n";
  };
  note(bench.message(kAnn, kRoom, "<body>share mood</body>"));
  note(publishes(event("<item>" + mood("jealous") + "</item>")));
  for (int i = 0; i < 3; ++i) note(publishes(event("<item>" + mood("frobnicated") + "</item>")));
  EXPECT_THAT(log, Not(HasSubstr("jealous")));
  EXPECT_THAT(log, Not(HasSubstr("frobnicated")));
  EXPECT_EQ(log, "presence=malformed room=\"room\" peer=\"ann@localhost\" error=invalid-payload\n");
}

TEST(Sharing, IsAskedForByWords) {
  using jingle::pep::Node;
  EXPECT_EQ(mixer::parse_share(" tune, MOOD\n", true),
            (mixer::ShareWish{true, {Node::tune, Node::mood}, {}}));
  EXPECT_EQ(mixer::parse_share("", false), (mixer::ShareWish{false, {}, {}}));
  EXPECT_EQ(mixer::parse_share("weather mood news", true),
            (mixer::ShareWish{true, {Node::mood}, {"weather", "news"}}));
}

TEST(Sharing, IsBounded) {
  const jingle::Jid ann = jid("ann@localhost");
  mixer::Sharing sharing({jingle::pep::Node::tune, jingle::pep::Node::mood});
  sharing.apply(ann, mixer::parse_share("tune mood", true));
  const std::string much(5000, 'x');
  auto big = stanza("<message xmlns='jabber:client'>" +
                    event("<item><tune xmlns='http://jabber.org/protocol/tune'><title>" + much +
                              "</title></tune></item>",
                          "http://jabber.org/protocol/tune") +
                    "</message>");
  sharing.take(ann, jingle::pubsub::parse_event(std::get<jingle::Message>(*big)).value());
  auto small = stanza("<message xmlns='jabber:client'>" +
                      event("<item>" + mood("happy") + "</item>") + "</message>");
  sharing.take(ann, jingle::pubsub::parse_event(std::get<jingle::Message>(*small)).value());
  EXPECT_THAT(sharing.elements(ann), ElementsAre(HasSubstr("happy")));
}

TEST(Sharing, IsAnnouncedOnlyForWhatIsListed) {
  const auto notified = [](mixer::Config config) {
    Bench bench(std::move(config));
    const auto info =
        bench.iq(kAnn, kFocus, "<query xmlns='http://jabber.org/protocol/disco#info'/>", "get")
            .reply()
            .result.value();
    std::size_t count = 0;
    for (std::size_t at = 0; (at = info.find("+notify", at)) != std::string::npos; ++at) ++count;
    return std::pair(count, info);
  };
  EXPECT_EQ(notified(component_config()).first, 0u);
  const auto [count, info] = notified(relaying());
  EXPECT_EQ(count, 2u);
  EXPECT_THAT(info, HasSubstr("http://jabber.org/protocol/mood+notify"));
}

TEST(Sharing, IsOffByDefault) {
  Bench bench;
  bench.up();
  bench.join(kAnn, kRoom);
  const Step step = bench.message(kAnn, kRoom, "<body>share mood</body>");
  ASSERT_EQ(step.all<mixer::SendMessage>().size(), 1u);
  EXPECT_THAT(step.all<mixer::SendMessage>()[0].payload, HasSubstr("Nothing can be shared"));
  EXPECT_THAT(step.all<mixer::SendIq>(), IsEmpty());
}

}  // namespace
