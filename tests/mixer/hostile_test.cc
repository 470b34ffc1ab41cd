// What one caller may ask of the focus without end, out of order or out of shape: each gets the
// error that belongs to it, nothing of it stays, and the others' calls go on.
#include "mixer/limits.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::OpenLeg;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost/pc";
constexpr char kRoom[] = "room@mixer.localhost";

// A room in which bob talks, and what must be left of it when ann has done her worst.
class Hostile : public testing::Test {
 protected:
  explicit Hostile(mixer::Config config = component_config()) : bench(std::move(config)) {
    bobs = bench.join(kBob, kRoom, Offer{.sid = "B"});
  }
  void expect_only_bob() {
    EXPECT_EQ(bench.focus.legs(), 1u);
    EXPECT_EQ(bench.focus.rooms(), 1u);
    EXPECT_EQ(bench.engine.legs().size(), 1u);
    EXPECT_EQ(bench.engine.faults(), std::vector<std::string>{});
    ASSERT_EQ(bench.engine.plans().size(), 1u);
    const auto& plan = bench.engine.plans().begin()->second;
    ASSERT_EQ(plan.legs.size(), 1u);
    EXPECT_EQ(plan.legs[0].leg, bobs);
    EXPECT_TRUE(plan.legs[0].in_mix && plan.legs[0].receives);
    EXPECT_EQ(bench.iq(kBob, kRoom, session_info("B")).answer(), "result");
  }
  Step trickle(const std::string& inside) {
    return bench.iq(kAnn, kRoom,
                    in_session("S1", "transport-info",
                               "<content creator='initiator' name='0'><transport "
                               "xmlns='urn:xmpp:jingle:transports:ice-udp:1'>" +
                                   inside + "</transport></content>"));
  }

  Bench bench;
  media::LegId bobs;
};

// XEP-0166 §6.3.1: the ack first, then the reason.
TEST_F(Hostile, OffersThatCannotBeTakenAreAckedTerminatedAndForgotten) {
  const std::string audio = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" +
                            Offer{}.payload_types + "</description>";
  const auto contents = [](const std::string& inside) {
    return "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='S1'>" + inside +
           "</jingle>";
  };
  const auto fingerprint = [](const std::string& hash, const std::string& setup) {
    Offer offer;
    offer.fingerprint = "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='" + hash +
                        "' setup='" + setup + "'>" + kFingerprint + "</fingerprint>";
    return offer.xml();
  };
  Offer pcmu, sdes;
  pcmu.payload_types = "<payload-type id='0' name='PCMU' clockrate='8000'/>";
  sdes.fingerprint = "";
  sdes.more_description =
      "<encryption required='1'><crypto crypto-suite='AES_CM_128_HMAC_SHA1_80' "
      "key-params='inline:x' tag='1'/></encryption>";
  const struct {
    std::string offer, condition, rtp_error;
  } table[] = {
      {pcmu.xml(), "failed-application", ""},
      {Offer{.fingerprint = ""}.xml(), "security-error", "crypto-required"},
      {sdes.xml(), "security-error", "crypto-required"},
      {fingerprint("md5", "actpass"), "security-error", "invalid-crypto"},
      {fingerprint("sha-256", "holdconn"), "security-error", "invalid-crypto"},
      {contents("<content name='0'>" + audio + "<transport xmlns='urn:unknown'/></content>"),
       "unsupported-transports", ""},
      {contents("<content name='0'><description xmlns='urn:unknown'/>" + Offer{}.transport() +
                "</content>"),
       "unsupported-applications", ""},
      {contents("<content name='0'/>"), "unsupported-applications", ""},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.offer);
    const Step step = bench.iq(kAnn, kRoom, row.offer);
    ASSERT_TRUE(std::holds_alternative<mixer::Reply>(step.commands.front()));
    EXPECT_TRUE(step.acked());
    EXPECT_EQ(step.terminated().condition, row.condition);
    EXPECT_EQ(step.terminated().rtp_error, row.rtp_error);
    EXPECT_FALSE(step.terminated().text.empty());
    EXPECT_TRUE(step.all<OpenLeg>().empty());
    EXPECT_EQ(bench.iq(kAnn, kRoom, session_info("S1")).answer(), "item-not-found/unknown-session");
    expect_only_bob();
  }
}

TEST_F(Hostile, OffersOutOfShapeAreBadRequests) {
  Offer many, pt255;
  for (int i = 1; i <= 1000; ++i) many.candidates += candidate("192.0.2.9", i);
  pt255.payload_types = "<payload-type id='255' name='opus' clockrate='48000'/>";
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += "<content name='x" + std::to_string(i) + "'/>";
  for (const std::string& bad : {many.xml(), pt255.xml(), in_session("S1", "session-initiate"),
                                 in_session("S1", "session-initiate", hundred)}) {
    EXPECT_EQ(bench.iq(kAnn, kRoom, bad).answer(), "bad-request");
  }
  expect_only_bob();
}

TEST_F(Hostile, ASidThatAnotherHasTakenIsASessionOfItsOwn) {
  bench.join(kAnn, kRoom, Offer{.sid = "B"});
  EXPECT_EQ(bench.focus.legs(), 2u);
  EXPECT_EQ(bench.iq(kAnn, kRoom, terminate("B")).answer(), "result");
  EXPECT_EQ(bench.iq(kAnn, kRoom, terminate("B")).answer(), "item-not-found/unknown-session");
  expect_only_bob();
}

TEST_F(Hostile, AThousandSessionInfosASecondAreEachAnsweredAndToldOnce) {
  bench.join(kAnn);
  bench.wait(60s);
  std::size_t documents = 0;
  for (int i = 0; i < 1000; ++i) {
    for (const char* info : {"hold", "active", ""}) {
      const Step step = bench.iq(kAnn, kRoom, session_info("S1", info));
      EXPECT_TRUE(step.acked());
      documents += step.documents().size();
    }
    documents += bench.wait(1ms).documents().size();
  }
  EXPECT_LE(documents, 2u * 3u) << "to two receivers, one in half a second";
  bench.iq(kAnn, kRoom, terminate("S1"));
  bench.wait(1s);
  expect_only_bob();
}

TEST_F(Hostile, SixtyFourThousandTrickledCandidatesAreAckedAndTwentyKept) {
  const media::LegId leg = bench.join(kAnn);
  for (int i = 0; i < 1000; ++i) {
    std::string candidates;
    for (int k = 0; k < 64; ++k) {
      candidates += candidate("192.0." + std::to_string(i % 250) + ".9", 1024 + 64 * i % 60000 + k);
    }
    ASSERT_TRUE(trickle(candidates).acked());
  }
  const auto& at = bench.engine.legs().at(leg);
  EXPECT_LE(at.spec.remote->candidates.size() + at.trickled.size(),
            mixer::limits::kMaxRemoteCandidates);
  std::string thousand;
  for (int i = 1; i <= 1000; ++i) thousand += candidate("192.0.2.9", i);
  EXPECT_EQ(trickle(thousand).answer(), "bad-request") << "in one stanza";
  EXPECT_EQ(bench.iq(kAnn, kRoom, session_info("S1")).answer(), "result") << "the call goes on";
}

TEST_F(Hostile, AThousandContentsAreAnsweredOnceEachAndNoneKept) {
  bench.join(kAnn);
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "x" + std::to_string(i);
    const Step step = bench.iq(kAnn, kRoom,
                               in_session("S1", "content-add",
                                          "<content creator='initiator' name='" + name +
                                              "'><description xmlns='urn:unknown'/></content>"));
    EXPECT_TRUE(step.acked());
    EXPECT_EQ(step.sent<jingle::ContentAction>().size(), 1u);
  }
  EXPECT_EQ(bench
                .iq(kAnn, kRoom,
                    in_session("S1", "content-remove", "<content creator='initiator' name='0'/>"))
                .terminated()
                .condition,
            "success")
      << "of the audio";
  expect_only_bob();
}

mixer::Config generous() {
  auto config = component_config();
  config.limits.calls_per_minute_per_jid = 1000;
  return config;
}
class HostileWithoutLimit : public Hostile {
 protected:
  HostileWithoutLimit() : Hostile(generous()) {}
};

TEST_F(HostileWithoutLimit, AClientThatJoinsAHundredTimesIsInTheRoomOnce) {
  const auto first = bench.join(kAnn);
  for (int i = 2; i <= 100; ++i) {
    const Step step = bench.iq(kAnn, kRoom, Offer{.sid = "S" + std::to_string(i)}.xml());
    EXPECT_EQ(step.terminated().condition, "alternative-session");
    EXPECT_EQ(step.terminated().alternative_sid, "S1");
  }
  EXPECT_EQ(bench.focus.legs(), 2u);
  EXPECT_EQ(bench.engine.opened_count(), 2u);
  EXPECT_TRUE(bench.engine.legs().contains(first));
  bench.iq(kAnn, kRoom, terminate("S1"));
  expect_only_bob();
}

TEST_F(HostileWithoutLimit, AHundredClientsOfOneJidThatNeverConnectAreThree) {
  std::map<std::string, int> answers;
  for (int i = 0; i < 100; ++i) {
    ++answers[bench.iq("ann@localhost/" + std::to_string(i), kRoom, Offer{}.xml()).answer()];
  }
  EXPECT_EQ(answers["result"], 3);
  EXPECT_EQ(bench.engine.opened_count(), 1u + 3u);
  bench.wait(60s);
  expect_only_bob();
}

TEST_F(Hostile, AThousandCallsAMinuteAreLimitedThenBlocked) {
  std::map<std::string, int> answers;
  std::size_t lines = 0;
  for (int i = 0; i < 1000; ++i) {
    const Step step = bench.iq(kAnn, kRoom, Offer{}.xml());
    ++answers[step.answer()];
    for (const auto& line : step.all<mixer::Log>()) {
      lines += line.text.find("ann@localhost") != std::string::npos ? 1 : 0;
    }
    if (step.acked()) bench.iq(kAnn, kRoom, terminate("S1"));
    bench.wait(60ms);
  }
  EXPECT_EQ(answers["result"], 10);
  EXPECT_EQ(answers["resource-constraint"], mixer::limits::kRefusedCalls + 1);
  EXPECT_EQ(answers["service-unavailable"], 1000 - 10 - mixer::limits::kRefusedCalls - 1);
  EXPECT_LE(lines, 7u) << "one in ten seconds";
  EXPECT_TRUE(bench
                  .message(kAnn, kRoom,
                           "<propose xmlns='urn:xmpp:jingle-message:0' id='P'><description "
                           "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>")
                  .jmi()
                  .empty());
  expect_only_bob();
  EXPECT_EQ(bench.iq("cyd@localhost/x", kRoom, Offer{.sid = "C"}.xml()).answer(), "result");
  bench.wait(mixer::limits::kBlockedFor);
  EXPECT_EQ(bench.iq(kAnn, kRoom, Offer{}.xml()).answer(), "result");
}

TEST_F(Hostile, WhatAPeerIsRefusedIsLoggedOnceInTenSeconds) {
  const auto lines_of = [](const Step& step) { return step.all<mixer::Log>().size(); };
  const std::string nonsense = in_session("S1", "frobnicate");
  std::size_t anns = 0;
  for (int i = 0; i < 1000; ++i) {
    anns += lines_of(bench.iq(kAnn, kRoom, i % 2 == 0 ? nonsense : terminate("nope")));
    bench.wait(20ms);
  }
  EXPECT_EQ(anns, 2u) << "in 20 seconds";
  const Step bobs = bench.iq(kBob, kRoom, nonsense);
  ASSERT_EQ(lines_of(bobs), 1u) << "whoever else is refused";
  const std::string line = bobs.all<mixer::Log>()[0].text;
  EXPECT_NE(line.find("from=\"bob@localhost/pc\" error=bad-request"), std::string::npos) << line;
  bench.wait(10s);
  EXPECT_EQ(lines_of(bench.iq(kAnn, kRoom, nonsense)), 1u);
}

}  // namespace
