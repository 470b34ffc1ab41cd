// Who is told what of the others, by document and by chat (XEP-0298).
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::SendIq;
using mixer::SendMessage;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost/desk";
constexpr char kRoom[] = "room@mixer.localhost";

// A caller whose client answers disco#info as given; empty: not at all.
media::LegId join_as(Bench& bench, const std::string& who, const std::string& sid,
                     const std::string& info, Step* said = nullptr) {
  bench.answers = false;
  const Step initiated = bench.iq(who, kRoom, Offer{.sid = sid}.xml());
  const auto leg = initiated.all<mixer::OpenLeg>().at(0).spec.leg;
  Step step = bench.media(bench.engine.opened(leg));
  const auto add = [&](const Step& more) {
    step.commands.insert(step.commands.end(), more.commands.begin(), more.commands.end());
  };
  for (const SendIq& iq : initiated.all<SendIq>()) {
    if (!iq.is_set && !info.empty()) add(bench.answered(iq, "result", info));
  }
  bench.answers = true;
  add(bench.media(bench.engine.connected(leg)));
  if (said) *said = step;
  return leg;
}

// XEP-0298 §7: "However, if an application has not received entity capabilities information from"
TEST(Coin, TheCallersClientIsAskedWhatItIs) {
  Bench bench;
  const auto asked = bench.iq(kAnn, kRoom, Offer{}.xml()).all<SendIq>();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_FALSE(asked[0].is_set);
  EXPECT_EQ(asked[0].to, jid(kAnn));
  EXPECT_EQ(asked[0].from, jid(kRoom));
}

// XEP-0298 §6: "Once a conference call has been established and advertised as such, a mixer MAY at"
TEST(Coin, NobodyGetsADocumentBeforeItsLegIsConnected) {
  Bench bench;
  bench.join(kBob, kRoom, Offer{.sid = "B"});
  const Step initiated = bench.iq(kAnn, kRoom, Offer{}.xml());
  Step step = bench.media(bench.engine.opened(initiated.all<mixer::OpenLeg>().at(0).spec.leg));
  const Step later = bench.wait(20s);
  step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
  for (const auto& [iq, info] : step.documents()) EXPECT_NE(iq.to, jid(kAnn));
}

// XEP-0298 §1: "The Coin extension (short for Conference Information) allows media mixers to"
// XEP-0298 §3: "Provide a means for mixer agents in tightly coupled conferences to advertise call"
// RFC 4575 §5.2: "the root names the conference by its URI, and has version and state"
// RFC 4575 §5.2: "a full document has at least conference-description and users"
TEST(Coin, FirstDocumentIsFullWithEveryoneAndTheRecipientItself) {
  Bench bench;
  join_as(bench, kBob, "B", disco("x", "urn:xmpp:coin:1"));
  Step step;
  join_as(bench, kAnn, "A", disco("x", "urn:xmpp:coin:1"), &step);
  const Step later = bench.wait(1s);
  step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
  bool found = false;
  for (const auto& [iq, info] : step.documents()) {
    EXPECT_EQ(info.entity, "xmpp:room@mixer.localhost");
    EXPECT_EQ(iq.from, jid(kRoom));
    EXPECT_EQ(iq.priority, jingle::Priority::normal) << "Jingle overtakes Coin";
    if (iq.to != jid(kAnn)) continue;
    found = true;
    EXPECT_EQ(info.state, coin::State::full);
    EXPECT_EQ(info.version, 1u);
    EXPECT_EQ(info.sid, "A");
    EXPECT_TRUE(info.description);
    ASSERT_TRUE(info.users);
    ASSERT_EQ(info.users->users.size(), 2u);
    EXPECT_EQ(info.users->users[0].entity, "xmpp:ann@localhost");
    EXPECT_EQ(coin::write(info).find("phone"), std::string::npos) << "resources are not disclosed";
    EXPECT_EQ(info.conference_state->user_count, 2u);
  }
  EXPECT_TRUE(found);
}

// RFC 4575 §5.8: "src-id is the source that carries his sound"
TEST(Coin, SrcIdIsTheContributorIdOfTheLeg) {
  Bench bench;
  Step step;
  const auto leg = join_as(bench, kAnn, "A", disco("x", "urn:xmpp:coin:1"), &step);
  const auto id = bench.engine.legs().at(leg).spec.contributor_id;
  const auto documents = step.documents();
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].second.users->users.at(0).endpoints.at(0).media.at(0).src_id,
            std::to_string(id));
}

// XEP-0298 §4: "Once in a call, participants and mixers can use Coin to exchange RFC 4575"
// RFC 4575 §5.7: "status: connected, on-hold"
TEST(Coin, HoldAndMuteAreSeenByTheOthers) {
  Bench bench;
  join_as(bench, kBob, "B", disco("x", "urn:xmpp:coin:1"));
  join_as(bench, kAnn, "A", disco("x", "urn:xmpp:coin:1"));
  bench.wait(2s);
  const auto shown = [&](const std::string& payload) {
    Step step = bench.iq(kAnn, kRoom, in_session("A", "session-info", payload));
    const Step later = bench.wait(2s);
    step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
    for (const auto& [iq, info] : step.documents()) {
      if (iq.to == jid(kBob)) return info.users->users.at(0).endpoints.at(0);
    }
    ADD_FAILURE() << "nothing told after " << payload;
    return coin::Endpoint{};
  };
  const std::string ns = " xmlns='urn:xmpp:jingle:apps:rtp:info:1'";
  const auto muted = shown("<mute" + ns + " creator='initiator'/>");
  EXPECT_EQ(muted.status, coin::EndpointStatus::connected)
      << "muted-via-focus closes Jitsi's stream";
  EXPECT_EQ(muted.media.at(0).status, coin::MediaStatus::recvonly);
  EXPECT_EQ(shown("<hold" + ns + "/>").status, coin::EndpointStatus::on_hold);
  const auto active = shown("<active" + ns + "/>");
  EXPECT_EQ(active.status, coin::EndpointStatus::connected);
  EXPECT_EQ(active.media.at(0).status, coin::MediaStatus::sendrecv);
}

TEST(CoinClients, DinoNeverGetsADocumentButAChat) {
  Bench bench;
  Step step;
  join_as(bench, kAnn, "A", disco("Dino", "urn:xmpp:coin:1"), &step);
  EXPECT_EQ(step.all<SendMessage>().size(), 1u);
  join_as(bench, kBob, "B", disco("x", "urn:xmpp:coin:1"), &step);
  const Step later = bench.wait(120s);
  step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
  EXPECT_FALSE(step.documents().empty());
  for (const auto& [iq, info] : step.documents()) EXPECT_NE(iq.to, jid(kAnn));
}

TEST(CoinClients, WhoDoesNotAnswerDiscoWaitsFiveSecondsForItsOneDocument) {
  Bench bench;
  Step step;
  join_as(bench, kAnn, "A", "", &step);
  EXPECT_TRUE(step.documents().empty());
  EXPECT_TRUE(bench.wait(4900ms).documents().empty());
  const Step later = bench.wait(200ms);
  EXPECT_EQ(later.documents().size(), 1u);
  EXPECT_EQ(later.all<SendMessage>().size(), 1u);
}

// It counted as one that announced nothing; the one document was never acknowledged.
TEST(CoinClients, WhoAnswersDiscoLateIsServedFromThenOn) {
  Bench bench;
  bench.answers = false;
  const Step initiated = bench.iq(kAnn, kRoom, Offer{.sid = "A"}.xml());
  const auto leg = initiated.all<mixer::OpenLeg>().at(0).spec.leg;
  bench.media(bench.engine.opened(leg));
  bench.media(bench.engine.connected(leg));
  EXPECT_EQ(bench.wait(20s).documents().size(), 1u);
  bench.views.clear();  // it was lost
  bench.answered(initiated.all<SendIq>().at(0), "result", disco("x", "urn:xmpp:coin:1"));
  bench.join(kBob, kRoom, Offer{.sid = "B"});
  bench.answers = true;
  bench.wait(10s);
  EXPECT_NE(bench.listed("A", "xmpp:bob@localhost"), nullptr);
}

TEST(CoinClients, AnErrorToADocumentStopsCoinAndKeepsTheCall) {
  Bench bench;
  bench.answers = false;
  const Step initiated = bench.iq(kAnn, kRoom, Offer{}.xml());
  const auto leg = initiated.all<mixer::OpenLeg>().at(0).spec.leg;
  bench.media(bench.engine.opened(leg));
  bench.answered(initiated.all<SendIq>().at(0), "result", disco("x", "urn:xmpp:coin:1"));
  const auto documents = bench.media(bench.engine.connected(leg)).documents();
  ASSERT_EQ(documents.size(), 1u);
  bench.answered(documents[0].first, "error",
                 "<error type='cancel'><service-unavailable "
                 "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
  bench.join(kBob, kRoom, Offer{.sid = "B"});
  for (const auto& [iq, info] : bench.wait(300s).documents()) EXPECT_NE(iq.to, jid(kAnn));
  EXPECT_EQ(bench.focus.legs(), 2u);
}

// XEP-0298 §4: "This way non-mixer participants would know when they are participating in a"
TEST(CoinClients, JitsiIsToldOfTheFocusAgainBySessionInfo) {
  Bench bench;
  Step step;
  join_as(bench, kAnn, "A", disco("Jitsi 2.13"), &step);
  const auto infos = step.sent<jingle::SessionInfo>();
  ASSERT_EQ(infos.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<jingle::FocusInfo>(infos[0].payload));
  join_as(bench, kBob, "B", disco("Gajim"), &step);
  EXPECT_TRUE(step.sent<jingle::SessionInfo>().empty()) << "QXmpp rings on any session-info";
}

TEST(CoinClients, AnnouncedMeansOnlyThoseThatAnnouncedIt) {
  mixer::Config config = component_config();
  config.coin.push = mixer::CoinPush::announced;
  Bench bench(config);
  Step step;
  join_as(bench, kAnn, "A", disco("x"), &step);
  EXPECT_TRUE(step.documents().empty());
  EXPECT_TRUE(bench.wait(120s).documents().empty());
  join_as(bench, kBob, "B", disco("x", "urn:xmpp:coin"), &step);
  EXPECT_EQ(step.documents().size(), 1u);
}

// Tokens on which Jitsi closes its own XMPP stream.
TEST(CoinClients, NothingFatalToJitsiIsEverSaid) {
  Bench bench;
  join_as(bench, kBob, "B", disco("Jitsi"));
  join_as(bench, kAnn, "A", disco("Jitsi"));
  bench.iq(kAnn, kRoom, session_info("A", "hold"));
  Step step = bench.wait(2s);
  const Step left = bench.iq(kAnn, kRoom, terminate("A"));
  const Step later = bench.wait(70s);
  step.commands.insert(step.commands.end(), left.commands.begin(), left.commands.end());
  step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
  EXPECT_GE(step.documents().size(), 2u);
  for (const SendIq& iq : step.all<SendIq>()) {
    for (const char* fatal : {"muted-via-focus", "disconnection-method", "associated-aors"}) {
      EXPECT_EQ(iq.payload.find(fatal), std::string::npos);
    }
  }
  for (const auto& [iq, info] : step.documents()) {
    EXPECT_TRUE(info.version && info.sid && info.description && info.users);
    for (const auto& user : info.users->users) EXPECT_NE(user.state, coin::State::partial);
  }
}

// XEP-0298 §8: "RFC 4575 mostly talks about authentication conference-info subscriptions"
TEST(CoinPull, AParticipantMayAskForTheWholeDocument) {
  Bench bench;
  const std::string get = "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>";
  EXPECT_EQ(bench.iq(kAnn, kRoom, get, "get").answer(), "item-not-found/unknown-session");
  const auto leg = bench.call(kAnn);
  EXPECT_EQ(bench.iq(kAnn, kRoom, get, "get").answer(), "item-not-found/unknown-session")
      << "not before its leg is connected";
  bench.media(bench.engine.connected(leg));
  bench.wait(1s);
  const Step step = bench.iq(kAnn, kRoom, get, "get");
  ASSERT_TRUE(step.acked());
  const auto info = coin::parse(*step.reply().result);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->state, coin::State::full);
  EXPECT_EQ(info->version, 2u);
  EXPECT_EQ(step.reply().priority, jingle::Priority::normal) << "Jingle overtakes Coin";
  EXPECT_EQ(bench.iq(kAnn, kRoom, session_info("S1", "active")).reply().priority,
            jingle::Priority::urgent);
  EXPECT_EQ(bench.iq("eve@localhost/x", kRoom, get, "get").answer(),
            "item-not-found/unknown-session");
}

// One that announces nothing is told once and, if it does not answer, no more.
TEST(CoinPull, WhoAskedIsToldHoweverOftenItDoesNotAnswer) {
  Bench bench;
  join_as(bench, kAnn, "A", disco("x"));
  bench.iq(kAnn, kRoom, "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>", "get");
  bench.answers = false;
  bench.join(kBob, kRoom, Offer{.sid = "B"});
  bench.wait(20s);
  bench.answers = true;
  bench.join("cat@localhost/x", kRoom, Offer{.sid = "C"});
  bench.wait(60s);
  EXPECT_NE(bench.listed("A", "xmpp:cat@localhost"), nullptr);
}

// A few bytes of a question must not earn documents without end.
TEST(CoinPull, AskingWithoutEndIsRefusedUntilTheBudgetAllowsIt) {
  Bench bench;
  const std::string get = "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>";
  bench.join(kAnn);
  bench.wait(1s);
  std::size_t given = 0;
  while (bench.iq(kAnn, kRoom, get, "get").answer() == "result") ASSERT_LT(++given, 10000u);
  EXPECT_GT(given, 10u);
  EXPECT_EQ(bench.iq(kAnn, kRoom, get, "get").answer(), "resource-constraint");
  bench.wait(10s);
  EXPECT_EQ(bench.iq(kAnn, kRoom, get, "get").answer(), "result");
}

TEST(CoinPush, DocumentsAreTakenFromAFocusOnly) {
  Bench bench;
  const std::string document =
      "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='xmpp:x@y' "
      "state='full' version='1'><conference-description/><users/></conference-info>";
  EXPECT_EQ(bench.iq(kAnn, kRoom, document).answer(), "item-not-found/unknown-session");
  bench.join(kAnn);
  EXPECT_EQ(bench.iq(kAnn, kRoom, document).answer(), "not-allowed");
  EXPECT_TRUE(bench
                  .iq(kAnn, kRoom,
                      in_session("S1", "session-info",
                                 "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>"))
                  .acked());
  EXPECT_TRUE(bench.iq(kAnn, kRoom, document).acked());
  EXPECT_EQ(bench
                .iq(kAnn, kRoom,
                    "<conference-info "
                    "xmlns='urn:ietf:params:xml:ns:conference-info'/>")
                .answer(),
            "bad-request");
}

TEST(CoinPush, AMalformedDocumentIsRefusedEachTimeAndLoggedOnce) {
  Bench bench;
  bench.join(kAnn);
  std::size_t lines = 0;
  for (const char* wrong :
       {"version='-1'><conference-description/><users/>", "version='1' state='whole'>",
        "version='1'><conference-description/><users><user entity='x'><endpoint entity='x'>"
        "<status>dozing</status></endpoint></user></users>"}) {
    const Step step = bench.iq(kAnn, kRoom,
                               "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
                               "entity='xmpp:x@y' " +
                                   std::string(wrong) + "</conference-info>");
    EXPECT_EQ(step.answer(), "bad-request") << wrong;
    for (const auto& log : step.all<mixer::Log>()) {
      lines += log.text.find("malformed conference document") != std::string::npos;
    }
  }
  EXPECT_EQ(lines, 1u);
}

// A focus whose client has not answered disco#info yet.
TEST(CoinPush, WhoSendsADocumentBeforeItsClientIsKnownIsServedAtOnce) {
  Bench bench;
  join_as(bench, kAnn, "S1", "");
  bench.iq(kAnn, kRoom,
           in_session("S1", "session-info",
                      "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>"));
  const Step pushed =
      bench.iq(kAnn, kRoom,
               "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='xmpp:x@y' "
               "state='full' version='1'><conference-description/><users/></conference-info>");
  EXPECT_TRUE(pushed.acked());
  EXPECT_EQ(pushed.documents().size(), 1u);
  EXPECT_TRUE(bench
                  .iq(kAnn, kRoom,
                      "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info'/>", "get")
                  .acked());
}

// XEP-0298 §1: "It is possible for either participant in such a session to also establish"
TEST(CoinPush, AFocusMaySaySoInItsOffer) {
  Bench bench;
  bench.join(kAnn, kRoom,
             Offer{.more_jingle = "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>"});
  EXPECT_TRUE(
      bench
          .iq(kAnn, kRoom,
              "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='xmpp:x@y' "
              "state='full' version='1'><conference-description/><users/></conference-info>")
          .acked());
}

TEST(CoinPush, DinoIsSentNoneEvenIfItSendsOne) {
  Bench bench;
  join_as(bench, kAnn, "S1", disco("Dino"));
  bench.iq(kAnn, kRoom,
           in_session("S1", "session-info",
                      "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>"));
  const Step pushed =
      bench.iq(kAnn, kRoom,
               "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='xmpp:x@y' "
               "state='full' version='1'><conference-description/><users/></conference-info>");
  EXPECT_TRUE(pushed.documents().empty());
  EXPECT_TRUE(bench.wait(120s).documents().empty());
}

TEST(Announce, TellsWhoIsThereAndThatTheServerHears) {
  Bench bench;
  join_as(bench, kBob, "B", disco("x", "urn:xmpp:coin:1"));
  Step step;
  join_as(bench, kAnn, "A", disco("Gajim"), &step);
  const auto chats = step.all<SendMessage>();
  ASSERT_EQ(chats.size(), 1u);
  EXPECT_EQ(chats[0].to, jid(kAnn));
  EXPECT_NE(chats[0].payload.find("bob"), std::string::npos);
  EXPECT_EQ(chats[0].payload.find("desk"), std::string::npos);
  EXPECT_NE(chats[0].payload.find("hear"), std::string::npos);
}

TEST(Announce, OffIsOffAndJoinsTellsOfEachNewcomer) {
  for (const auto announce : {mixer::Announce::off, mixer::Announce::joins}) {
    mixer::Config config = component_config();
    config.room_defaults.announce = announce;
    Bench bench(config);
    Step step;
    join_as(bench, kAnn, "A", disco("Gajim"), &step);
    EXPECT_EQ(step.all<SendMessage>().size(), announce == mixer::Announce::off ? 0u : 1u);
    join_as(bench, kBob, "B", disco("x", "urn:xmpp:coin:1"), &step);
    const auto chats = step.all<SendMessage>();
    ASSERT_EQ(chats.size(), announce == mixer::Announce::off ? 0u : 1u);
    if (!chats.empty()) {
      EXPECT_EQ(chats[0].to, jid(kAnn));
      EXPECT_NE(chats[0].payload.find("bob joined"), std::string::npos);
    }
  }
}

// XEP-0198 §5: whether the stream was resumed or is another one.
TEST(Connection, CallsSurviveItsLossAndEverybodyGetsAFullDocumentAfterwards) {
  for (const bool resumed : {false, true}) {
    Bench bench;
    join_as(bench, kAnn, "A", disco("x", "urn:xmpp:coin:1"));
    join_as(bench, kBob, "B", disco("x", "urn:xmpp:coin:1"));
    bench.wait(5s);
    bench.handle(mixer::ConnectionDown{});
    EXPECT_TRUE(bench.wait(60s).commands.empty());
    EXPECT_EQ(bench.focus.legs(), 2u);
    const auto documents = bench.up(resumed).documents();
    ASSERT_EQ(documents.size(), 2u) << resumed;
    for (const auto& [iq, info] : documents) EXPECT_EQ(info.state, coin::State::full);
  }
}

}  // namespace
