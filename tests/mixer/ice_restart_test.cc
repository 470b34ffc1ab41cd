// ICE restarts (XEP-0176 §5.9): the peer's, ours, both at once, too many.
#include "mixer/limits.h"
#include "tests/support/dialled_call.h"

namespace {

using namespace test;
using mixer::AddRemoteCandidates;
using mixer::CloseLeg;
using mixer::RestartIce;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";

std::string password(const std::string& ufrag) { return ufrag + std::string(22, 'p'); }
std::string both(const std::string& ufrag) {
  return "ufrag='" + ufrag + "' pwd='" + password(ufrag) + "'";
}

// A caller of ours on the bench, connected.
class PeersRestart : public testing::Test {
 protected:
  PeersRestart() { bench.answers = false; }

  void join(Offer offer = {}) {
    leg = bench.join(kAnn, kRoom, std::move(offer));
    ASSERT_NE(leg.value, 0u);
  }
  Step transport_info(const std::string& attributes, const std::string& children = "") {
    return bench.iq(kAnn, kRoom,
                    in_session("S1", "transport-info",
                               "<content creator='initiator' name='0'><transport "
                               "xmlns='urn:xmpp:jingle:transports:ice-udp:1' " +
                                   attributes + ">" + children + "</transport></content>"));
  }
  const FakeEngine::Leg& at() { return bench.engine.legs().at(leg); }
  // The transport of the only transport-info that one event made us send.
  static jingle::IceUdpTransport told(const Step& step) {
    const auto sent = step.sent<jingle::TransportInfo>();
    EXPECT_EQ(sent.size(), 1u);
    if (sent.size() != 1 || sent[0].contents.size() != 1) {
      ADD_FAILURE() << "not exactly one content";
      return {};
    }
    return *sent[0].contents[0].ice();
  }

  Bench bench;
  media::LegId leg;
};

TEST_F(PeersRestart, IsAnsweredWithNewCredentialsAndAllCandidatesInOneContent) {
  join();
  const Step offered = transport_info(both("new1"));
  EXPECT_TRUE(offered.acked());
  EXPECT_TRUE(offered.jingle().empty()) << "nothing to tell yet";
  EXPECT_EQ(at().restarts, 1);
  EXPECT_EQ(at().restarted_with, (media::IceCredentials{"new1", password("new1")}));
  const auto restarted = bench.engine.restarted(leg);
  const auto answer = told(bench.media(restarted));
  EXPECT_EQ(answer.ufrag, restarted.ice.ufrag);
  EXPECT_EQ(answer.pwd, restarted.ice.pwd);
  EXPECT_EQ(answer.candidates.size(), restarted.candidates.size());
  EXPECT_TRUE(answer.fingerprints.empty()) << "DTLS stays as it is";
  EXPECT_TRUE(bench.media(bench.engine.connected(leg)).jingle().empty());
  EXPECT_EQ(bench.focus.legs(), 1u);
}

TEST_F(PeersRestart, CandidatesBeforeOurAnswerAreKeptOldOnesIgnored) {
  join();
  transport_info("", candidate("192.0.2.9", 1));
  transport_info(both("new1"), candidate("192.0.2.9", 2));
  EXPECT_EQ(at().restarts, 1) << "with candidates as without";
  ASSERT_EQ(at().trickled.size(), 1u);
  EXPECT_EQ(at().trickled[0].port, 2);
  struct Row {
    std::string attributes;
    bool counts;
  };
  int port = 10;
  for (const auto& [attributes, counts] : std::vector<Row>{
           {both("new1"), true},
           {"ufrag='new1'", true},
           {"", true},
           {"ufrag='S0dl'", false},
           {"ufrag='S0dl' pwd='qzwvx5m/k0sxr6B3r7xnbmeo'", false},
           {"ufrag='never'", false},
           {"pwd='qzwvx5m/k0sxr6B3r7xnbmeo'", false},
           {"ufrag='new1' pwd='anotherpasswordanother00'", false},
       }) {
    const auto before = at().trickled.size();
    EXPECT_TRUE(transport_info(attributes, candidate("192.0.2.9", ++port)).acked()) << attributes;
    EXPECT_EQ(at().trickled.size(), before + (counts ? 1 : 0)) << attributes;
  }
  EXPECT_EQ(at().restarts, 1);
}

// Clients' ends of candidates, reports and pings are none (stanza.js gives the ufrag again).
TEST_F(PeersRestart, IsNothingThatKeepsTheCredentials) {
  join();
  for (const auto& [attributes, children] : std::vector<std::pair<std::string, std::string>>{
           {"ufrag='S0dl'", "<gathering-complete/>"},
           {"ufrag='S0dl' pwd='qzwvx5m/k0sxr6B3r7xnbmeo'", ""},
           {"ufrag='S0dl' pwd='qzwvx5m/k0sxr6B3r7xnbmeo'", candidate("192.0.2.9", 3)},
           {"", "<remote-candidate component='1' ip='192.0.2.1' port='9'/>"},
           {"", ""},
           {"ufrag='new1'", ""},
       }) {
    EXPECT_TRUE(transport_info(attributes, children).acked());
    EXPECT_EQ(at().restarts, 0) << attributes << children;
  }
}

TEST_F(PeersRestart, OneASecondIsCarriedOutAndTheLastOfTheOthers) {
  join();
  bench.wait(10s);
  transport_info(both("r0"));
  bench.media(bench.engine.restarted(leg));
  for (int i = 1; i <= 5; ++i) {
    EXPECT_TRUE(transport_info(both("r" + std::to_string(i))).acked());
    EXPECT_TRUE(transport_info("", candidate("192.0.2.9", i)).acked());
  }
  EXPECT_EQ(at().restarts, 1);
  EXPECT_TRUE(at().trickled.empty()) << "they are of credentials that the engine does not know";
  const Step waited = bench.wait(2s);
  ASSERT_EQ(waited.all<RestartIce>().size(), 1u);
  EXPECT_EQ(at().restarted_with->ufrag, "r5");
  ASSERT_EQ(at().trickled.size(), 1u);
  EXPECT_EQ(at().trickled[0].port, 5);
  EXPECT_EQ(told(bench.media(bench.engine.restarted(leg))).candidates.size(), 1u);
}

TEST_F(PeersRestart, ThousandsLeaveNothingAndReachFewAddresses) {
  join();
  std::size_t reached = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string candidates;
    for (int j = 0; j < 10; ++j) candidates += candidate("192.0.2.9", 1 + (i * 10 + j) % 60000);
    const Step step = transport_info(both("r" + std::to_string(i)), candidates);
    EXPECT_TRUE(step.acked());
    for (const auto& add : step.all<AddRemoteCandidates>()) reached += add.candidates.size();
    for (const auto& add : bench.wait(100ms).all<AddRemoteCandidates>()) {
      reached += add.candidates.size();
    }
    if (at().restarts > 0) bench.media(bench.engine.restarted(leg));
  }
  // 200 s: one a second and what every leg may have.
  EXPECT_LE(at().restarts, 201);
  EXPECT_GE(at().restarts, 190);
  EXPECT_LE(reached, 200 + mixer::limits::kMaxRemoteCandidates);
  EXPECT_GE(reached, 200u);
  EXPECT_EQ(bench.focus.legs(), 1u);
}

TEST_F(PeersRestart, WithAnotherCertificateEndsTheCall) {
  join();
  std::string other = kFingerprint;
  other[0] = '0';
  const auto with = [&](const std::string& ufrag, const std::string& fingerprint) {
    return transport_info(both(ufrag),
                          "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' "
                          "setup='actpass'>" +
                              fingerprint + "</fingerprint>");
  };
  EXPECT_EQ(with("new1", kFingerprint).terminated().condition, "") << "stanza.js repeats it";
  EXPECT_EQ(at().restarts, 1);
  const Step step = with("new2", other);
  EXPECT_TRUE(step.acked());
  EXPECT_EQ(step.terminated().condition, "security-error");
  EXPECT_TRUE(step.all<RestartIce>().empty());
}

TEST_F(PeersRestart, OfABundleIsAnsweredForAll) {
  Offer offer;
  offer.more_contents =
      "<content creator='initiator' name='1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' "
      "media='video'><payload-type id='96' name='VP8' clockrate='90000'/><rtcp-mux/>"
      "</description>" +
      Offer{}.transport() + "</content>";
  offer.more_jingle =
      "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'><content name='0'/>"
      "<content name='1'/></group>";
  join(offer);
  const auto content = [](const std::string& name) {
    return "<content creator='initiator' name='" + name +
           "'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' " + both("new1") +
           "/></content>";
  };
  const Step step =
      bench.iq(kAnn, kRoom, in_session("S1", "transport-info", content("0") + content("1")));
  EXPECT_TRUE(step.acked());
  EXPECT_EQ(at().restarts, 1);
  const auto sent = bench.media(bench.engine.restarted(leg)).sent<jingle::TransportInfo>();
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_EQ(sent[0].contents.size(), 1u);
  EXPECT_EQ(sent[0].contents[0].name, "0");
}

TEST_F(PeersRestart, WithoutRtcpMuxKeepsTheCandidatesOfBothComponents) {
  Offer offer;
  offer.more_description = "";
  join(offer);
  transport_info(both("new1"),
                 candidate("192.0.2.9", 1) +
                     "<candidate component='2' foundation='1' ip='192.0.2.9' port='2' "
                     "priority='1' protocol='udp' type='host'/>");
  ASSERT_EQ(at().trickled.size(), 2u);
  EXPECT_EQ(at().trickled[1].component, 2);
}

// A port range that is full, or an engine that is too busy.
TEST_F(PeersRestart, ThatCannotBeginIsLoggedAndTheNextIsAnswered) {
  join();
  transport_info(both("new1"));
  const Step failed = bench.media(bench.engine.restart_failed(leg));
  EXPECT_TRUE(failed.jingle().empty());
  ASSERT_EQ(failed.all<mixer::Log>().size(), 1u);
  EXPECT_NE(failed.all<mixer::Log>()[0].text.find("ice restart failed: room=\"room\""),
            std::string::npos);
  bench.wait(2s);
  transport_info(both("new2"));
  EXPECT_EQ(told(bench.media(bench.engine.restarted(leg))).candidates.size(), 1u);
}

TEST_F(PeersRestart, IsNotAnsweredWithTheCredentialsOfAnother) {
  join();
  transport_info(both("new1"));
  const auto first = bench.engine.restarted(leg);
  bench.wait(2s);
  transport_info(both("new2"));
  const auto second = bench.engine.restarted(leg);
  EXPECT_TRUE(bench.media(first).jingle().empty()) << "too late: its agent is gone";
  EXPECT_EQ(told(bench.media(second)).ufrag, second.ice.ufrag);
}

// §5.9
TEST_F(PeersRestart, EachHasAHigherGenerationUpToWhatAByteHolds) {
  join();
  for (int i = 1; i <= 256; ++i) {
    bench.wait(2s);
    transport_info(both("r" + std::to_string(i)));
    const auto answer = told(bench.media(bench.engine.restarted(leg)));
    ASSERT_EQ(answer.candidates.size(), 1u);
    EXPECT_EQ(answer.candidates[0].generation, i <= 255 ? i : 0) << "libwebrtc takes 0 for any";
  }
}

TEST_F(PeersRestart, WhatIsTrickledAfterwardsHasTheNewCredentialsAndNewIds) {
  join();
  transport_info(both("new1"));
  const auto restarted = bench.engine.restarted(leg);
  const auto first = told(bench.media(restarted));
  auto late = restarted.candidates;
  late[0].type = media::CandidateType::srflx;
  const auto second = told(bench.media(media::CandidatesGathered{leg, late}));
  EXPECT_EQ(second.ufrag, restarted.ice.ufrag);
  EXPECT_EQ(second.pwd, restarted.ice.pwd);
  EXPECT_NE(second.candidates.at(0).id, first.candidates.at(0).id);
}

// What we do when consent is lost (RFC 7675).
class OurRestart : public PeersRestart {
 protected:
  Step lose_consent() {
    return bench.media(media::LegFailed{leg, media::LegFailure::consent_lost, "gone"});
  }
  // Up to our offer; the IQ.
  mixer::SendIq offer() {
    join();
    transport_info("", candidate("192.0.2.9", 1));
    lose_consent();
    const Step step = bench.media(bench.engine.restarted(leg));
    EXPECT_TRUE(told(step).candidates.empty()) << "Conversations knows an offer by that";
    return step.jingle().at(0).first;
  }
};

TEST_F(OurRestart, IsOfferedWithoutCandidatesWhichFollowTheAck) {
  const auto iq = offer();
  EXPECT_EQ(at().restarts, 1);
  EXPECT_FALSE(at().restarted_with);
  const auto more = told(bench.answered(iq, "result", ""));
  EXPECT_EQ(more.candidates.size(), 1u);
  EXPECT_EQ(more.ufrag, bench.engine.restarted(leg).ice.ufrag);
  const Step answer = transport_info(both("new1"), candidate("192.0.2.9", 7));
  EXPECT_TRUE(answer.acked());
  EXPECT_TRUE(answer.jingle().empty());
  EXPECT_EQ(at().restarts, 1);
  EXPECT_EQ(at().restarted_with->ufrag, "new1");
  EXPECT_EQ(at().trickled.size(), 1u);
  EXPECT_TRUE(bench.media(bench.engine.connected(leg)).jingle().empty());
  EXPECT_EQ(bench.wait(60s).terminated().condition, "");
  EXPECT_EQ(bench.focus.legs(), 1u);
}

// A relay's candidate takes a round trip to the TURN server.
TEST_F(OurRestart, WhatIsGatheredBeforeTheAckFollowsItWithTheRest) {
  const auto iq = offer();
  auto relay = bench.engine.restarted(leg).candidates;
  relay[0].type = media::CandidateType::relay;
  EXPECT_TRUE(bench.media(media::CandidatesGathered{leg, relay}).jingle().empty());
  const auto more = told(bench.answered(iq, "result", ""));
  ASSERT_EQ(more.candidates.size(), 2u);
  EXPECT_EQ(more.candidates[1].type, jingle::CandidateType::relay);
  EXPECT_EQ(told(bench.media(media::CandidatesGathered{leg, relay})).candidates.size(), 1u)
      << "after it, at once";
}

TEST_F(OurRestart, ThatCannotBeginEndsTheCall) {
  join();
  transport_info("");
  lose_consent();
  const Step end = bench.media(bench.engine.restart_failed(leg));
  EXPECT_EQ(end.terminated().condition, "connectivity-error");
  EXPECT_EQ(bench.focus.legs(), 0u);
}

// The engine then takes the peer's for one of its own.
TEST_F(OurRestart, ThatCannotBeginThoughItYieldedLeavesThePeers) {
  join();
  transport_info("");
  lose_consent();
  const auto failed = bench.engine.restart_failed(leg);
  transport_info(both("new1"));
  EXPECT_TRUE(bench.media(failed).jingle().empty());
  EXPECT_EQ(told(bench.media(bench.engine.restarted(leg))).candidates.size(), 1u);
}

TEST_F(OurRestart, IsTriedOnceForEachConnection) {
  const auto iq = offer();
  bench.answered(iq, "result", "");
  transport_info(both("new1"));
  EXPECT_EQ(lose_consent().terminated().condition, "connectivity-error") << "it did not help";
}

TEST_F(OurRestart, MayBeTriedAgainAfterOneThatHelped) {
  const auto iq = offer();
  bench.answered(iq, "result", "");
  transport_info(both("new1"));
  bench.media(bench.engine.connected(leg));
  EXPECT_EQ(lose_consent().terminated().condition, "");
  EXPECT_EQ(at().restarts, 2);
}

TEST_F(OurRestart, IsNotOfferedToWhoNeverTrickledOrIsGone) {
  join();
  EXPECT_EQ(lose_consent().terminated().condition, "connectivity-error");
  bench.wait(1s);
  Offer again;
  again.sid = "S2";
  leg = bench.join(kAnn, kRoom, again);
  bench.iq(kAnn, kRoom, in_session("S2", "transport-info"));
  bench.presence(kAnn, kRoom, "unavailable");
  EXPECT_EQ(lose_consent().terminated().condition, "connectivity-error");
}

TEST_F(OurRestart, EndsTheCallWhenItIsRefused) {
  const Step end = bench.answered(offer(), "error",
                                  "<error type='cancel'><service-unavailable "
                                  "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
  EXPECT_EQ(end.terminated().condition, "connectivity-error");
  EXPECT_EQ(bench.focus.legs(), 0u);
}

TEST_F(OurRestart, EndsTheCallWhenItIsNotAnswered) {
  bench.answered(offer(), "result", "");
  EXPECT_EQ(bench.wait(mixer::limits::kRestartAnsweredWithin - 1s).terminated().condition, "");
  EXPECT_EQ(bench.wait(2s).terminated().condition, "connectivity-error");
  EXPECT_EQ(bench.focus.legs(), 0u);
}

constexpr char kTieBreak[] =
    "<error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><tie-break "
    "xmlns='urn:xmpp:jingle:errors:1'/></error>";

// We are the responder here: the peer's offer counts (XEP-0166 §7.2.16), whichever comes first.
class CrossingRestarts : public OurRestart, public testing::WithParamInterface<bool> {};

TEST_P(CrossingRestarts, OursYields) {
  const auto iq = offer();
  auto relay = bench.engine.restarted(leg).candidates;
  relay[0].type = media::CandidateType::relay;
  EXPECT_TRUE(bench.media(media::CandidatesGathered{leg, relay}).jingle().empty());
  const auto conflict = [&] {
    EXPECT_TRUE(bench.answered(iq, "error", kTieBreak).commands.empty());
  };
  if (GetParam()) conflict();
  const Step theirs = transport_info(both("new1"));
  if (!GetParam()) conflict();
  EXPECT_TRUE(theirs.acked());
  const auto answer = told(theirs);
  EXPECT_EQ(answer.ufrag, bench.engine.restarted(leg).ice.ufrag) << "what is gathered serves";
  EXPECT_EQ(answer.candidates.size(), 2u) << "the relay's too";
  EXPECT_EQ(at().restarts, 1);
  EXPECT_EQ(at().restarted_with->ufrag, "new1");
  EXPECT_EQ(bench.wait(60s).terminated().condition, "");
}

INSTANTIATE_TEST_SUITE_P(TheConflict, CrossingRestarts, testing::Bool(), [](const auto& info) {
  return std::string(info.param ? "before_their_offer" : "after_it");
});

TEST_F(OurRestart, IsNotNeededWhileOneOfThePeersWaitsItsTurn) {
  join();
  transport_info(both("r0"));
  bench.media(bench.engine.restarted(leg));
  transport_info(both("r1"));
  EXPECT_EQ(lose_consent().terminated().condition, "");
  EXPECT_EQ(at().restarts, 1);
  bench.wait(2s);
  EXPECT_EQ(at().restarts, 2);
  EXPECT_EQ(at().restarted_with->ufrag, "r1");
  EXPECT_EQ(told(bench.media(bench.engine.restarted(leg))).candidates.size(), 1u);
}

TEST_F(OurRestart, YieldsBeforeItWasEvenSent) {
  join();
  transport_info("");
  lose_consent();
  EXPECT_TRUE(transport_info(both("new1")).acked());
  const auto answer = told(bench.media(bench.engine.restarted(leg)));
  EXPECT_EQ(answer.candidates.size(), 1u);
  EXPECT_EQ(at().restarts, 1);
  EXPECT_EQ(at().restarted_with->ufrag, "new1");
}

// We called: ours counts.
class DialledRestart : public DialledCall {
 protected:
  jingle::TransportInfo new_credentials(int candidates) {
    auto info = trickled("new1", password("new1"), 7);
    if (candidates == 0) {
      std::get<jingle::IceUdpTransport>(info.contents[0].transport).candidates.clear();
    }
    return info;
  }
};

TEST_F(DialledRestart, OfTheRespondersIsAnswered) {
  connect();
  EXPECT_EQ(receive(new_credentials(0)), "result");
  EXPECT_EQ(take().all<RestartIce>().size(), 1u);
  call->ice_restarted(engine.restarted(kLeg), out, now);
  EXPECT_EQ(take().sent<jingle::TransportInfo>().size(), 1u);
}

TEST_F(DialledRestart, CrossingOursIsAConflict) {
  connect();
  receive(trickled("them", "theirpasswordtheirpassword", 5));
  call->leg_failed({kLeg, media::LegFailure::consent_lost, ""}, out, now);
  take();
  call->ice_restarted(engine.restarted(kLeg), out, now);
  EXPECT_EQ(take().sent<jingle::TransportInfo>().size(), 1u);
  EXPECT_EQ(receive(new_credentials(0)), "conflict/tie-break");
  EXPECT_FALSE(engine.legs().at(kLeg).restarted_with);
  EXPECT_EQ(receive(trickled("them", "theirpasswordtheirpassword", 6)), "result");
  call->restart_acknowledged(out, now);
  EXPECT_EQ(take().sent<jingle::TransportInfo>().size(), 1u) << "candidates";
  EXPECT_EQ(receive(new_credentials(0)), "result") << "an answer, without candidates";
  take();
  EXPECT_EQ(engine.legs().at(kLeg).restarted_with->ufrag, "new1");
}

// stanza.js sends its answer before its ack, without candidates, with its part in DTLS; those it
// trickles then have the ufrag alone.
TEST_F(DialledRestart, OfOursIsAnsweredByStanzaJsBeforeItsAck) {
  connect();
  receive(trickled("them", "theirpasswordtheirpassword", 5));
  call->leg_failed({kLeg, media::LegFailure::consent_lost, ""}, out, now);
  take();
  call->ice_restarted(engine.restarted(kLeg), out, now);
  take();
  EXPECT_EQ(receive(trickled("them", "theirpasswordtheirpassword", 5)), "result");
  auto repeated = trickled("them", "theirpasswordtheirpassword", 5);
  std::get<jingle::IceUdpTransport>(repeated.contents[0].transport).candidates.clear();
  EXPECT_EQ(receive(repeated), "result") << "nothing new";
  auto answer = new_credentials(0);
  std::get<jingle::IceUdpTransport>(answer.contents[0].transport).fingerprints = {
      {"sha-256", kFingerprint, jingle::Setup::active}};
  EXPECT_EQ(receive(answer), "result");
  EXPECT_EQ(take().sent<jingle::TransportInfo>().size(), 1u) << "our candidates";
  EXPECT_EQ(engine.legs().at(kLeg).restarted_with->ufrag, "new1");
  call->restart_acknowledged(out, now);
  EXPECT_TRUE(take().commands.empty());
  receive(trickled("new1", "", 8));
  EXPECT_EQ(take().all<AddRemoteCandidates>().size(), 1u);
  now += mixer::limits::kRestartAnsweredWithin * 2;
  call->advance(out, now);
  EXPECT_FALSE(call->ended());
}

}  // namespace
