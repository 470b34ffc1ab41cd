// One caller and the focus: from session-initiate to session-terminate (XEP-0166, -0167, -0176).
#include "mixer/call.h"

#include "mixer/limits.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::CloseLeg;
using mixer::OpenLeg;
using mixer::SendIq;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";

TEST(Call, InitiateIsAckedBeforeAnythingElseAndOpensALeg) {
  Bench bench;
  bench.answers = false;
  Offer offer;
  offer.candidates = candidate("192.0.2.9", 40000);
  const Step step = bench.iq(kAnn, kRoom, offer.xml());
  ASSERT_TRUE(std::holds_alternative<mixer::Reply>(step.commands.front()));
  EXPECT_TRUE(step.acked());
  EXPECT_EQ(step.reply().from, jid(kRoom));
  EXPECT_EQ(step.reply().to, jid(kAnn));
  const auto legs = step.all<OpenLeg>();
  ASSERT_EQ(legs.size(), 1u);
  EXPECT_FALSE(legs[0].spec.ice_controlling);
  EXPECT_NE(legs[0].spec.contributor_id, 0u);
  ASSERT_TRUE(legs[0].spec.remote);
  EXPECT_EQ(legs[0].spec.remote->ice.ufrag, "S0dl");
  EXPECT_EQ(legs[0].spec.remote->candidates.size(), 1u);
  EXPECT_EQ(legs[0].spec.remote->fingerprint.value, kFingerprint);
  EXPECT_EQ(legs[0].spec.remote->our_role, media::DtlsRole::client);
}

TEST(Call, OpenedLegBringsCandidatesThenTheAccept) {
  for (const char* to : {"room@mixer.localhost", "room@mixer.localhost/focus"}) {
    Bench bench;
    bench.answers = false;
    Offer offer;
    offer.more_jingle =
        "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'><content name='0'/>"
        "</group>";
    const auto leg = bench.iq(kAnn, to, offer.xml()).all<OpenLeg>().at(0).spec.leg;
    const Step step = bench.media(bench.engine.opened(leg));
    const auto sent = step.jingle();
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].first.from, jid(to)) << "all our stanzas come from the JID addressed";
    EXPECT_EQ(sent[1].first.from, jid(to));
    EXPECT_EQ(sent[0].first.to, jid(kAnn));
    const auto& trickled = std::get<jingle::TransportInfo>(sent[0].second.payload);
    ASSERT_EQ(trickled.contents.size(), 1u);
    EXPECT_EQ(trickled.contents[0].ice()->candidates.size(), 1u);
    const auto& accept = std::get<jingle::SessionAccept>(sent[1].second.payload);
    EXPECT_EQ(accept.responder, to);
    EXPECT_EQ(accept.isfocus, true);
    ASSERT_EQ(accept.groups.size(), 1u);
    EXPECT_EQ(accept.groups[0].names, std::vector<std::string>{"0"});
    ASSERT_EQ(accept.contents.size(), 1u);
    const auto& content = accept.contents[0];
    EXPECT_EQ(content.name, "0");
    EXPECT_EQ(content.creator, jingle::Creator::initiator);
    EXPECT_EQ(content.ice()->ufrag, trickled.contents[0].ice()->ufrag);
    EXPECT_EQ(content.ice()->pwd, trickled.contents[0].ice()->pwd);
    EXPECT_EQ(content.ice()->fingerprints.at(0).setup, jingle::Setup::active);
    EXPECT_EQ(content.ice()->candidates.size(), 1u);
    EXPECT_EQ(content.rtp()->payload_types.size(), 1u);
    EXPECT_TRUE(content.rtp()->rtcp_mux);
    ASSERT_EQ(content.rtp()->sources.size(), 1u);
    EXPECT_EQ(content.rtp()->sources[0].ssrc, 0x10000 + leg.value);
    for (const auto& [name, value] : content.rtp()->sources[0].parameters) {
      EXPECT_FALSE(value.empty()) << name << ": Conversations throws on an empty value";
    }
  }
}

TEST(Call, LaterCandidatesAreTrickledOneContentAtATimeWithIdsOfTheirOwn) {
  Bench bench;
  const auto leg = bench.call(kAnn);
  auto relay = bench.engine.opened(leg).candidates;
  relay[0].type = media::CandidateType::relay;
  relay[0].rel_addr = "192.0.2.1";
  relay[0].rel_port = 9;
  const auto sent =
      bench.media(media::CandidatesGathered{leg, relay}).sent<jingle::TransportInfo>();
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_EQ(sent[0].contents.size(), 1u);
  const auto& candidate = sent[0].contents[0].ice()->candidates.at(0);
  EXPECT_EQ(candidate.id, "c2");
  EXPECT_EQ(candidate.type, jingle::CandidateType::relay);
  EXPECT_EQ(candidate.rel_addr, "192.0.2.1");
}

TEST(Call, ConnectedCallIsInTheMix) {
  Bench bench;
  const auto leg = bench.join(kAnn);
  ASSERT_EQ(bench.engine.plans().size(), 1u);
  const auto& plan = bench.engine.plans().begin()->second;
  ASSERT_EQ(plan.legs.size(), 1u);
  EXPECT_EQ(plan.legs[0].leg, leg);
  EXPECT_TRUE(plan.legs[0].in_mix && plan.legs[0].receives);
}

TEST(Call, TheRoomSaysHowManyAreHeardAndHow) {
  mixer::Config config = component_config();
  config.room_defaults.max_speakers = 3;
  config.room_defaults.voice = {.denoise = true};
  Bench bench(config);
  bench.join(kAnn);
  EXPECT_EQ(bench.engine.plans().begin()->second.max_speakers, 3u);
  EXPECT_TRUE(bench.engine.legs().begin()->second.spec.voice.denoise);
}

TEST(Call, UnconnectedLegIsInNoMix) {
  Bench bench;
  bench.call(kAnn);
  EXPECT_TRUE(bench.engine.plans().empty());
}

TEST(Call, TerminateIsAckedTheLegClosedAndTheSessionUnknownAfterwards) {
  Bench bench;
  const auto leg = bench.join(kAnn);
  const Step step = bench.iq(kAnn, kRoom, terminate("S1"));
  EXPECT_TRUE(step.acked());
  ASSERT_EQ(step.all<CloseLeg>().size(), 1u);
  EXPECT_EQ(step.all<CloseLeg>()[0].leg, leg);
  EXPECT_TRUE(step.sent<jingle::SessionTerminate>().empty()) << "the peer has ended it already";
  EXPECT_EQ(bench.iq(kAnn, kRoom, terminate("S1")).answer(), "item-not-found/unknown-session");
  EXPECT_EQ(bench.focus.legs(), 0u);
  EXPECT_EQ(bench.focus.rooms(), 0u);
  EXPECT_FALSE(bench.focus.next_deadline()) << "an ended room costs nothing";
}

TEST(Call, OneLogLineTellsHowItWent) {
  Bench bench;
  bench.join(kAnn);
  bench.wait(12s);
  const Step step = bench.iq(kAnn, kRoom, terminate("S1"));
  const auto lines = step.all<mixer::Log>();
  ASSERT_EQ(lines.size(), 1u);
  for (const char* part :
       {"call=ended", "room=room", "direction=in", "peer=ann@localhost/phone", "sid=S1",
        "seconds=12.0", "reason=success", "by=peer", "codec=opus/111", "bitrate=32000",
        "ice_local=\"host 192.0.2.1:20000\"", "received=99", "rtt_ms=30.0"}) {
    EXPECT_NE(lines[0].text.find(part), std::string::npos) << part << " in " << lines[0].text;
  }
}

TEST(Call, AfterOurTerminateItIsEndedAtOnce) {
  Bench bench;
  const auto leg = bench.join(kAnn);
  const Step step = bench.media(media::LegFailed{leg, media::LegFailure::consent_lost, "lost"});
  EXPECT_EQ(step.terminated().condition, "connectivity-error");
  EXPECT_EQ(step.all<CloseLeg>().size(), 1u);
  EXPECT_EQ(bench.iq(kAnn, kRoom, session_info("S1")).answer(), "item-not-found/unknown-session");
}

TEST(Call, ThatNeverConnectsEndsWhateverTheEngineSays) {
  Bench bench;
  Offer offer;
  offer.ufrag = offer.pwd = "";  // they never follow
  bench.call(kAnn, kRoom, offer);
  EXPECT_EQ(bench.wait(44s).terminated().condition, "");
  EXPECT_EQ(bench.wait(2s).terminated().condition, "failed-transport");
  EXPECT_EQ(bench.focus.legs(), 0u);
}

TEST(Call, EachFailureOfTheLegHasItsReason) {
  const std::pair<media::LegFailure, std::string> table[] = {
      {media::LegFailure::no_port, "failed-transport"},
      {media::LegFailure::ice_failed, "failed-transport"},
      {media::LegFailure::consent_lost, "connectivity-error"},
      {media::LegFailure::fingerprint_mismatch, "security-error"},
      {media::LegFailure::dtls_failed, "security-error"},
      {media::LegFailure::media_error, "media-error"},
  };
  for (const auto& [failure, reason] : table) {
    Bench bench;
    const auto leg = bench.call(kAnn);
    EXPECT_EQ(bench.media(media::LegFailed{leg, failure, ""}).terminated().condition, reason);
    EXPECT_EQ(bench.focus.legs(), 0u);
    EXPECT_TRUE(bench.engine.faults().empty());
  }
}

TEST(Call, LegThatFailsBeforeItOpensEndsTheCallBeforeTheAccept) {
  Bench bench;
  const auto leg = bench.iq(kAnn, kRoom, Offer{}.xml()).all<OpenLeg>().at(0).spec.leg;
  const Step step = bench.media(media::LegFailed{leg, media::LegFailure::no_port, ""});
  EXPECT_EQ(step.terminated().condition, "failed-transport");
  EXPECT_TRUE(step.sent<jingle::SessionAccept>().empty());
  // The next caller is told before anything is built up (XEP-0166 §6.3.2).
  EXPECT_EQ(bench.iq("bob@localhost/x", kRoom, Offer{}.xml()).answer(), "resource-constraint");
  bench.wait(11s);
  EXPECT_EQ(bench.iq("bob@localhost/x", kRoom, Offer{.sid = "S2"}.xml()).answer(), "result");
}

// XEP-0166 §7.1, §13.5: `initiator` is never believed.
TEST(Call, AnswersGoToFromWhateverInitiatorSays) {
  for (const char* initiator :
       {"initiator='ann@localhost'", "initiator='victim@localhost/x'", ""}) {
    Bench bench;
    Offer offer;
    offer.attributes = initiator;
    const auto leg = bench.iq(kAnn, kRoom, offer.xml()).all<OpenLeg>().at(0).spec.leg;
    Step step = bench.media(bench.engine.opened(leg));
    const Step later = bench.media(bench.engine.connected(leg));
    step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
    for (const auto& iq : step.all<SendIq>()) EXPECT_EQ(iq.to, jid(kAnn)) << initiator;
    for (const auto& message : step.all<mixer::SendMessage>()) EXPECT_EQ(message.to, jid(kAnn));
  }
}

// XEP-0167 §8.
TEST(Call, HoldAndMuteDecideWhatIsMixedAndHeard) {
  const std::string mute = "<mute xmlns='urn:xmpp:jingle:apps:rtp:info:1' creator=";
  const std::string unmute = "<unmute xmlns='urn:xmpp:jingle:apps:rtp:info:1' creator=";
  const std::string hold = "<hold xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>";
  const std::string unhold = "<unhold xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>";
  const std::string active = "<active xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>";
  Bench bench;
  bench.join(kAnn);
  const auto plan = [&] { return bench.engine.plans().begin()->second.legs.at(0); };
  const auto info = [&](const std::string& payload) {
    EXPECT_TRUE(bench.iq(kAnn, kRoom, in_session("S1", "session-info", payload)).acked())
        << payload;
    bench.wait(1ms);
  };
  info(hold);
  EXPECT_FALSE(plan().in_mix || plan().receives);
  info(unhold);
  EXPECT_TRUE(plan().in_mix && plan().receives);
  info(mute + "'initiator' name='0'/>");
  EXPECT_FALSE(plan().in_mix);
  EXPECT_TRUE(plan().receives);
  info(unmute + "'initiator' name='0'/>");
  EXPECT_TRUE(plan().in_mix);
  info(mute + "'initiator'/>");
  EXPECT_FALSE(plan().in_mix) << "no name: all contents";
  info(active);
  EXPECT_TRUE(plan().in_mix);
  info(mute + "'initiator' name='audio1'/>");
  EXPECT_TRUE(plan().in_mix) << "an unknown name has no effect";
  info(mute + "'responder' name='0'/>");
  EXPECT_TRUE(plan().in_mix) << "we created nothing";
  info(hold);
  info(active);
  EXPECT_TRUE(plan().in_mix && plan().receives);
}

TEST(Call, SessionInfoIsAnsweredAsTheSpecificationSays) {
  Bench bench;
  bench.join(kAnn);
  EXPECT_EQ(bench.iq(kAnn, kRoom, session_info("S1")).answer(), "result");
  EXPECT_EQ(bench.iq(kAnn, kRoom, session_info("S1", "ringing")).answer(), "result");
  EXPECT_EQ(
      bench.iq(kAnn, kRoom, in_session("S1", "session-info", "<dance xmlns='urn:example:dance'/>"))
          .answer(),
      "feature-not-implemented/unsupported-info");
  EXPECT_EQ(bench.iq(kAnn, kRoom, session_info("S1", "frobnicate")).answer(),
            "feature-not-implemented/unsupported-info");
  EXPECT_EQ(bench.iq(kAnn, kRoom, in_session("S1", "security-info", "")).answer(),
            "feature-not-implemented/unsupported-info");
}

// XEP-0167 §12.2.
TEST(Call, ThatIsNotAcceptedWithinASecondRingsOnce) {
  Bench bench;
  const auto leg = bench.iq(kAnn, kRoom, Offer{}.xml()).all<OpenLeg>().at(0).spec.leg;
  EXPECT_TRUE(bench.wait(900ms).sent<jingle::SessionInfo>().empty());
  const auto said = bench.wait(10s).sent<jingle::SessionInfo>();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0], jingle::SessionInfo{jingle::RtpInfo(jingle::Ringing{})});
  EXPECT_EQ(bench.media(bench.engine.opened(leg)).sent<jingle::SessionAccept>().size(), 1u);
}

TEST(Call, ThatIsAcceptedAtOnceDoesNotRing) {
  Bench bench;
  bench.call(kAnn);
  for (const auto& info : bench.wait(10s).sent<jingle::SessionInfo>()) {
    EXPECT_FALSE(std::holds_alternative<jingle::RtpInfo>(info.payload));
  }
}

// XEP-0166 §6.3.1, §7.4; XEP-0167 §5, §7: what we cannot take is acknowledged and then ended.
TEST(Call, OffersOfNoUseAreAckedThenTerminatedWithTheReason) {
  const Offer audio;
  const auto offer_of = [](const std::string& description, const std::string& transport) {
    return in_session(
        "S1", "session-initiate",
        "<content creator='initiator' name='0'>" + description + transport + "</content>");
  };
  const std::string file = "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>";
  const std::string raw = "<transport xmlns='urn:xmpp:jingle:transports:raw-udp:1'/>";
  const std::string rtp = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" +
                          audio.payload_types + "</description>";
  const std::string pcmu = "<payload-type id='0' name='PCMU' clockrate='8000'/>";
  const struct {
    std::string offer;
    const char *reason, *rtp_error;
  } table[] = {
      {offer_of(file, audio.transport()), "unsupported-applications", ""},
      {offer_of("", ""), "unsupported-applications", ""},
      {offer_of(rtp, raw), "unsupported-transports", ""},
      {offer_of(rtp, ""), "unsupported-transports", ""},
      {Offer{.payload_types = pcmu}.xml(), "failed-application", ""},
      {Offer{.fingerprint = ""}.xml(), "security-error", "crypto-required"},
      {Offer{.more_description = "<encryption/>", .fingerprint = ""}.xml(), "security-error",
       "crypto-required"},
      {Offer{.fingerprint = "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-1' "
                            "setup='actpass'>AA:BB</fingerprint>"}
           .xml(),
       "security-error", "invalid-crypto"},
  };
  for (const auto& row : table) {
    Bench bench;
    const Step step = bench.iq(kAnn, kRoom, row.offer);
    ASSERT_TRUE(std::holds_alternative<mixer::Reply>(step.commands.front())) << row.reason;
    EXPECT_TRUE(step.acked()) << row.reason;
    EXPECT_EQ(step.terminated().condition, row.reason);
    EXPECT_EQ(step.terminated().rtp_error, row.rtp_error) << row.reason;
    EXPECT_FALSE(step.terminated().text.empty()) << row.reason;
    EXPECT_EQ(bench.focus.legs(), 0u);
    EXPECT_EQ(bench.iq(kAnn, kRoom, session_info("S1")).answer(), "item-not-found/unknown-session");
  }
}

TEST(CallErrors, EveryActionOfAnUnknownSessionIsUnknownSession) {
  for (const char* action :
       {"content-accept", "content-add", "content-modify", "content-reject", "content-remove",
        "description-info", "security-info", "session-accept", "session-info", "session-terminate",
        "transport-accept", "transport-info", "transport-reject", "transport-replace"}) {
    Bench bench;
    bench.join(kAnn);
    const std::string content = "<content creator='initiator' name='0'/>";
    const std::string body = std::string(action) == "session-terminate"
                                 ? "<reason><success/></reason>"
                             : std::string(action) == "session-info" ? ""
                                                                     : content;
    EXPECT_EQ(bench.iq(kAnn, kRoom, in_session("nope", action, body)).answer(),
              "item-not-found/unknown-session")
        << action;
    EXPECT_EQ(bench.iq("eve@localhost/x", kRoom, in_session("S1", action, body)).answer(),
              "item-not-found/unknown-session")
        << action << " for somebody else's session";
    EXPECT_EQ(bench.focus.legs(), 1u) << action;
  }
}

TEST(CallErrors, OutOfOrderLeavesTheCallAlone) {
  Bench bench;
  bench.join(kAnn);
  EXPECT_EQ(bench.iq(kAnn, kRoom, Offer{}.xml()).answer(), "unexpected-request/out-of-order");
  Offer accept;
  std::string xml = accept.xml();
  xml.replace(xml.find("session-initiate"), 16, "session-accept");
  EXPECT_EQ(bench.iq(kAnn, kRoom, xml).answer(), "unexpected-request/out-of-order");
  EXPECT_EQ(bench.focus.legs(), 1u);
  EXPECT_EQ(bench.engine.close_count(), 0u);
}

TEST(CallErrors, MalformedRequestsAreBadAndLeakNothing) {
  const std::string good = Offer{}.xml();
  std::string frobnicate = good, no_action = good, no_sid = good, no_name = good;
  frobnicate.replace(frobnicate.find("session-initiate"), 16, "frobnicate");
  no_action.replace(no_action.find("action='session-initiate'"), 25, "");
  no_sid.replace(no_sid.find("sid='S1'"), 8, "");
  no_name.replace(no_name.find("name='0'"), 8, "");
  Bench bench;
  for (const std::string& bad :
       {frobnicate, no_action, no_sid, no_name, std::string(), good + good}) {
    EXPECT_EQ(bench.iq(kAnn, kRoom, bad).answer(), "bad-request") << bad;
  }
  EXPECT_EQ(bench.focus.legs(), 0u);
  EXPECT_EQ(bench.focus.rooms(), 0u);
  EXPECT_EQ(bench.iq(kAnn, kRoom, "<frobnicate xmlns='urn:example'/>").answer(),
            "service-unavailable");
}

TEST(CallErrors, TheDomainIsNotCallable) {
  Bench bench;
  EXPECT_EQ(bench.iq(kAnn, "mixer.localhost", Offer{}.xml()).answer(), "service-unavailable");
  EXPECT_EQ(bench.iq(kAnn, "room@mixer.localhost/other", Offer{}.xml()).answer(),
            "service-unavailable");
}

TEST(CallAgain, FromALiveClientIsTheAlternativeSession) {
  Bench bench;
  bench.join(kAnn);
  const Step step = bench.iq(kAnn, kRoom, Offer{.sid = "S2"}.xml());
  EXPECT_TRUE(step.acked());
  EXPECT_EQ(step.terminated().condition, "alternative-session");
  EXPECT_EQ(step.terminated().alternative_sid, "S1");
  EXPECT_EQ(bench.focus.legs(), 1u);
}

TEST(CallAgain, ReplacesAQuietCallOnceConnectedWithOneUserThroughout) {
  Bench bench;
  const auto old = bench.join(kAnn);
  bench.join("bob@localhost/x", kRoom, Offer{.sid = "B"});
  bench.wait(2s);
  bench.media(media::LegQuiet{old});
  const Step again = bench.iq(kAnn, kRoom, Offer{.sid = "S2"}.xml());
  const auto leg = again.all<OpenLeg>().at(0).spec.leg;
  EXPECT_TRUE(again.sent<jingle::SessionTerminate>().empty());
  bench.media(bench.engine.opened(leg));
  bench.wait(2s);
  Step step = bench.media(bench.engine.connected(leg));
  EXPECT_EQ(step.terminated().condition, "expired");
  const Step later = bench.wait(2s);
  step.commands.insert(step.commands.end(), later.commands.begin(), later.commands.end());
  bool told = false;
  for (const auto& [iq, info] : step.documents()) {
    EXPECT_EQ(info.conference_state->user_count, 2u);
    for (const auto& user : info.users->users) EXPECT_NE(user.state, coin::State::deleted);
    told |= iq.to == jid("bob@localhost/x");
  }
  EXPECT_TRUE(told);
  EXPECT_EQ(bench.focus.legs(), 2u);
}

TEST(CallAgain, IfTheNewOneFailsTheOldOneGoesOn) {
  Bench bench;
  const auto old = bench.join(kAnn);
  bench.media(media::LegQuiet{old});
  const auto leg = bench.call(kAnn, kRoom, Offer{.sid = "S2"});
  bench.media(media::LegFailed{leg, media::LegFailure::ice_failed, ""});
  EXPECT_EQ(bench.focus.legs(), 1u);
  EXPECT_EQ(bench.iq(kAnn, kRoom, session_info("S1")).answer(), "result");
}

// XEP-0166 §6.7.
TEST(Unavailable, WithSilenceEndsTheCall) {
  Bench bench;
  const auto leg = bench.join(kAnn);
  bench.presence(kAnn, kRoom, "unavailable");
  EXPECT_EQ(bench.wait(60s).terminated().condition, "") << "its sound goes on";
  bench.media(media::LegQuiet{leg});
  EXPECT_EQ(bench.wait(4s).terminated().condition, "");
  EXPECT_EQ(bench.wait(2s).terminated().condition, "connectivity-error");
}

TEST(Unavailable, SoundOrPresenceComingBackKeepsTheCall) {
  Bench bench;
  const auto leg = bench.join(kAnn);
  bench.presence(kAnn, kRoom, "unavailable");
  bench.media(media::LegQuiet{leg});
  bench.wait(3s);
  bench.media(media::LegHeard{leg});
  EXPECT_EQ(bench.wait(60s).terminated().condition, "");
  bench.media(media::LegQuiet{leg});
  bench.presence(kAnn, kRoom);
  EXPECT_EQ(bench.wait(60s).terminated().condition, "");
  EXPECT_EQ(bench.focus.legs(), 1u);
}

TEST(Acks, AreNotNeededButRefusedAcceptsEndTheCall) {
  Bench bench;
  bench.answers = false;
  const auto leg = bench.iq(kAnn, kRoom, Offer{}.xml()).all<OpenLeg>().at(0).spec.leg;
  const Step step = bench.media(bench.engine.opened(leg));
  bench.media(bench.engine.connected(leg));
  bench.wait(50s);
  EXPECT_EQ(bench.focus.legs(), 1u) << "ICE decides whether it lives";
  const auto accept = step.jingle().at(1).first;
  EXPECT_EQ(bench
                .answered(accept, "error",
                          "<error type='cancel'><item-not-found "
                          "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
                          "eve@localhost/x")
                .commands.size(),
            0u)
      << "nobody else can refuse it";
  EXPECT_EQ(bench.focus.legs(), 1u);
}

// Prosody says recipient-unavailable of what was on a stream that broke off (XEP-0198 §5).
TEST(Acks, ARefusedAcceptEndsTheCallUnlessOnlyItsAckIsLost) {
  for (const std::string condition : {"item-not-found", "recipient-unavailable"}) {
    for (const bool connected : {false, true}) {
      Bench bench;
      bench.answers = false;
      const auto leg = bench.iq(kAnn, kRoom, Offer{}.xml()).all<OpenLeg>().at(0).spec.leg;
      const auto accept = bench.media(bench.engine.opened(leg)).jingle().at(1).first;
      if (connected) bench.media(bench.engine.connected(leg));
      const Step step =
          bench.answered(accept, "error",
                         "<error type='cancel'><" + condition +
                             " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
      const bool goes_on = connected && condition == "recipient-unavailable";
      EXPECT_EQ(step.all<CloseLeg>().size(), goes_on ? 0u : 1u) << condition << connected;
      EXPECT_EQ(bench.focus.rooms(), goes_on ? 1u : 0u);
    }
  }
}

}  // namespace
