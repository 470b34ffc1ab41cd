// Jingle Message Initiation as callee (XEP-0353).
#include <functional>

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
std::string delay(const std::string& stamp) {
  return "<delay xmlns='urn:xmpp:delay' stamp='" + stamp + "'/>";
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
    const Step step = bench.message(kAnn, kRoom, jmi(what, "P1"));
    EXPECT_EQ(step.all<mixer::Log>().size(), step.commands.size()) << what;
    EXPECT_TRUE(bench.wait(60s).commands.empty()) << what;
  }
}

TEST(Jmi, RepeatedDelayedAndForeignOnesAreIgnored) {
  Bench bench;
  bench.message(kAnn, kRoom, propose("P1"));
  EXPECT_TRUE(bench.message(kAnn, kRoom, propose("P1")).commands.empty());
  EXPECT_TRUE(
      bench.message(kAnn, kRoom, propose("P2") + delay("2020-01-01T00:00:00Z")).commands.empty());
  EXPECT_TRUE(bench.message(kAnn, kRoom, propose("P3"), "groupchat").commands.empty());
  EXPECT_TRUE(bench.message(kAnn, kRoom, propose("P4"), "error").commands.empty());
  EXPECT_TRUE(bench.message(kAnn, kRoom, jmi("accept", "P1")).commands.empty());
  std::string other = propose("P5");
  other.replace(other.find("message:0"), 9, "message:1");
  EXPECT_TRUE(bench.message(kAnn, kRoom, other).commands.empty());
  EXPECT_TRUE(bench.message("ann@localhost", kRoom, propose("P6")).commands.empty())
      << "of no device";
}

// It is 2026-01-01T00:00:00Z.
TEST(Jmi, AProposalThatWasKeptForAMinuteStillCalls) {
  const struct {
    std::string stamps;
    bool calls;
  } table[] = {
      {delay("2025-12-31T23:59:00Z"), true},
      {delay("2025-12-31T23:59:00.900Z"), true},
      {delay("2026-01-01T00:02:00Z"), true},  // another's clock is fast
      {delay("2025-12-31T23:58:59Z"), false},
      {delay("2025-12-31T23:59:59Z") + delay("2025-12-31T12:00:00Z"), false},
      {delay("2025-12-31T23:59:59Z") + delay("just now"), false},
      {delay(""), false},
      {"<delay xmlns='urn:other' stamp='2020-01-01T00:00:00Z'/>", true},
  };
  for (const auto& [stamps, calls] : table) {
    Bench bench;
    EXPECT_EQ(count<jingle::jmi::Proceed>(bench.message(kAnn, kRoom, propose("P1") + stamps)),
              calls ? 1 : 0)
        << stamps;
  }
}

TEST(Jmi, ARetractCountsHoweverLongItWasKept) {
  Bench bench;
  bench.message(kAnn, kRoom, propose("P1"));
  bench.message(kAnn, kRoom, jmi("retract", "P1") + delay("2020-01-01T00:00:00Z"));
  EXPECT_TRUE(bench.wait(60s).commands.empty());
}

// XEP-0280: an account enables no carbons; whoever sends one, what is in it was not said to us.
TEST(Jmi, CarbonsAreNotHeeded) {
  Bench bench(client_config());
  bench.up(false, "bot@localhost/r1");
  for (const char* direction : {"received", "sent"}) {
    const std::string inside = "<message xmlns='jabber:client' type='chat' from='" +
                               std::string(kAnn) + "' to='bot@localhost'>" + propose("P1") +
                               "</message>";
    const std::string carbon = "<" + std::string(direction) +
                               " xmlns='urn:xmpp:carbons:2'><forwarded "
                               "xmlns='urn:xmpp:forward:0'>" +
                               inside + "</forwarded></" + direction + ">";
    for (const char* from : {"bot@localhost", "eve@localhost/x", kAnn}) {
      EXPECT_TRUE(bench.message(from, "bot@localhost/r1", carbon).commands.empty()) << from;
    }
  }
  EXPECT_TRUE(bench.message("bot@localhost/other", "bot@localhost", propose("P1")).commands.empty())
      << "our own";
  EXPECT_EQ(count<jingle::jmi::Proceed>(bench.message(kAnn, "bot@localhost", propose("P1"))), 1);
}

TEST(Jmi, ErrorsToWhatWeSaidChangeNothing) {
  Bench bench;
  bench.message(kAnn, kRoom, propose("P1"));
  const std::string error = "<error type='cancel'/>";
  EXPECT_TRUE(
      bench.message(kAnn, kFocus.str(), jmi("proceed", "P1") + error, "error").commands.empty());
  EXPECT_EQ(bench.iq(kAnn, kFocus.str(), Offer{.sid = "P1"}.xml()).answer(), "result");
}

// XEP-0353 §3.7: both parties, whatever ended it; §6: in words that tell nothing.
TEST(Jmi, EveryEndAfterTheProceedIsFinishedOnce) {
  const auto call = [](Bench& bench) { return bench.call(kAnn, kFocus.str(), Offer{.sid = "P1"}); };
  const auto join = [](Bench& bench) { return bench.join(kAnn, kFocus.str(), Offer{.sid = "P1"}); };
  const struct {
    const char* what;
    const char* reason;
    std::function<Step(Bench&)> ends;
  } table[] = {
      {"the caller hangs up", "success",
       [&](Bench& bench) {
         join(bench);
         return bench.iq(kAnn, kFocus.str(), terminate("P1"));
       }},
      {"the mixer stops", "success",
       [&](Bench& bench) {
         join(bench);
         return bench.handle(mixer::ShutdownRequested{});
       }},
      {"the caller hangs up before it is connected", "expired",
       [&](Bench& bench) {
         call(bench);
         return bench.iq(kAnn, kFocus.str(), terminate("P1"));
       }},
      {"ICE fails", "connectivity-error",
       [&](Bench& bench) {
         return bench.media(media::LegFailed{call(bench), media::LegFailure::ice_failed, ""});
       }},
      {"consent is lost", "connectivity-error",
       [&](Bench& bench) {
         return bench.media(media::LegFailed{join(bench), media::LegFailure::consent_lost, ""});
       }},
      {"nothing in the offer can be used", "expired",
       [&](Bench& bench) {
         return bench.iq(kAnn, kFocus.str(), Offer{.sid = "P1", .fingerprint = ""}.xml());
       }},
      {"the room has filled up", "expired",
       [&](Bench& bench) {
         bench.join("bob@localhost/x");
         bench.join("cyd@localhost/x");
         return bench.iq(kAnn, kFocus.str(), Offer{.sid = "P1"}.xml());
       }},
      {"the mixer has filled up", "expired",
       [&](Bench& bench) {
         bench.join("bob@localhost/x");
         bench.join("cyd@localhost/x", "other@mixer.localhost");
         bench.join("dan@localhost/x", "other@mixer.localhost");
         const Step step = bench.iq(kAnn, kFocus.str(), Offer{.sid = "P1"}.xml());
         EXPECT_EQ(step.answer(), "resource-constraint");
         return step;
       }},
      {"nothing follows", "connectivity-error", [&](Bench& bench) { return bench.wait(60s); }},
      {"the mixer stops before anything follows", "expired",
       [&](Bench& bench) { return bench.handle(mixer::ShutdownRequested{}); }},
  };
  for (const auto& row : table) {
    mixer::Config config = component_config();
    config.limits.participants_per_room = 2;
    config.limits.participants = 3;
    Bench bench(config);
    bench.message(kAnn, kRoom, propose("P1"));
    const Step step = row.ends(bench);
    ASSERT_EQ(count<jingle::jmi::Finish>(step), 1) << row.what;
    for (const auto& message : step.all<SendMessage>()) {
      if (message.payload.find("<finish") == std::string::npos) continue;
      EXPECT_EQ(message.to, jid(kAnn)) << row.what;
      EXPECT_NE(message.payload.find("id='P1'"), std::string::npos) << row.what;
      EXPECT_NE(message.payload.find("<" + std::string(row.reason) + "/>"), std::string::npos)
          << row.what << ": " << message.payload;
    }
    EXPECT_EQ(count<jingle::jmi::Finish>(bench.wait(60s)), 0) << row.what;
  }
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
  const Step step = bench.message(kAnn, kRoom, propose("P1"));
  ASSERT_EQ(count<jingle::jmi::Reject>(step), 1);
  const auto reject = std::get<jingle::jmi::Reject>(step.jmi()[0].payload);
  EXPECT_EQ(reject.reason.condition, "busy");
  EXPECT_NE(reject.reason.text, "");
}

TEST(Jmi, AFloodOfProposalsIsRejectedThenIgnoredAndDoesNotFillTheLog) {
  Bench bench;
  std::size_t lines = 0;
  int rejects = 0;
  for (int i = 0; i < 1000; ++i) {
    const Step step = bench.message(kAnn, kRoom, propose("P" + std::to_string(i), "video"));
    rejects += count<jingle::jmi::Reject>(step);
    lines += step.all<mixer::Log>().size();
  }
  EXPECT_GT(rejects, 10);
  EXPECT_LT(rejects, 100) << "then its caller is blocked";
  EXPECT_LT(lines, 40u);
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
