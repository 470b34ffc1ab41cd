// Offers of every kind and what becomes of them (XEP-0167, XEP-0320, XEP-0338, XEP-0294).
#include "mixer/negotiation.h"

#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::Agreement;

jingle::SessionInitiate parse(const std::string& xml) {
  const auto parsed = jingle::Xml::parse(xml);
  EXPECT_TRUE(parsed) << xml;
  const auto request = jingle::parse_jingle(parsed->root());
  EXPECT_TRUE(request) << xml;
  return std::get<jingle::SessionInitiate>(request.value().payload);
}
tl::expected<Agreement, jingle::Reason> negotiate(const Offer& offer) {
  return mixer::negotiate(parse(offer.xml()), 32000);
}
std::string why(const Offer& offer) {
  const auto agreed = negotiate(offer);
  if (agreed) return "agreed";
  const auto& reason = agreed.error();
  return reason.condition + (reason.rtp_error.empty() ? "" : "/" + reason.rtp_error);
}
std::string fingerprint(const std::string& hash, const std::string& setup,
                        const std::string& value = kFingerprint) {
  return "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='" + hash + "' setup='" + setup +
         "'>" + value + "</fingerprint>";
}
Offer with_types(const std::string& types) {
  Offer offer;
  offer.payload_types = types;
  return offer;
}
std::string opus(const std::string& attributes, const std::string& children = "") {
  return "<payload-type " + attributes + ">" + children + "</payload-type>";
}

TEST(Negotiation, EncryptionIsDtlsSrtpOrNothing) {
  struct {
    std::string fingerprint, description, outcome;
  } const table[] = {
      {"", "", "security-error/crypto-required"},
      {"",
       "<encryption required='1'><crypto crypto-suite='AES_CM_128_HMAC_SHA1_80' "
       "key-params='inline:x' tag='1'/></encryption>",
       "security-error/crypto-required"},
      {fingerprint("md5", "actpass", "AA:BB"), "", "security-error/invalid-crypto"},
      {fingerprint("sha-1", "actpass", "AA:BB"), "", "security-error/invalid-crypto"},
      {fingerprint("sha-256", "actpass", "AA:BB"), "", "security-error/invalid-crypto"},
      {fingerprint("sha-256", "holdconn"), "", "security-error/invalid-crypto"},
      {fingerprint("sha-256", "actpass"), "<encryption/>", "agreed"},
      {fingerprint("sha-1", "actpass", "AA:BB") + fingerprint("sha-256", "actpass"), "", "agreed"},
  };
  for (const auto& row : table) {
    Offer offer;
    offer.fingerprint = row.fingerprint;
    offer.more_description = row.description;
    EXPECT_EQ(why(offer), row.outcome) << row.fingerprint;
  }
}

TEST(Negotiation, WeAreTheDtlsClientWhereverThePeerLetsUs) {
  for (const auto& [setup, role, ours] :
       {std::tuple("actpass", media::DtlsRole::client, jingle::Setup::active),
        std::tuple("passive", media::DtlsRole::client, jingle::Setup::active),
        std::tuple("active", media::DtlsRole::server, jingle::Setup::passive)}) {
    Offer offer;
    offer.fingerprint = fingerprint("sha-256", setup);
    const auto agreed = negotiate(offer);
    ASSERT_TRUE(agreed);
    EXPECT_EQ(agreed->remote.our_role, role) << setup;
    EXPECT_EQ(agreed->setup, ours) << setup;
  }
}

TEST(Negotiation, AnyOpusIsAcceptedWithItsAttributesEchoed) {
  for (const std::string& attributes :
       {std::string("id='111' name='opus' clockrate='48000' channels='2'"),
        std::string("id='96' name='OPUS' clockrate='48000' channels='2'"),
        std::string("id='98' name='OPUS' clockrate='48000'"),
        std::string("id='127' name='opus' clockrate='48000' channels='1'"),
        std::string("id='96' name='Opus' clockrate='48000' channels='0'")}) {
    const auto offer = parse(with_types(opus("id='0' name='PCMU' clockrate='8000'") +
                                        opus(attributes,
                                             "<parameter name='useinbandfec' "
                                             "value='1'/>"))
                                 .xml());
    const auto agreed = mixer::negotiate(offer, 32000);
    ASSERT_TRUE(agreed) << attributes;
    const auto& types = agreed->contents.at(0).rtp()->payload_types;
    ASSERT_EQ(types.size(), 1u);
    EXPECT_EQ(types[0], offer.contents[0].rtp()->payload_types[1]) << attributes;
    EXPECT_EQ(agreed->remote.rtp.opus_payload_type, types[0].id);
    EXPECT_TRUE(agreed->remote.rtp.use_fec);
    EXPECT_FALSE(agreed->remote.rtp.use_dtx);
  }
}

TEST(Negotiation, WithoutOpusThereIsNoCall) {
  EXPECT_EQ(why(with_types(opus("id='0' name='PCMU' clockrate='8000'"))), "failed-application");
  EXPECT_EQ(why(with_types(opus("id='96' name='opus' clockrate='16000'"))), "failed-application");
  EXPECT_EQ(why(with_types(opus("id='96' name='opus' clockrate='48000' channels='6'"))),
            "failed-application");
  EXPECT_EQ(why(with_types("")), "failed-application");
}

TEST(Negotiation, OfTwoOpusTheFirstIsTakenAndOnlyIt) {
  const auto agreed =
      negotiate(with_types(opus("id='98' name='opus' clockrate='48000' channels='2'") +
                           opus("id='99' name='opus' clockrate='48000'")));
  ASSERT_TRUE(agreed);
  EXPECT_EQ(agreed->contents[0].rtp()->payload_types.size(), 1u);
  EXPECT_EQ(agreed->remote.rtp.opus_payload_type, 98);
}

TEST(Negotiation, OpusComesFirstAndTelephoneEventAfterIt) {
  const auto agreed =
      negotiate(with_types(opus("id='126' name='telephone-event' clockrate='8000'") +
                           opus("id='110' name='telephone-event' clockrate='48000'") +
                           opus("id='111' name='opus' clockrate='48000' channels='2'")));
  ASSERT_TRUE(agreed);
  const auto& types = agreed->contents[0].rtp()->payload_types;
  ASSERT_EQ(types.size(), 2u);
  EXPECT_EQ(types[0].id, 111);
  EXPECT_EQ(types[1].id, 110) << "the audio's clock is preferred";
  EXPECT_EQ(agreed->remote.rtp.telephone_event, 110);
}

// A key's duration is divided by it.
TEST(Negotiation, ATelephoneEventWhoseClockStandsStillIsNotTaken) {
  const auto agreed = negotiate(with_types(opus("id='111' name='opus' clockrate='48000'") +
                                           opus("id='101' name='telephone-event' clockrate='0'")));
  ASSERT_TRUE(agreed);
  EXPECT_FALSE(agreed->remote.rtp.telephone_event);
  EXPECT_EQ(agreed->contents[0].rtp()->payload_types.size(), 1u);
}

// They are the sender's own business, or hints that we make no use of.
TEST(Negotiation, OddPacketTimesAndRatesChangeNothing) {
  const std::string good = "id='111' name='opus' clockrate='48000' channels='2'";
  const auto rtp = [](const std::string& types) {
    const auto agreed = negotiate(with_types(types));
    EXPECT_TRUE(agreed) << types;
    return agreed ? agreed->remote.rtp : media::RtpParameters{};
  };
  const auto usual = rtp(opus(good));
  for (const std::string attributes : {" ptime='0'", " ptime='1'", " ptime='1000'",
                                       " ptime='60' maxptime='20'", " maxptime='0'"}) {
    EXPECT_EQ(rtp(opus(good + attributes)), usual) << attributes;
  }
  for (const std::string parameter :
       {"maxplaybackrate' value='0", "maxplaybackrate' value='-1", "sprop-maxcapturerate' value='0",
        "minptime' value='0", "ptime' value='1000", "stereo' value='9", "cbr' value='",
        "maxaveragebitrate' value='0", "maxaveragebitrate' value='99999999999999999999"}) {
    EXPECT_EQ(rtp(opus(good, "<parameter name='" + parameter + "'/>")), usual) << parameter;
  }
}

TEST(Negotiation, ParametersOfTheReceiverAreHonoured) {
  const auto rtp = [](const std::string& parameters) {
    return negotiate(
               with_types(opus("id='111' name='opus' clockrate='48000' channels='2'", parameters)))
        ->remote.rtp;
  };
  const auto parameter = [](const std::string& name, const std::string& value) {
    return "<parameter name='" + name + "' value='" + value + "'/>";
  };
  EXPECT_TRUE(rtp(parameter("usedtx", "1")).use_dtx);
  EXPECT_FALSE(rtp(parameter("useinbandfec", "0")).use_fec);
  EXPECT_EQ(rtp(parameter("maxaveragebitrate", "16000")).max_bitrate_bps, 16000u);
  EXPECT_EQ(rtp(parameter("maxaveragebitrate", "510000")).max_bitrate_bps, 32000u);
  EXPECT_EQ(rtp(parameter("maxaveragebitrate", "1")).max_bitrate_bps, 32000u);
  EXPECT_EQ(rtp(parameter("maxaveragebitrate", "lots")).max_bitrate_bps, 32000u);
  EXPECT_EQ(rtp("").max_bitrate_bps, 32000u);
  EXPECT_EQ(rtp(parameter("maxplaybackrate", "16000")).max_playback_rate_hz, 16000u);
  EXPECT_EQ(rtp(parameter("maxplaybackrate", "7999")).max_playback_rate_hz, 48000u);
  EXPECT_EQ(rtp(parameter("maxplaybackrate", "48001")).max_playback_rate_hz, 48000u);
  EXPECT_EQ(rtp("").max_playback_rate_hz, 48000u);
  EXPECT_TRUE(rtp(parameter("cbr", "1")).constant_bitrate);
  EXPECT_FALSE(rtp(parameter("cbr", "0")).constant_bitrate);
  // XEP-0167 §4: order is nothing, names are case-sensitive, unknown ones ignored.
  EXPECT_EQ(rtp(parameter("minptime", "10") + parameter("usedtx", "1") + parameter("x", "y")),
            rtp(parameter("x", "y") + parameter("usedtx", "1") + parameter("minptime", "10")));
  EXPECT_EQ(rtp(parameter("UseDTX", "1") + parameter("CBR", "1")), rtp(""));
  EXPECT_TRUE(rtp(parameter("stereo", "1")).stereo);
  EXPECT_EQ(rtp(parameter("stereo", "0") + parameter("sprop-stereo", "1")), rtp(""));
}

// XEP-0167 §4. A listener's longer packets are packed of the frames of all; 10 ms would be another
// encode, which no ptime is worth.
TEST(Negotiation, PacketsAreAsLongAsThePeerLikesThem) {
  const auto packet_ms = [](const std::string& attributes, const std::string& inside = "") {
    return int{
        negotiate(with_types(opus(
                      "id='111' name='opus' clockrate='48000' channels='2'" + attributes, inside)))
            ->remote.rtp.packet_ms};
  };
  EXPECT_EQ(packet_ms(""), 20);
  EXPECT_EQ(packet_ms(" ptime='20'"), 20);
  EXPECT_EQ(packet_ms(" ptime='10'"), 20);
  EXPECT_EQ(packet_ms(" ptime='30'"), 20);
  EXPECT_EQ(packet_ms(" ptime='40'"), 40);
  EXPECT_EQ(packet_ms(" ptime='60'"), 60);
  EXPECT_EQ(packet_ms(" ptime='120'"), 60) << "what is said waits for the packet";
  EXPECT_EQ(packet_ms(" ptime='60' maxptime='40'"), 40);
  EXPECT_EQ(packet_ms(" maxptime='60'"), 20);
  EXPECT_EQ(packet_ms("", "<parameter name='minptime' value='10'/>"), 20);
  EXPECT_EQ(packet_ms("", "<parameter name='minptime' value='40'/>"), 40);
}

// RFC 7587 §6.1: what the peer would like to receive is not what we would.
TEST(Negotiation, TheirOwnWishesAreNotEchoedAsOurs) {
  const auto agreed = negotiate(
      with_types(opus("id='111' name='opus' clockrate='48000' channels='2'",
                      "<parameter name='minptime' value='10'/>"
                      "<parameter name='useinbandfec' value='1'/>"
                      "<parameter name='usedtx' value='1'/><parameter name='stereo' value='0'/>"
                      "<parameter name='sprop-stereo' value='1'/>"
                      "<parameter name='maxplaybackrate' value='8000'/>"
                      "<parameter name='sprop-maxcapturerate' value='8000'/>"
                      "<parameter name='maxaveragebitrate' value='8000'/>"
                      "<parameter name='cbr' value='1'/>")));
  ASSERT_TRUE(agreed);
  const auto& parameters = agreed->contents[0].rtp()->payload_types.at(0).parameters;
  ASSERT_EQ(parameters.size(), 3u);
  EXPECT_EQ(parameters[0].first, "minptime");
  EXPECT_EQ(parameters[1].first, "useinbandfec");
  EXPECT_EQ(parameters[2].first, "usedtx");
}

// RFC 7587 §6.1: sprop-stereo says what one is likely to send. Who does not like it is sent none.
TEST(Negotiation, StereoIsAnnouncedToWhoLikesIt) {
  const auto answered = [](const std::string& parameters) {
    const auto agreed = negotiate(
        with_types(opus("id='111' name='opus' clockrate='48000' channels='2'", parameters)));
    return agreed->contents[0].rtp()->payload_types.at(0);
  };
  const auto liking = answered("<parameter name='stereo' value='1'/>");
  EXPECT_EQ(liking.parameter("sprop-stereo"), "1");
  EXPECT_EQ(liking.parameter("stereo"), std::nullopt) << "what people say has one place";
  EXPECT_EQ(answered("").parameter("sprop-stereo"), std::nullopt);
}

// XEP-0167 §4; RFC 3890 §3: AS counts headers, TIAS does not.
TEST(Negotiation, BandwidthLimitsTheBitrate) {
  const auto most = [](const std::string& bandwidth) {
    Offer offer;
    offer.more_description = "<rtcp-mux/>" + bandwidth;
    return negotiate(offer)->remote.rtp.max_bitrate_bps;
  };
  EXPECT_EQ(most("<bandwidth type='AS'>128</bandwidth>"), 32000u);
  EXPECT_EQ(most("<bandwidth type='AS'> 40 </bandwidth>"), 17600u);
  EXPECT_EQ(most("<bandwidth type='AS'>0</bandwidth>"), 6000u) << "less is no Opus";
  EXPECT_EQ(most("<bandwidth type='TIAS'>20000</bandwidth>"), 20000u);
  EXPECT_EQ(most("<bandwidth type='X-mine'>1</bandwidth>"), 32000u);
}

// XEP-0167 §7: what is offered beside it is not answered.
TEST(Negotiation, TheAnswerHasAFingerprintAndNoOtherEncryption) {
  Offer offer;
  offer.more_description =
      "<encryption required='1'><crypto crypto-suite='AES_CM_128_HMAC_SHA1_80' "
      "key-params='inline:x' tag='1'/></encryption><zrtp-hash "
      "xmlns='urn:xmpp:jingle:apps:rtp:zrtp:1' version='1.10'>00</zrtp-hash>";
  const auto agreed = negotiate(offer);
  ASSERT_TRUE(agreed);
  const mixer::LocalMedia local{{"u", "p"}, {"sha-256", "AA"}, 7, {}};
  const std::string xml =
      jingle::write_jingle({{"s"}, mixer::answer(*agreed, local, "r@m", "tok", true)});
  EXPECT_NE(xml.find("<fingerprint"), std::string::npos);
  for (const char* other : {"encryption", "crypto", "zrtp"}) {
    EXPECT_EQ(xml.find(other), std::string::npos) << other;
  }
}

// Jitsi knows of it there only.
TEST(Negotiation, RtcpMuxInTheTransportIsAnsweredThere) {
  Offer offer;
  offer.more_description = "";
  offer.candidates = "<rtcp-mux/>";
  const auto agreed = negotiate(offer);
  ASSERT_TRUE(agreed);
  EXPECT_TRUE(agreed->remote.rtp.rtcp_mux);
  const mixer::LocalMedia local{{"u", "p"}, {"sha-256", "AA"}, 7, {}};
  const auto accept = mixer::answer(*agreed, local, "r@m", "tok", true);
  EXPECT_TRUE(accept.contents.at(0).ice()->rtcp_mux);
  EXPECT_FALSE(accept.contents[0].rtp()->rtcp_mux);
}

// XEP-0293: what we do not do is not answered.
TEST(Negotiation, FeedbackIsNotEchoed) {
  const auto agreed = negotiate(with_types(
      opus("id='111' name='opus' clockrate='48000' channels='2' ptime='20' maxptime='60'",
           "<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' type='transport-cc'/>"
           "<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' type='nack'/>")));
  ASSERT_TRUE(agreed);
  const auto& type = agreed->contents[0].rtp()->payload_types.at(0);
  EXPECT_TRUE(type.rtcp_fb.empty());
  EXPECT_FALSE(type.ptime_ms || type.maxptime_ms) << "how long our packets are is our business";
}

TEST(Negotiation, RtcpMuxOnlyIfOfferedAndThenComponentTwoIsIgnored) {
  Offer offer;
  offer.candidates = candidate("192.0.2.9", 1) +
                     "<candidate component='2' foundation='1' ip='192.0.2.9' port='2' "
                     "priority='1' protocol='udp' type='host'/>";
  auto agreed = negotiate(offer);
  EXPECT_TRUE(agreed->remote.rtp.rtcp_mux);
  EXPECT_TRUE(agreed->contents[0].rtp()->rtcp_mux);
  EXPECT_EQ(agreed->remote.candidates.size(), 1u);
  offer.more_description = "";
  agreed = negotiate(offer);
  EXPECT_FALSE(agreed->remote.rtp.rtcp_mux);
  EXPECT_FALSE(agreed->contents[0].rtp()->rtcp_mux);
  EXPECT_EQ(agreed->remote.candidates.size(), 2u);
}

TEST(Negotiation, OnlyAudioLevelsOfTheExtensionsAreEchoedWithUsableIds) {
  const auto extension = [](const std::string& id, const std::string& uri,
                            const std::string& senders = "both") {
    return "<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='" + id + "' uri='" + uri +
           "' senders='" + senders + "'/>";
  };
  const std::string ssrc = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
  const std::string csrc = "urn:ietf:params:rtp-hdrext:csrc-audio-level";
  const auto agree = [&](const std::string& extensions) {
    Offer offer;
    offer.more_description = "<rtcp-mux/>" + extensions;
    return negotiate(offer).value();
  };
  auto agreed = agree(extension("3", "urn:ietf:params:rtp-hdrext:sdes:mid") + extension("1", ssrc) +
                      extension("2", csrc));
  EXPECT_EQ(agreed.remote.rtp.ssrc_audio_level, 1);
  EXPECT_EQ(agreed.remote.rtp.csrc_audio_level, 2);
  EXPECT_EQ(agreed.contents[0].rtp()->header_extensions.size(), 2u);
  agreed = agree(extension("1", "urn:example:x") + extension("4096", ssrc));
  EXPECT_EQ(agreed.remote.rtp.ssrc_audio_level, 2) << "a free id, 1 is taken";
  agreed = agree(extension("15", ssrc) + extension("200", csrc));
  EXPECT_TRUE(agreed.contents[0].rtp()->header_extensions.empty());
  // XEP-0294 §4: 4096 to 4351 leave the choice to us; one byte headers know 1 to 14.
  for (const auto& [offered, id] : {std::pair("0", 0),
                                    {"1", 1},
                                    {"14", 14},
                                    {"15", 0},
                                    {"255", 0},
                                    {"4095", 0},
                                    {"4096", 1},
                                    {"4351", 1},
                                    {"4352", 0}}) {
    agreed = agree(extension(offered, ssrc));
    EXPECT_EQ(agreed.remote.rtp.ssrc_audio_level, id) << offered;
    const auto& answered = agreed.contents[0].rtp()->header_extensions;
    ASSERT_EQ(answered.size(), id == 0 ? 0u : 1u) << offered;
    if (id != 0) {
      EXPECT_EQ(answered[0], (jingle::HeaderExtension{id, ssrc, "both"})) << offered;
    }
  }
  agreed = agree(extension("4096", ssrc) + extension("4097", csrc) + extension("1", "urn:x:y"));
  EXPECT_EQ(agreed.remote.rtp.ssrc_audio_level, 2);
  EXPECT_EQ(agreed.remote.rtp.csrc_audio_level, 3);
  std::string all;
  for (int id = 1; id <= 14; ++id) all += extension(std::to_string(id), "urn:x:y");
  EXPECT_EQ(agree(all + extension("4096", ssrc)).remote.rtp.ssrc_audio_level, 0) << "none is free";
  agreed = agree(extension("5", ssrc) + extension("5", csrc));
  EXPECT_EQ(agreed.remote.rtp.ssrc_audio_level, 5);
  EXPECT_EQ(agreed.remote.rtp.csrc_audio_level, 0) << "one id cannot be both";
  agreed = agree(extension("1", ssrc, "initiator") + extension("2", csrc, "responder"));
  EXPECT_EQ(agreed.contents[0].rtp()->header_extensions.at(0).senders, "initiator") << "unmodified";
  EXPECT_EQ(agreed.contents[0].rtp()->header_extensions.at(1).senders, "responder");
  agreed = agree(extension("1", ssrc, "responder") + extension("2", csrc, "initiator"));
  EXPECT_TRUE(agreed.contents[0].rtp()->header_extensions.empty()) << "of no use that way round";
}

std::string content(const std::string& name, const std::string& description,
                    const std::string& transport) {
  return "<content creator='initiator' name='" + name + "'>" + description + transport +
         "</content>";
}
const std::string kVideo =
    "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'><payload-type id='96' "
    "name='VP8' clockrate='90000'><rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' "
    "type='nack'/></payload-type><payload-type id='97' name='rtx' clockrate='90000'/><rtcp-mux/>"
    "</description>";

TEST(Negotiation, VideoIsAcceptedAndNeverSent) {
  Offer offer;
  offer.more_contents = content("1", kVideo, offer.transport());
  offer.more_jingle =
      "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'><content name='0'/>"
      "<content name='1'/><content name='gone'/></group>"
      "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='LS'><content name='0'/></group>";
  const auto agreed = negotiate(offer);
  ASSERT_TRUE(agreed);
  media::IceCandidate host;
  host.ip = "192.0.2.1";
  const mixer::LocalMedia local{{"u", "p"}, {"sha-256", "AA"}, 7, {host}};
  const auto accept = mixer::answer(*agreed, local, "r@m", "tok", true);
  ASSERT_EQ(accept.contents.size(), 2u);
  const auto& video = accept.contents[1];
  EXPECT_EQ(video.name, "1");
  EXPECT_EQ(video.senders, jingle::Senders::responder) << "Dino rejects 'none' and all with it";
  ASSERT_EQ(video.rtp()->payload_types.size(), 1u);
  EXPECT_TRUE(video.rtp()->payload_types[0].rtcp_fb.empty());
  EXPECT_TRUE(video.rtp()->sources.empty());
  EXPECT_EQ(video.ice()->ufrag, accept.contents[0].ice()->ufrag);
  EXPECT_EQ(video.ice()->pwd, accept.contents[0].ice()->pwd);
  EXPECT_EQ(video.ice()->fingerprints, accept.contents[0].ice()->fingerprints);
  EXPECT_TRUE(video.ice()->candidates.empty());
  ASSERT_EQ(accept.groups.size(), 1u);
  EXPECT_EQ(accept.groups[0].names, (std::vector<std::string>{"0", "1"}));
}

TEST(Negotiation, NoGroupUnlessOffered) {
  Offer offer;
  offer.more_contents = content("1", kVideo, offer.transport());
  EXPECT_TRUE(negotiate(offer)->groups.empty());
}

TEST(Negotiation, WhatIsNoAudioOverIceIsRefused) {
  const std::string file = "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>";
  const std::string ibb = "<transport xmlns='urn:xmpp:jingle:transports:ibb:1'/>";
  const auto refused = [](const std::string& contents) {
    const auto agreed = mixer::negotiate(
        parse("<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s'>" + contents +
              "</jingle>"),
        32000);
    return agreed ? std::string("agreed") : agreed.error().condition;
  };
  Offer offer;
  const std::string audio = "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" +
                            offer.payload_types + "</description>";
  EXPECT_EQ(refused(content("f", file, ibb)), "unsupported-applications");
  EXPECT_EQ(refused(content("v", kVideo, offer.transport())), "unsupported-applications");
  EXPECT_EQ(refused(content("a", audio, ibb)), "unsupported-transports");
  EXPECT_EQ(refused(content("f", file, ibb) + content("a", audio, offer.transport())), "agreed");
}

TEST(Negotiation, EveryRefusalHasATextForTheUser) {
  for (const Offer& offer : {with_types(""), Offer{.fingerprint = ""}}) {
    const auto agreed = negotiate(offer);
    ASSERT_FALSE(agreed);
    EXPECT_FALSE(agreed.error().text.empty()) << agreed.error().condition;
  }
}

TEST(Negotiation, OnlyUsableCandidatesReachIce) {
  const auto count = [](const jingle::Candidate& candidate) {
    return mixer::usable({candidate}, true).size();
  };
  jingle::Candidate good;
  good.ip = "192.0.2.9";
  good.port = 9;
  good.type = jingle::CandidateType::srflx;
  good.rel_addr = "10.0.0.1";
  ASSERT_EQ(count(good), 1u);
  EXPECT_EQ(mixer::usable({good}, true)[0].type, media::CandidateType::srflx);
  EXPECT_EQ(mixer::usable({good}, true)[0].rel_addr, "10.0.0.1");
  for (const char* ip :
       {"fe80::1", "FE80::1", "e6f5.local", "", "1.2.3", "::1%eth0", "example.org"}) {
    auto bad = good;
    bad.ip = ip;
    EXPECT_EQ(count(bad), 0u) << ip;
  }
}

}  // namespace
