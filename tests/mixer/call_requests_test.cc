// What a caller asks within its session: trickled candidates and changes of contents (XEP-0166
// §7.2, XEP-0176 §5.6).
#include "mixer/limits.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::ConnectLeg;
using mixer::OpenLeg;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";

TEST(Trickle, CandidatesReachTheLegWhateverCredentialsTheyCarry) {
  Bench bench;
  bench.answers = false;
  const auto leg = bench.iq(kAnn, kRoom, Offer{}.xml()).all<OpenLeg>().at(0).spec.leg;
  const auto trickle = [&](const std::string& attributes, const std::string& children) {
    return bench.iq(kAnn, kRoom,
                    in_session("S1", "transport-info",
                               "<content creator='initiator' name='0'><transport "
                               "xmlns='urn:xmpp:jingle:transports:ice-udp:1' " +
                                   attributes + ">" + children + "</transport></content>"));
  };
  const auto count = [&] { return bench.engine.legs().at(leg).trickled.size(); };
  EXPECT_TRUE(trickle("ufrag='S0dl'", candidate("192.0.2.9", 1)).acked()) << "before the accept";
  EXPECT_EQ(count(), 1u);
  bench.media(bench.engine.opened(leg));
  EXPECT_TRUE(trickle("", candidate("192.0.2.9", 2)).acked());
  EXPECT_TRUE(
      trickle("ufrag='S0dl' pwd='qzwvx5m/k0sxr6B3r7xnbmeo'", candidate("2001:db8::9", 3)).acked());
  EXPECT_EQ(count(), 3u);
  // Skipped, not refused: Conversations drops the call on any error.
  EXPECT_TRUE(trickle("", candidate("d3f4.local", 4)).acked());
  EXPECT_TRUE(trickle("", candidate("fe80::1", 4)).acked());
  EXPECT_TRUE(trickle("", candidate("192.0.2.9", 0)).acked());
  EXPECT_TRUE(trickle("",
                      "<candidate component='1' foundation='1' ip='192.0.2.9' port='9' "
                      "priority='1' protocol='tcp' type='host'/>")
                  .acked());
  EXPECT_TRUE(trickle("",
                      "<candidate component='2' foundation='1' ip='192.0.2.9' port='9' "
                      "priority='1' protocol='udp' type='host'/>")
                  .acked());
  EXPECT_EQ(count(), 3u);
  EXPECT_TRUE(trickle("ufrag='S0dl'", "<gathering-complete/>").acked());
  EXPECT_TRUE(trickle("", "<remote-candidate component='1' ip='192.0.2.1' port='9'/>").acked());
  EXPECT_TRUE(trickle("", "").acked());
  // Half of a pair is of none that we know.
  EXPECT_TRUE(trickle("ufrag='new1'", candidate("192.0.2.9", 5)).acked());
  EXPECT_TRUE(
      trickle("ufrag='S0dl' pwd='anotherpasswordanother00'", candidate("192.0.2.9", 5)).acked());
  EXPECT_EQ(count(), 3u);
  EXPECT_EQ(bench.focus.legs(), 1u);
}

TEST(Trickle, ALegTakesABoundedNumberOfCandidates) {
  Bench bench;
  Offer offer;
  for (int i = 1; i <= 15; ++i) offer.candidates += candidate("192.0.2.9", i);
  const auto leg = bench.call(kAnn, kRoom, offer);
  for (int i = 0; i < 5; ++i) {
    std::string more;
    for (int j = 1; j <= 10; ++j) more += candidate("192.0.2.9", 100 * i + 100 + j);
    EXPECT_TRUE(bench
                    .iq(kAnn, kRoom,
                        in_session("S1", "transport-info",
                                   "<content creator='initiator' name='0'><transport xmlns="
                                   "'urn:xmpp:jingle:transports:ice-udp:1'>" +
                                       more + "</transport></content>"))
                    .acked());
  }
  const auto& at = bench.engine.legs().at(leg);
  EXPECT_EQ(at.spec.remote->candidates.size() + at.trickled.size(),
            mixer::limits::kMaxRemoteCandidates);
}

TEST(Trickle, CredentialsMayFollowTheOffer) {
  Bench bench;
  Offer offer;
  offer.ufrag = offer.pwd = "";
  offer.candidates = "";
  const Step step = bench.iq(kAnn, kRoom, offer.xml());
  const auto leg = step.all<OpenLeg>().at(0).spec.leg;
  EXPECT_FALSE(step.all<OpenLeg>()[0].spec.remote);
  bench.media(bench.engine.opened(leg));
  const Step connect =
      bench.iq(kAnn, kRoom,
               in_session("S1", "transport-info",
                          "<content creator='initiator' name='0'><transport "
                          "xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u1u1' pwd='" +
                              std::string(22, 'p') + "'>" + candidate("192.0.2.9", 7) +
                              "</transport></content>"));
  ASSERT_EQ(connect.all<ConnectLeg>().size(), 1u);
  EXPECT_EQ(connect.all<ConnectLeg>()[0].remote.ice.ufrag, "u1u1");
  EXPECT_EQ(connect.all<ConnectLeg>()[0].remote.candidates.size(), 1u);
  EXPECT_EQ(connect.all<ConnectLeg>()[0].remote.fingerprint.value, kFingerprint);
}

TEST(Trickle, AChangedFingerprintEndsTheCall) {
  Bench bench;
  bench.join(kAnn);
  std::string other = kFingerprint;
  other[0] = '0';
  const auto with = [&](const std::string& fingerprint) {
    return bench.iq(kAnn, kRoom,
                    in_session("S1", "transport-info",
                               "<content creator='initiator' name='0'><transport xmlns="
                               "'urn:xmpp:jingle:transports:ice-udp:1'><fingerprint "
                               "xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' "
                               "setup='actpass'>" +
                                   fingerprint + "</fingerprint></transport></content>"));
  };
  EXPECT_EQ(with(kFingerprint).terminated().condition, "");
  const Step step = with(other);
  EXPECT_TRUE(step.acked());
  EXPECT_EQ(step.terminated().condition, "security-error");
  EXPECT_EQ(bench.focus.legs(), 0u);
}

std::string video_content(const std::string& name) {
  Offer offer;
  return "<content creator='initiator' name='" + name +
         "'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'>"
         "<payload-type id='96' name='VP8' clockrate='90000'/><payload-type id='97' name='VP9' "
         "clockrate='90000'/><rtcp-mux/></description>" +
         offer.transport() + "</content>";
}

TEST(Contents, VideoAddedLaterIsAcceptedOnceAndDiscarded) {
  Bench bench;
  bench.join(kAnn);
  const Step step = bench.iq(kAnn, kRoom, in_session("S1", "content-add", video_content("1")));
  EXPECT_TRUE(step.acked());
  const auto sent = step.sent<jingle::ContentAction>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].action, jingle::Action::content_accept);
  ASSERT_EQ(sent[0].contents.size(), 1u);
  EXPECT_EQ(sent[0].contents[0].rtp()->payload_types.size(), 1u);
  EXPECT_EQ(sent[0].contents[0].ice()->fingerprints.at(0).setup, jingle::Setup::active);
}

// XEP-0338: Conversations offers the bundle as it would be, and builds it from our answer.
TEST(Contents, VideoAddedToABundleIsAcceptedIntoIt) {
  Bench bench;
  const auto leg = bench.join(kAnn);
  const std::string groups =
      "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'><content name='0'/>"
      "<content name='1'/></group>"
      "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='LS'><content name='1'/></group>";
  // Its transport is the bundle's, so it says nothing.
  std::string video = video_content("1");
  const auto from = video.find("<transport"), to = video.find("</transport>") + 12;
  video.replace(from, to - from, "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/>");
  const Step step = bench.iq(kAnn, kRoom, in_session("S1", "content-add", video + groups));
  EXPECT_TRUE(step.acked());
  const auto sent = step.sent<jingle::ContentAction>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].action, jingle::Action::content_accept);
  EXPECT_EQ(sent[0].groups, (std::vector<jingle::Group>{{"BUNDLE", {"0", "1"}}}));
  EXPECT_EQ(sent[0].contents.at(0).senders, jingle::Senders::both) << "unchanged";
  EXPECT_EQ(sent[0].contents[0].ice()->ufrag, bench.engine.opened(leg).ice.ufrag);
  EXPECT_EQ(sent[0].contents[0].ice()->pwd, bench.engine.opened(leg).ice.pwd);
}

// XEP-0166 §7.2.2: one answer to all that one stanza adds.
TEST(Contents, VideoAddedTogetherWithSomethingElseIsRejectedWithIt) {
  Bench bench;
  bench.join(kAnn);
  const Step step = bench.iq(
      kAnn, kRoom,
      in_session("S1", "content-add",
                 video_content("1") + "<content creator='initiator' name='file'><description "
                                      "xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>"
                                      "</content>"));
  const auto sent = step.sent<jingle::ContentAction>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].action, jingle::Action::content_reject);
  EXPECT_EQ(sent[0].contents.size(), 2u);
}

// Nothing of it is kept: a caller who goes on adding takes no more of our memory.
TEST(Contents, VideoAddedLaterMayBeRemovedAndAddedAgain) {
  Bench bench;
  bench.join(kAnn);
  for (int i = 0; i < 3; ++i) {
    const Step added = bench.iq(kAnn, kRoom, in_session("S1", "content-add", video_content("1")));
    ASSERT_EQ(added.sent<jingle::ContentAction>().size(), 1u);
    EXPECT_EQ(added.sent<jingle::ContentAction>()[0].action, jingle::Action::content_accept);
    const Step removed = bench.iq(
        kAnn, kRoom, in_session("S1", "content-remove", "<content creator='initiator' name='1'/>"));
    EXPECT_TRUE(removed.acked());
    EXPECT_EQ(removed.terminated().condition, "");
  }
}

TEST(Contents, OtherContentsAreRejectedOnce) {
  Bench bench;
  bench.join(kAnn);
  const Step step = bench.iq(kAnn, kRoom,
                             in_session("S1", "content-add",
                                        "<content creator='initiator' name='file'><description "
                                        "xmlns='urn:xmpp:jingle:apps:file-transfer:5'/><transport "
                                        "xmlns='urn:xmpp:jingle:transports:ibb:1'/></content>"));
  EXPECT_TRUE(step.acked());
  const auto sent = step.sent<jingle::ContentAction>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].action, jingle::Action::content_reject);
  EXPECT_EQ(sent[0].contents.at(0).name, "file");
}

TEST(Contents, RemovingTheAudioEndsTheCallRemovingVideoDoesNot) {
  Bench bench;
  Offer offer;
  offer.more_contents = video_content("1");
  bench.join(kAnn, kRoom, offer);
  const auto remove = [&](const std::string& name) {
    return bench.iq(
        kAnn, kRoom,
        in_session("S1", "content-remove", "<content creator='initiator' name='" + name + "'/>"));
  };
  EXPECT_EQ(remove("1").terminated().condition, "");
  EXPECT_EQ(remove("0").terminated().condition, "success");
  EXPECT_EQ(bench.focus.legs(), 0u);
}

TEST(Contents, TransportReplaceIsRejected) {
  Bench bench;
  bench.join(kAnn);
  const Step step =
      bench.iq(kAnn, kRoom,
               in_session("S1", "transport-replace",
                          "<content creator='initiator' name='0'><transport "
                          "xmlns='urn:xmpp:jingle:transports:raw-udp:1'/></content>"));
  EXPECT_TRUE(step.acked());
  const auto sent = step.sent<jingle::ContentAction>();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].action, jingle::Action::transport_reject);
}

TEST(Contents, ContentModifyChangesWhoSpeaks) {
  Bench bench;
  bench.join(kAnn);
  const auto modify = [&](const std::string& senders) {
    const Step step =
        bench.iq(kAnn, kRoom,
                 in_session("S1", "content-modify",
                            "<content creator='initiator' name='0' senders='" + senders + "'/>"));
    EXPECT_TRUE(step.acked());
    EXPECT_TRUE(step.sent<jingle::ContentAction>().empty()) << "never answered by content-accept";
    return bench.engine.plans().begin()->second.legs.at(0);
  };
  EXPECT_FALSE(modify("responder").in_mix);
  EXPECT_TRUE(modify("responder").receives);
  EXPECT_TRUE(modify("initiator").in_mix);
  EXPECT_FALSE(modify("initiator").receives);
  EXPECT_TRUE(modify("both").in_mix && modify("both").receives);
}

// XEP-0167 §9.
TEST(Contents, DescriptionInfoIsAHint) {
  Bench bench;
  bench.join(kAnn);
  const auto hint = [&](const std::string& inside, const std::string& name = "0") {
    const Step step =
        bench.iq(kAnn, kRoom,
                 in_session("S1", "description-info",
                            "<content creator='initiator' name='" + name +
                                "'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" +
                                inside + "</description></content>"));
    EXPECT_EQ(step.answer(), "result") << inside;
    EXPECT_TRUE(step.jingle().empty()) << "there is nothing to answer";
    return bench.engine.plans().begin()->second.legs.at(0).max_bitrate_bps;
  };
  const auto opus = [](int id, const std::string& attributes, const std::string& parameters = "") {
    return "<payload-type id='" + std::to_string(id) +
           "' name='opus' clockrate='48000' channels='2' " + attributes + ">" + parameters +
           "</payload-type>";
  };
  const auto most = [&](int bps) {
    return opus(111, "",
                "<parameter name='maxaveragebitrate' value='" + std::to_string(bps) + "'/>");
  };
  const auto packet_ms = [&] {
    return int{bench.engine.plans().begin()->second.legs.at(0).packet_ms};
  };
  EXPECT_EQ(hint(opus(111, "")), 0u) << "as agreed";
  EXPECT_EQ(packet_ms(), 0);
  EXPECT_EQ(hint(opus(111, "ptime='40' maxptime='60'")), 0u);
  EXPECT_EQ(packet_ms(), 40);
  EXPECT_EQ(hint(most(16000)), 16000u);
  EXPECT_EQ(hint(opus(111, "")), 16000u) << "it takes nothing back";
  EXPECT_EQ(packet_ms(), 40);
  EXPECT_EQ(hint(opus(111, "ptime='20'")), 16000u);
  EXPECT_EQ(packet_ms(), 20);
  EXPECT_EQ(hint(most(9000), "1"), 16000u) << "another content's";
  EXPECT_EQ(hint(opus(96, "", "<parameter name='maxaveragebitrate' value='9000'/>")), 16000u);
  EXPECT_EQ(hint(most(64000)), 32000u) << "never more than we give";
  EXPECT_EQ(hint("<bandwidth type='AS'>45</bandwidth>"), 22600u) << "headers included";
  EXPECT_EQ(hint("<bandwidth type='AS'>1</bandwidth>"), 6000u);
  EXPECT_EQ(hint("<bandwidth type='TIAS'>12000</bandwidth>"), 12000u);
  EXPECT_EQ(hint("<bandwidth type='CT'>9</bandwidth><bandwidth type='AS'>fast</bandwidth>"),
            12000u);
}

TEST(Contents, WhatIsSaidOfUnknownContentsHasNoEffectAndIsNoError) {
  for (const char* action :
       {"content-modify", "content-remove", "description-info", "transport-info"}) {
    Bench bench;
    bench.join(kAnn);
    const Step step = bench.iq(
        kAnn, kRoom,
        in_session("S1", action, "<content creator='initiator' name='7' senders='none'/>"));
    EXPECT_EQ(step.answer(), "result") << action;
    EXPECT_TRUE(step.jingle().empty()) << action;
    EXPECT_EQ(bench.focus.legs(), 1u) << action;
  }
}

// XEP-0166 §6.8, §10: also of namespaces nobody here knows.
TEST(Contents, ForeignPayloadsAreUnsupportedInfo) {
  const std::string foreign = "<x xmlns='urn:example:x'/>";
  for (const char* action :
       {"session-info", "description-info", "transport-info", "security-info"}) {
    Bench bench;
    bench.join(kAnn);
    EXPECT_EQ(bench.iq(kAnn, kRoom, in_session("S1", action, foreign)).answer(),
              "feature-not-implemented/unsupported-info")
        << action;
    EXPECT_EQ(bench.focus.legs(), 1u) << action;
  }
}

// XEP-0166 §7.2: we ask for none of these, so whoever answers is out of order.
TEST(Contents, AnswersToNothingWeAskedAreOutOfOrder) {
  for (const char* action :
       {"content-accept", "content-reject", "transport-accept", "transport-reject"}) {
    Bench bench;
    bench.join(kAnn);
    EXPECT_EQ(
        bench.iq(kAnn, kRoom, in_session("S1", action, "<content creator='initiator' name='0'/>"))
            .answer(),
        "unexpected-request/out-of-order")
        << action;
    EXPECT_EQ(bench.focus.legs(), 1u) << action;
  }
}

}  // namespace
