// Jingle Message Initiation as callee (XEP-0353).
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::SendMessage;
using mixer::SendPresence;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";
const jingle::Jid kFocus = jingle::Jid::of("room", "mixer.localhost", "focus");

std::string propose(const std::string& id, const std::string& media = "audio") {
  return "<propose xmlns='urn:xmpp:jingle-message:0' id='" + id +
         "'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='" + media + "'/></propose>";
}
std::string jmi(const std::string& what, const std::string& id) {
  return "<" + what + " xmlns='urn:xmpp:jingle-message:0' id='" + id + "'/>";
}
template <typename P>
int count(const Step& step) {
  int n = 0;
  for (const auto& event : step.jmi()) n += std::holds_alternative<P>(event.payload);
  return n;
}

TEST(Jmi, ProposeIsAnsweredFromTheFullJidWithPresenceFirst) {
  Bench bench;
  const Step step = bench.message(kAnn, kRoom, propose("P1"));
  const auto presences = step.all<SendPresence>();
  ASSERT_EQ(presences.size(), 1u);
  EXPECT_EQ(presences[0].from, kFocus);
  EXPECT_EQ(presences[0].to, jid(kAnn));
  EXPECT_NE(presences[0].payload.find("http://jabber.org/protocol/caps"), std::string::npos);
  EXPECT_TRUE(std::holds_alternative<SendPresence>(step.commands.front()));
  const auto events = step.jmi();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<jingle::jmi::Ringing>(events[0].payload));
  EXPECT_TRUE(std::holds_alternative<jingle::jmi::Proceed>(events[1].payload));
  for (const auto& message : step.all<SendMessage>()) {
    EXPECT_EQ(message.from, kFocus);
    EXPECT_EQ(message.to, jid(kAnn)) << "Conversations and Dino want the proposing full JID";
    EXPECT_EQ(message.type, "chat");
  }
}

TEST(Jmi, ASubscriberHasOurPresenceAlready) {
  Bench bench;
  bench.presence("ann@localhost", kRoom, "subscribe");
  EXPECT_TRUE(bench.message(kAnn, kRoom, propose("P1")).all<SendPresence>().empty());
}

TEST(Jmi, InitiateWithTheProposedSidIsTheCall) {
  Bench bench;
  bench.message(kAnn, kRoom, propose("P1"));
  bench.join(kAnn, kFocus.str(), Offer{.sid = "P1"});
  EXPECT_EQ(bench.focus.legs(), 1u);
  EXPECT_EQ(count<jingle::jmi::Finish>(bench.wait(60s)), 0);
  const Step step = bench.iq(kAnn, kFocus.str(), terminate("P1"));
  EXPECT_EQ(count<jingle::jmi::Finish>(step), 1);
}

TEST(Jmi, WithoutInitiateInThirtySecondsItIsFinished) {
  Bench bench;
  bench.message(kAnn, kRoom, propose("P1"));
  EXPECT_EQ(count<jingle::jmi::Finish>(bench.wait(29s)), 0);
  const Step step = bench.wait(2s);
  ASSERT_EQ(count<jingle::jmi::Finish>(step), 1);
  EXPECT_EQ(std::get<jingle::jmi::Finish>(step.jmi()[0].payload).reason.condition,
            "connectivity-error");
  EXPECT_FALSE(bench.focus.next_deadline());
}

TEST(Jmi, RetractRejectAndFinishEndTheWaiting) {
  for (const char* what : {"retract", "reject", "finish"}) {
    Bench bench;
    bench.message(kAnn, kRoom, propose("P1"));
    EXPECT_TRUE(bench.message(kAnn, kRoom, jmi(what, "P1")).commands.empty());
    EXPECT_TRUE(bench.wait(60s).commands.empty()) << what;
  }
}

TEST(Jmi, RepeatedDelayedAndForeignOnesAreIgnored) {
  Bench bench;
  bench.message(kAnn, kRoom, propose("P1"));
  EXPECT_TRUE(bench.message(kAnn, kRoom, propose("P1")).commands.empty());
  EXPECT_TRUE(bench
                  .message(kAnn, kRoom,
                           propose("P2") + "<delay xmlns='urn:xmpp:delay' "
                                           "stamp='2020-01-01T00:00:00Z'/>")
                  .commands.empty());
  EXPECT_TRUE(bench.message(kAnn, kRoom, propose("P3"), "groupchat").commands.empty());
  EXPECT_TRUE(bench.message(kAnn, kRoom, propose("P4"), "error").commands.empty());
  EXPECT_TRUE(bench.message(kAnn, kRoom, jmi("accept", "P1")).commands.empty());
  EXPECT_TRUE(bench.message(kAnn, kRoom, "<body>hello?</body>").commands.empty());
}

TEST(Jmi, StrangersHearNothing) {
  Bench bench;
  const Step step = bench.message("eve@evil.example/x", kRoom,
                                  propose("P1") + "<request xmlns='urn:xmpp:receipts'/>");
  EXPECT_EQ(step.commands.size(), 1u);
  EXPECT_EQ(step.all<mixer::Log>().size(), 1u);
}

TEST(Jmi, WithoutAudioItIsRejected) {
  Bench bench;
  const Step step = bench.message(kAnn, kRoom, propose("P1", "video"));
  ASSERT_EQ(count<jingle::jmi::Reject>(step), 1);
  EXPECT_EQ(std::get<jingle::jmi::Reject>(step.jmi()[0].payload).reason.condition, "busy");
  EXPECT_FALSE(bench.focus.next_deadline());
}

TEST(Jmi, AFullRoomRejects) {
  mixer::Config config = component_config();
  config.limits.participants_per_room = 1;
  Bench bench(config);
  bench.join("bob@localhost/x");
  EXPECT_EQ(count<jingle::jmi::Reject>(bench.message(kAnn, kRoom, propose("P1"))), 1);
}

TEST(Jmi, ReceiptsAreAnswered) {
  Bench bench;
  const auto messages =
      bench.message(kAnn, kRoom, propose("P1") + "<request xmlns='urn:xmpp:receipts'/>")
          .all<SendMessage>();
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_NE(messages[0].payload.find("received"), std::string::npos);
  EXPECT_NE(messages[0].payload.find("id='m1'"), std::string::npos);
}

// XEP-0184: whoever asks is told, whatever the message is, for rooms announce that they do.
TEST(Receipts, AreGivenForEveryMessageThatAsks) {
  const std::string request = "<request xmlns='urn:xmpp:receipts'/>";
  const std::string delay = "<delay xmlns='urn:xmpp:delay' stamp='2025-01-01T00:00:00Z'/>";
  for (const std::string& content :
       {std::string("<body>hello?</body>"), std::string(), jmi("accept", "P1"),
        jmi("retract", "P1"), propose("P1"), propose("P2") + delay, "<body>late</body>" + delay}) {
    for (const char* type : {"chat", "normal", "headline"}) {
      for (const std::string& to : {std::string(kRoom), kFocus.str()}) {
        Bench bench;
        const auto messages = bench.message(kAnn, to, content + request, type).all<SendMessage>();
        ASSERT_FALSE(messages.empty()) << content;
        EXPECT_EQ(messages[0].payload, "<received xmlns='urn:xmpp:receipts' id='m1'/>");
        EXPECT_EQ(messages[0].from, kFocus);
        EXPECT_EQ(messages[0].to, jid(kAnn));
        EXPECT_EQ(messages[0].type, type);
        EXPECT_NE(messages[0].id, "");
      }
    }
  }
}

TEST(Receipts, AreNotGivenToReceiptsErrorsOrCrowds) {
  Bench bench;
  const std::string request = "<request xmlns='urn:xmpp:receipts'/>";
  EXPECT_TRUE(bench.message(kAnn, kRoom, request + "<received xmlns='urn:xmpp:receipts' id='x'/>")
                  .commands.empty());
  for (const char* type : {"error", "groupchat"}) {
    EXPECT_TRUE(bench.message(kAnn, kRoom, "<body>x</body>" + request, type).commands.empty());
  }
  mixer::Config config = component_config();
  config.create_rooms_on_dial = false;
  Bench listed(config);
  EXPECT_TRUE(listed.message(kAnn, kRoom, request).commands.empty()) << "no such room";
}

TEST(Jmi, AStoredProposalCallsNobodyThoughItIsReceived) {
  Bench bench;
  const Step step = bench.message(kAnn, kRoom,
                                  propose("P1") +
                                      "<request xmlns='urn:xmpp:receipts'/><delay "
                                      "xmlns='urn:xmpp:delay' stamp='2025-01-01T00:00:00Z'/>");
  EXPECT_EQ(step.commands.size(), 1u);
  EXPECT_TRUE(step.jmi().empty());
}

// XEP-0353 §4.2.
TEST(JmiMigration, TheCallMovesToTheOtherDeviceWithOneUserThroughout) {
  Bench bench;
  bench.join("bob@localhost/x", kRoom, Offer{.sid = "B"});
  bench.message(kAnn, kRoom, propose("P1"));
  bench.join(kAnn, kFocus.str(), Offer{.sid = "P1"});
  bench.wait(5s);
  const Step proposed = bench.message("ann@localhost/laptop", kRoom, propose("P2"));
  const auto events = proposed.jmi();
  ASSERT_EQ(events.size(), 3u);
  ASSERT_TRUE(std::holds_alternative<jingle::jmi::Finish>(events[1].payload));
  EXPECT_EQ(events[1].id.value, "P1");
  const auto& finish = std::get<jingle::jmi::Finish>(events[1].payload);
  EXPECT_EQ(finish.migrated_to, "P2");
  EXPECT_EQ(finish.reason.condition, "expired");
  EXPECT_EQ(bench.focus.legs(), 2u) << "the old call goes on until the new one is connected";
  const auto leg = bench.call("ann@localhost/laptop", kFocus.str(), Offer{.sid = "P2"});
  Step step = bench.media(bench.engine.connected(leg));
  const Step later = bench.wait(3s);
  step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
  EXPECT_EQ(step.terminated().condition, "expired");
  EXPECT_EQ(count<jingle::jmi::Finish>(step), 0) << "it was finished when it moved";
  EXPECT_EQ(bench.focus.legs(), 2u);
  EXPECT_FALSE(step.documents().empty());
  for (const auto& [iq, info] : step.documents()) {
    EXPECT_EQ(info.conference_state->user_count, 2u);
    for (const auto& user : info.users->users) {
      EXPECT_NE(user.state, coin::State::deleted);
      EXPECT_EQ(user.endpoints.size(), 1u);
    }
  }
}

}  // namespace
