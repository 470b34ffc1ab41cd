// Dialling out by the whole focus (RFC 4575 §5.7.3; XEP-0353 as initiator).
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::Invite;
using mixer::InviteRefusal;
using mixer::OpenLeg;
using mixer::SendIq;
using mixer::SendMessage;
using mixer::SendPresence;
namespace jmi = jingle::jmi;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost";
constexpr char kBobsPhone[] = "bob@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";
const jingle::Jid kFocus = jingle::Jid::of("room", "mixer.localhost", "focus");

mixer::Config inviting(std::vector<std::string> targets) {
  mixer::Config config = component_config();
  mixer::RoomConfig room;
  room.name = "room";
  for (const auto& target : targets) room.invite.push_back(jid(target));
  config.rooms.emplace("room", room);
  return config;
}

class Dialler : public Bench {
 public:
  explicit Dialler(mixer::Config config = component_config()) : Bench(std::move(config)) {
    greeting = up();
  }
  Step greeting;

  std::optional<InviteRefusal> refused;
  Step invite(const std::string& target, const std::string& room = "room") {
    auto invited = focus.invite(
        {.room = room, .target = jid(target), .by = jid("ann@localhost"), .reason = "Tea"}, now);
    refused = invited.refused;
    // Through the bench, for what it does with commands.
    Step step = perform(std::move(invited.commands));
    return step;
  }
  Step jmi_from(const std::string& from, const std::string& what, const std::string& sid,
                const std::string& children = "") {
    return message(from, kFocus.str(),
                   "<" + what + " xmlns='urn:xmpp:jingle-message:0' id='" + sid + "'>" + children +
                       "</" + what + ">");
  }
  Step rejects(const std::string& from, const std::string& sid, const std::string& reason) {
    return jmi_from(from, "reject", sid,
                    "<reason xmlns='urn:xmpp:jingle:1'><" + reason + "/></reason>");
  }
  // How others see that user's only endpoint; "" if he is not listed.
  std::string status(const std::string& bare) {
    const Step step = iq(kAnn, kRoom,
                         "<conference-info xmlns='urn:ietf:params:xml:ns:conference-"
                         "info'/>",
                         "get");
    const auto reply = step.reply();
    if (!reply.result) return "no document";
    const auto info = coin::parse(*reply.result);
    if (!info || !info->users) return "no users";
    for (const auto& user : info->users->users) {
      if (user.entity != jid(bare).uri()) continue;
      const coin::Endpoint& endpoint = user.endpoints.front();
      std::string out(endpoint.status ? coin::to_string(*endpoint.status) : "?");
      if (endpoint.disconnection_method) {
        out += " " + std::string(coin::to_string(*endpoint.disconnection_method));
      }
      return out;
    }
    return "";
  }
};

// The id of the only proposal; "" if there is none.
std::string proposed(const Step& step) {
  std::string id;
  for (const auto& event : step.jmi()) {
    if (!std::holds_alternative<jmi::Propose>(event.payload)) continue;
    EXPECT_EQ(id, "") << "two proposals";
    id = event.id.value;
  }
  return id;
}
// Of our offer.
std::string accept(const std::string& sid) {
  Offer offer{.sid = sid, .name = "audio"};
  offer.fingerprint =
      "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' "
      "setup='active'>" +
      kFingerprint + "</fingerprint>";
  std::string xml = offer.xml();
  return xml.replace(xml.find("session-initiate"), 16, "session-accept");
}
template <typename P>
std::vector<P> said(const Step& step) {
  std::vector<P> out;
  for (const auto& event : step.jmi()) {
    if (const auto* payload = std::get_if<P>(&event.payload)) out.push_back(*payload);
  }
  return out;
}

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

  EXPECT_TRUE(bench.jmi_from("bob@localhost/tablet", "proceed", sid).all<OpenLeg>().empty());
  bench.rejects("bob@localhost/tablet", sid, "busy");
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
  EXPECT_TRUE(bench.jmi_from(kBobsPhone, "proceed", sid).all<OpenLeg>().empty()) << "too late";
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
  for (const char* from : {"eve@localhost/phone", kBob}) {
    const Step step = bench.jmi_from(from, "proceed", sid);
    EXPECT_TRUE(step.all<OpenLeg>().empty()) << from;
    EXPECT_TRUE(step.all<SendMessage>().empty()) << from;
    EXPECT_EQ(step.all<mixer::Log>().size(), 1u) << from;
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
