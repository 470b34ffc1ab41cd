// Dialling out by the whole focus (RFC 4575 §5.7.3; XEP-0353 as initiator).
#include "tests/support/dialler.h"

namespace {

using namespace test;
using mixer::Invite;
using mixer::InviteRefusal;
using mixer::OpenLeg;
using mixer::SendIq;
using mixer::SendMessage;
using mixer::SendPresence;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost";
constexpr char kBobsPhone[] = "bob@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";
const jingle::Jid kFocus = jingle::Jid::of("room", "mixer.localhost", "focus");

TEST(Dial, ABareJidIsProposedTo) {
  Dialler bench;
  bench.join(kAnn);
  const Step step = bench.invite(kBob);
  EXPECT_FALSE(bench.refused);
  const auto messages = step.all<SendMessage>();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].from, kFocus);
  EXPECT_EQ(messages[0].to, jid(kBob));
  EXPECT_EQ(messages[0].type, "chat");
  EXPECT_NE(messages[0].payload.find("urn:xmpp:hints"), std::string::npos);
  EXPECT_EQ(said<jmi::Propose>(step), std::vector<jmi::Propose>{{{"audio"}}});
  EXPECT_GE(proposed(step).size(), 16u) << "nobody shall guess it";
  EXPECT_EQ(step.all<SendPresence>().size(), 1u) << "XEP-0353 §3.1";
  EXPECT_TRUE(step.all<OpenLeg>().empty()) << "a leg costs ports: only when somebody answers";
  EXPECT_EQ(bench.status(kBob), "dialing-out");
}

// XEP-0298 §5: "When creating conference calls mixers SHOULD indicate the nature of the call as"
// XEP-0298 §5: "A mixer sends session-initiate for a conference call"
TEST(Dial, TheDeviceThatProceedsIsCalledWithTheSameSidAndToldOfTheFocus) {
  Dialler bench;
  bench.join(kAnn);
  const std::string sid = proposed(bench.invite(kBob));
  bench.jmi_from(kBobsPhone, "ringing", sid);
  EXPECT_EQ(bench.status(kBob), "alerting");
  const Step step = bench.jmi_from(kBobsPhone, "proceed", sid);
  ASSERT_EQ(step.all<OpenLeg>().size(), 1u);
  const auto leg = step.all<OpenLeg>()[0].spec.leg;
  const Step opened = bench.media(bench.engine.opened(leg));
  const auto requests = opened.jingle();
  ASSERT_FALSE(requests.empty());
  EXPECT_EQ(requests[0].first.to, jid(kBobsPhone));
  EXPECT_EQ(requests[0].second.sid.value, sid);
  const auto* initiate = std::get_if<jingle::SessionInitiate>(&requests[0].second.payload);
  ASSERT_TRUE(initiate);
  EXPECT_EQ(initiate->isfocus, true);
  EXPECT_EQ(bench.focus.legs(), 2u);

  // Another device was too late, and is told so; the first need not hear of that (XEP-0280).
  const Step second = bench.jmi_from("bob@localhost/tablet", "proceed", sid);
  EXPECT_TRUE(second.all<OpenLeg>().empty());
  ASSERT_EQ(said<jmi::Finish>(second).size(), 1u);
  EXPECT_EQ(said<jmi::Finish>(second)[0].reason.condition, "expired");
  EXPECT_EQ(second.all<SendMessage>()[0].to, jid("bob@localhost/tablet"));
  EXPECT_NE(second.all<SendMessage>()[0].payload.find("<private xmlns='urn:xmpp:carbons:2'/>"),
            std::string::npos);
  EXPECT_TRUE(bench.jmi_from(kBobsPhone, "proceed", sid).commands.empty()) << "said twice";
  bench.rejects("bob@localhost/tablet", sid, "busy");
  bench.jmi_from("bob@localhost/tablet", "finish", sid);
  EXPECT_EQ(bench.focus.legs(), 2u) << "the first device has it";
  bench.invite(kBob);
  EXPECT_EQ(bench.refused, InviteRefusal::already_invited);
  EXPECT_TRUE(bench.iq(kBobsPhone, kFocus.str(), accept(sid)).acked());
  bench.media(bench.engine.connected(leg));
  EXPECT_EQ(bench.status(kBob), "connected");
  bench.invite(kBob);
  EXPECT_EQ(bench.refused, InviteRefusal::already_here);
}

TEST(Dial, AFullJidIsCalledAtOnce) {
  Dialler bench;
  bench.join(kAnn);
  const Step step = bench.invite(kBobsPhone);
  EXPECT_EQ(proposed(step), "");
  EXPECT_EQ(step.all<OpenLeg>().size(), 1u);
  EXPECT_EQ(bench.focus.legs(), 2u);
}

// RFC 4575 §5.7: "status: pending until he is dialled"
TEST(Dial, AFullJidIsPendingUntilThereIsAnOffer) {
  Dialler bench;
  bench.join(kAnn);
  const Step step = bench.invite(kBobsPhone);
  EXPECT_EQ(bench.status(kBob), "pending");
  bench.media(bench.engine.opened(step.all<OpenLeg>().at(0).spec.leg));
  EXPECT_EQ(bench.status(kBob), "dialing-out");
}

TEST(Dial, ASilentTargetKnownFromPresenceIsCalledDirectly) {
  Dialler bench;
  bench.answers = false;
  bench.join(kAnn);
  bench.presence(kBobsPhone, kRoom, "",
                 "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>");
  const Step step = bench.invite(kBob);
  const std::string sid = proposed(step);
  std::optional<SendIq> asked;
  for (const auto& iq : step.all<SendIq>()) {
    if (iq.to == jid(kBobsPhone)) asked = iq;
  }
  ASSERT_TRUE(asked) << "what it is";
  bench.answered(*asked, "result",
                 "<query xmlns='http://jabber.org/protocol/disco#info'>"
                 "<feature var='urn:xmpp:jingle:1'/>"
                 "<feature var='urn:xmpp:jingle:apps:rtp:audio'/>"
                 "<feature var='urn:xmpp:jingle:transports:ice-udp:1'/></query>");
  EXPECT_TRUE(bench.wait(4s).all<OpenLeg>().empty());
  const Step late = bench.wait(2s);
  EXPECT_EQ(said<jmi::Retract>(late).size(), 1u);
  ASSERT_EQ(late.all<OpenLeg>().size(), 1u);
  const auto requests = bench.media(bench.engine.opened(late.all<OpenLeg>()[0].spec.leg)).jingle();
  ASSERT_FALSE(requests.empty());
  EXPECT_EQ(requests[0].first.to, jid(kBobsPhone));
  EXPECT_NE(requests[0].second.sid.value, sid) << "that one was retracted";
  EXPECT_TRUE(bench.jmi_from(kBobsPhone, "proceed", sid).all<OpenLeg>().empty());
}

// Conversations says by its receipt that it rings; StanzaJS sends one for whatever it gets.
TEST(Dial, AReceiptIsRingingOnlyOfWhoMayKnowProposals) {
  const std::string features =
      "<feature var='urn:xmpp:jingle:1'/><feature var='urn:xmpp:jingle:apps:rtp:audio'/>"
      "<feature var='urn:xmpp:jingle:transports:ice-udp:1'/>";
  // What bob's phone is, which device sends the receipt, and whether the phone is called directly.
  const std::tuple<std::string, const char*, bool> cases[] = {
      {features, kBobsPhone, true},
      {features + "<feature var='urn:xmpp:jingle-message:0'/>", kBobsPhone, false},
      {features, "bob@localhost/of-which-nothing-is-known", false},
  };
  for (const auto& [knows, device, direct] : cases) {
    SCOPED_TRACE(knows + device);
    Dialler bench;
    bench.client = "<query xmlns='http://jabber.org/protocol/disco#info'>" + knows + "</query>";
    bench.join(kAnn);
    bench.presence(kBobsPhone, kRoom, "",
                   "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>");
    const Step step = bench.invite(kBob);
    bench.message(
        device, kFocus.str(),
        "<received xmlns='urn:xmpp:receipts' id='" + step.all<SendMessage>().at(0).id + "'/>");
    const Step late = bench.wait(10s);
    EXPECT_EQ(said<jmi::Retract>(late).size(), direct ? 1u : 0u);
    EXPECT_EQ(late.all<OpenLeg>().size(), direct ? 1u : 0u);
  }
}

TEST(Dial, NoAnswerIsRetractedAfter45Seconds) {
  Dialler bench;
  bench.join(kAnn);
  const std::string sid = proposed(bench.invite(kBob));
  bench.jmi_from(kBobsPhone, "ringing", sid);
  EXPECT_TRUE(said<jmi::Retract>(bench.wait(44s)).empty());
  const auto retracts = said<jmi::Retract>(bench.wait(2s));
  ASSERT_EQ(retracts.size(), 1u);
  EXPECT_EQ(retracts[0].reason.condition, "cancel");
  EXPECT_FALSE(retracts[0].tie_break);
  EXPECT_EQ(bench.status(kBob), "disconnected failed");
  const Step late = bench.jmi_from(kBobsPhone, "proceed", sid);
  EXPECT_TRUE(late.all<OpenLeg>().empty()) << "too late";
  ASSERT_EQ(said<jmi::Finish>(late).size(), 1u) << "or the device waits for our call for ever";
  EXPECT_EQ(said<jmi::Finish>(late)[0].reason.condition, "expired");
  EXPECT_EQ(late.all<SendMessage>()[0].to, jid(kBobsPhone));
  EXPECT_EQ(late.all<SendMessage>()[0].payload.find("carbons"), std::string::npos)
      << "his other devices may know";
  bench.invite(kBob);
  EXPECT_EQ(bench.refused, InviteRefusal::refused_lately);
  bench.wait(10min);
  bench.invite(kBob);
  EXPECT_FALSE(bench.refused);
}

TEST(Dial, ARejectIsShownAndHeededForTenMinutes) {
  for (const auto& [reason, shown] :
       std::map<std::string, std::string>{{"busy", "disconnected busy"},
                                          {"decline", "disconnected busy"},
                                          {"expired", "disconnected failed"}}) {
    Dialler bench;
    bench.join(kAnn);
    bench.rejects(kBobsPhone, proposed(bench.invite(kBob)), reason);
    EXPECT_EQ(bench.status(kBob), shown);
    bench.invite(kBob);
    EXPECT_EQ(bench.refused, InviteRefusal::refused_lately);
  }
}

// XEP-0353 §3.7: to the callee it is over, whatever went before.
TEST(Dial, AFinishEndsTheInvitationLikeAReject) {
  Dialler bench;
  bench.join(kAnn);
  bench.jmi_from(kBobsPhone, "finish", proposed(bench.invite(kBob)),
                 "<reason xmlns='urn:xmpp:jingle:1'><busy/></reason>");
  EXPECT_EQ(bench.status(kBob), "disconnected busy");
  EXPECT_TRUE(said<jmi::Retract>(bench.wait(60s)).empty());
}

TEST(Dial, ABounceEndsTheInvitation) {
  Dialler bench;
  bench.join(kAnn);
  const auto messages = bench.invite(kBob).all<SendMessage>();
  ASSERT_EQ(messages.size(), 1u);
  const auto bounce = [&](const std::string& from) {
    auto read =
        stanza("<message xmlns='jabber:client' type='error' id='" + messages[0].id + "' from='" +
               from + "' to='" + kFocus.str() + "'><error type='cancel'/>" + "</message>");
    bench.handle(mixer::MessageReceived{std::get<jingle::Message>(*read)});
    return bench.status(kBob);
  };
  EXPECT_EQ(bounce("cat@localhost"), "dialing-out");
  EXPECT_EQ(bounce(kBobsPhone), "dialing-out") << "another device may still answer";
  EXPECT_EQ(bounce(kBob), "disconnected failed");
}

TEST(Dial, ACallThatIsRefusedCountsAsARefusal) {
  Dialler bench;
  bench.join(kAnn);
  const auto leg = bench.invite(kBobsPhone).all<OpenLeg>().at(0).spec.leg;
  const auto requests = bench.media(bench.engine.opened(leg)).jingle();
  bench.iq(kBobsPhone, kFocus.str(),
           in_session(requests.at(0).second.sid.value, "session-terminate",
                      "<reason><decline/></reason>"));
  EXPECT_EQ(bench.status(kBob), "disconnected busy");
  EXPECT_EQ(bench.focus.legs(), 1u);
  bench.invite(kBob);
  EXPECT_EQ(bench.refused, InviteRefusal::refused_lately);
}

TEST(Dial, EachRefusalHasItsCause) {
  mixer::Config config = component_config();
  config.limits.participants_per_room = 3;
  config.limits.participants = 4;
  Dialler bench(config);
  const auto cause = [&](const std::string& target, const std::string& room = "room") {
    const Step step = bench.invite(target, room);
    EXPECT_EQ(proposed(step), "");
    return bench.refused;
  };
  bench.join(kAnn);
  EXPECT_EQ(cause("ann@localhost"), InviteRefusal::already_here);
  EXPECT_EQ(cause("eve@elsewhere.example"), InviteRefusal::not_allowed);
  EXPECT_EQ(cause("other@mixer.localhost"), InviteRefusal::own_address);
  EXPECT_NE(proposed(bench.invite(kBob)), "");
  EXPECT_EQ(cause(kBobsPhone), InviteRefusal::already_invited);
  EXPECT_EQ(cause(kBob, "another"), InviteRefusal::already_invited);
  bench.message("cat@localhost/phone", "another@mixer.localhost",
                "<propose xmlns='urn:xmpp:jingle-message:0' id='P'><description "
                "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>");
  EXPECT_EQ(cause("cat@localhost", "another"), InviteRefusal::already_invited) << "is calling";
  bench.join("dan@localhost/phone", kRoom, Offer{.sid = "D"});
  EXPECT_EQ(cause("eve@localhost"), InviteRefusal::room_full);
  bench.join("fay@localhost/phone", "third@mixer.localhost", Offer{.sid = "F"});
  bench.join("gus@localhost/phone", "third@mixer.localhost", Offer{.sid = "G"});
  EXPECT_EQ(cause("eve@localhost", "fourth"), InviteRefusal::over_limit);
  bench.handle(mixer::ConnectionDown{});
  EXPECT_EQ(cause("eve@localhost"), InviteRefusal::not_connected);
  bench.handle(mixer::ShutdownRequested{});
  EXPECT_EQ(cause("eve@localhost"), InviteRefusal::shutting_down);

  config.create_rooms_on_dial = false;
  Dialler listed(config);
  listed.invite(kBob);
  EXPECT_EQ(listed.refused, InviteRefusal::no_such_room);
}

TEST(Dial, AnEmptyRoomIsOpenForAsLongAsItInvites) {
  Dialler bench;
  bench.invite(kBob);
  EXPECT_EQ(bench.focus.rooms(), 1u);
  bench.wait(60s);
  EXPECT_EQ(bench.focus.rooms(), 0u);
  EXPECT_FALSE(bench.focus.next_deadline());
}

// XEP-0353 §4.1.
TEST(Dial, OfCrossingProposalsTheHigherIsTakenBack) {
  for (const bool ours_is_lower : {true, false}) {
    Dialler bench;
    bench.join(kAnn);
    const std::string ours = proposed(bench.invite(kBob));
    const std::string theirs = ours_is_lower ? "z" : "!";
    const Step step = bench.jmi_from(kBobsPhone, "propose", theirs,
                                     "<description xmlns='urn:xmpp:jingle:apps:rtp:1' "
                                     "media='audio'/>");
    if (ours_is_lower) {
      const auto rejects = said<jmi::Reject>(step);
      ASSERT_EQ(rejects.size(), 1u);
      EXPECT_EQ(rejects[0].reason.condition, "expired");
      EXPECT_TRUE(rejects[0].tie_break);
      EXPECT_EQ(step.jmi().size(), 1u);
      EXPECT_EQ(bench.status(kBob), "dialing-out");
    } else {
      const auto events = step.jmi();
      ASSERT_EQ(events.size(), 3u);
      EXPECT_EQ(events[0].id.value, ours);
      const auto* retract = std::get_if<jmi::Retract>(&events[0].payload);
      ASSERT_TRUE(retract);
      EXPECT_EQ(retract->reason.condition, "expired");
      EXPECT_TRUE(retract->tie_break);
      EXPECT_EQ(events[2].id.value, theirs);
      EXPECT_TRUE(std::holds_alternative<jmi::Proceed>(events[2].payload));
      EXPECT_EQ(bench.status(kBob), "") << "quietly";
    }
  }
}

TEST(Dial, ATieBreakThatWeLostLeavesNoTrace) {
  Dialler bench;
  bench.join(kAnn);
  const std::string sid = proposed(bench.invite(kBob));
  bench.jmi_from(kBobsPhone, "reject", sid,
                 "<reason xmlns='urn:xmpp:jingle:1'><expired/></reason><tie-break/>");
  EXPECT_EQ(bench.status(kBob), "");
  bench.invite(kBob);
  EXPECT_FALSE(bench.refused) << "he wants to talk";
}

TEST(Dial, TheInvitedWhoCallsEndsTheInvitation) {
  Dialler bench;
  bench.join(kAnn);
  const std::string sid = proposed(bench.invite(kBob));
  const Step step = bench.iq(kBobsPhone, kRoom, Offer{.sid = "theirs"}.xml());
  EXPECT_TRUE(step.acked());
  EXPECT_EQ(said<jmi::Retract>(step).size(), 1u);
  const auto leg = step.all<OpenLeg>().at(0).spec.leg;
  bench.media(bench.engine.opened(leg));
  bench.media(bench.engine.connected(leg));
  EXPECT_EQ(bench.status(kBob), "connected");
  EXPECT_TRUE(bench.jmi_from(kBobsPhone, "proceed", sid).all<OpenLeg>().empty());
}

// XEP-0166 §7.2.16.
TEST(Dial, OfCrossingSessionInitiatesTheHigherIsRefused) {
  for (const bool ours_is_lower : {true, false}) {
    Dialler bench;
    bench.join(kAnn);
    const auto leg = bench.invite(kBobsPhone).all<OpenLeg>().at(0).spec.leg;
    bench.media(bench.engine.opened(leg));
    const Step step =
        bench.iq(kBobsPhone, kFocus.str(), Offer{.sid = ours_is_lower ? "z" : "!"}.xml());
    if (ours_is_lower) {
      EXPECT_EQ(step.answer(), "conflict/tie-break");
      EXPECT_TRUE(step.all<OpenLeg>().empty());
    } else {
      EXPECT_TRUE(step.acked());
      EXPECT_EQ(step.terminated().condition, "alternative-session");
      EXPECT_EQ(step.all<OpenLeg>().size(), 1u);
    }
    EXPECT_EQ(bench.focus.legs(), 2u);
  }
}

TEST(Dial, AnotherDeviceOrAStrangerCannotAnswerForTheInvited) {
  Dialler bench;
  bench.join(kAnn);
  const std::string sid = proposed(bench.invite(kBob));
  for (const char* from : {"eve@localhost/phone", "eve@elsewhere.example/phone", kBob}) {
    const Step step = bench.jmi_from(from, "proceed", sid);
    EXPECT_TRUE(step.all<OpenLeg>().empty()) << from;
    EXPECT_EQ(step.all<mixer::Log>().size(), 1u) << from;
    const bool may_dial = jid(from).domain() == "localhost" && !jid(from).is_bare();
    EXPECT_EQ(said<jmi::Finish>(step).size(), may_dial ? 1u : 0u) << from;
    EXPECT_EQ(step.all<SendMessage>().size(), may_dial ? 1u : 0u) << from;
  }
  bench.rejects("eve@localhost/phone", sid, "busy");
  EXPECT_TRUE(bench.jmi_from(kBobsPhone, "proceed", "invented").all<OpenLeg>().empty());
  EXPECT_EQ(bench.status(kBob), "dialing-out");
}

TEST(Dial, TheConfiguredAreDialledWhenTheFirstIsConnected) {
  Dialler bench(inviting({kBob}));
  EXPECT_EQ(bench.focus.rooms(), 0u) << "an idle room costs nothing";
  EXPECT_FALSE(bench.focus.next_deadline());
  const auto leg = bench.call(kAnn);
  const Step step = bench.media(bench.engine.connected(leg));
  EXPECT_NE(proposed(step), "");
  bench.join("cat@localhost/phone", kRoom, Offer{.sid = "C"});
  // No answer: left alone for ten minutes, then tried again while somebody is there.
  EXPECT_EQ(proposed(bench.wait(10min)), "");
  EXPECT_NE(proposed(bench.wait(1min)), "");
}

TEST(Dial, TheConfiguredWhoLeavesIsNotCalledBackAtOnce) {
  Dialler bench(inviting({kBob}));
  bench.join(kAnn);
  bench.join(kBobsPhone, kRoom, Offer{.sid = "B"});
  bench.wait(9min);
  bench.iq(kBobsPhone, kRoom, terminate("B"));
  EXPECT_EQ(proposed(bench.wait(9min)), "");
  EXPECT_NE(proposed(bench.wait(2min)), "");
}

TEST(Dial, TheLastWhoLeavesEndsTheInvitations) {
  Dialler bench(inviting({kBob, "cat@localhost/phone"}));
  bench.join(kAnn);
  EXPECT_EQ(bench.focus.legs(), 2u);
  const Step step = bench.iq(kAnn, kRoom, terminate("S1"));
  EXPECT_EQ(said<jmi::Retract>(step).size(), 1u);
  EXPECT_EQ(bench.focus.legs(), 0u);
  EXPECT_EQ(bench.focus.rooms(), 0u);
  EXPECT_FALSE(bench.focus.next_deadline()) << "an idle room costs nothing";
}

TEST(Dial, TheConfiguredAreProposedToAnewAfterAReconnect) {
  Dialler bench(inviting({kBob, "cat@localhost"}));
  bench.handle(mixer::ConnectionDown{});
  bench.join(kAnn);
  EXPECT_TRUE(said<jmi::Propose>(bench.wait(60s)).empty());
  EXPECT_EQ(said<jmi::Propose>(bench.up()).size(), 2u);
  bench.handle(mixer::ConnectionDown{});
  const Step again = bench.up();
  EXPECT_EQ(said<jmi::Retract>(again).size(), 2u) << "an answer may be lost";
  EXPECT_EQ(said<jmi::Propose>(again).size(), 2u);
  bench.handle(mixer::ConnectionDown{});
  EXPECT_TRUE(bench.up(true).jmi().empty()) << "resumed: nothing is lost";
}

TEST(Dial, ShutdownRetracts) {
  Dialler bench;
  bench.join(kAnn);
  bench.invite(kBob);
  const auto retracts = said<jmi::Retract>(bench.handle(mixer::ShutdownRequested{}));
  ASSERT_EQ(retracts.size(), 1u);
  EXPECT_EQ(retracts[0].reason.condition, "gone");
  EXPECT_EQ(bench.focus.legs(), 0u);
  EXPECT_EQ(bench.focus.rooms(), 0u);
}

// An operator's own line is no exception to access.dial, and he is told so at once.
TEST(Dial, AnInviteLineThatNeverCanWorkIsSaidOnce) {
  Dialler bench(inviting({kBob, "eve@elsewhere.example", "another@mixer.localhost"}));
  const auto errors = [](const Step& step) {
    std::vector<std::string> out;
    for (const auto& log : step.all<mixer::Log>()) {
      if (log.level == mixer::Log::Level::error) out.push_back(log.text);
    }
    return out;
  };
  const auto lines = errors(bench.greeting);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("eve@elsewhere.example"), std::string::npos);
  EXPECT_NE(lines[0].find("access.dial"), std::string::npos);
  EXPECT_NE(lines[1].find("another@mixer.localhost"), std::string::npos);
  EXPECT_TRUE(errors(bench.up()).empty());
  const auto leg = bench.call(kAnn);
  EXPECT_EQ(said<jmi::Propose>(bench.media(bench.engine.connected(leg))).size(), 1u);
}

TEST(Dial, AnAccountDialsFromItsFullJid) {
  Bench bench(client_config());
  bench.up(false, "bot@localhost/r1");
  const auto invited =
      bench.focus.invite({.room = "bot", .target = jid(kBob), .by = std::nullopt}, bench.now);
  EXPECT_FALSE(invited.refused);
  const auto messages = Step{invited.commands}.all<SendMessage>();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].from, jid("bot@localhost/r1"));
  EXPECT_EQ(
      bench.focus.invite({.room = "b", .target = jid(kBob), .by = std::nullopt}, bench.now).refused,
      InviteRefusal::no_such_room);
  EXPECT_EQ(bench.focus
                .invite({.room = "bot", .target = jid("bot@localhost/other"), .by = std::nullopt},
                        bench.now)
                .refused,
            InviteRefusal::own_address);
}

}  // namespace
