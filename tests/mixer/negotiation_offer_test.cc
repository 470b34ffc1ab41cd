// Dialling out: our offer, and what the answers to it mean (XEP-0167 §5, XEP-0320, XEP-0294,
// RFC 5761).
#include <fstream>
#include <random>
#include <sstream>

#include "mixer/limits.h"
#include "mixer/negotiation.h"
#include "tests/support/data.h"
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using DtlsSetup = jingle::Setup;
using mixer::LocalMedia;

LocalMedia media_of(const std::string& ufrag, int candidates = 1) {
  LocalMedia local{.ice = {ufrag, std::string(24, 'p')},
                   .fingerprint = {"sha-256", kFingerprint},
                   .ssrc = 0xfffffff0,
                   .candidates = {}};
  for (int i = 0; i < candidates; ++i) {
    local.candidates.push_back({.component = 1 + i % 2,
                                .foundation = "1",
                                .ip = "192.0.2.7",
                                .port = static_cast<std::uint16_t>(20000 + i),
                                .priority = 2130706431U - static_cast<unsigned>(i),
                                .type = media::CandidateType::host,
                                .rel_addr = {},
                                .rel_port = 0});
  }
  return local;
}
jingle::SessionInitiate our_offer(int candidates = 1) {
  return mixer::offer(media_of("ours", candidates), "room@m/focus", "tok", true);
}
// What our own kind answers.
jingle::SessionAccept their_answer(const std::string& ufrag = "theirs") {
  const auto agreed = mixer::negotiate(our_offer(), 32000);
  return mixer::answer(agreed.value(), media_of(ufrag), "peer@p/x", "kot", false);
}
jingle::RtpDescription& rtp(jingle::SessionAccept& accept) {
  return std::get<jingle::RtpDescription>(accept.contents.at(0).description);
}
jingle::IceUdpTransport& ice(jingle::SessionAccept& accept) {
  return std::get<jingle::IceUdpTransport>(accept.contents.at(0).transport);
}
std::string why(const jingle::SessionAccept& accept) {
  const auto agreed = mixer::conclude(accept, 32000);
  if (agreed) return "agreed";
  EXPECT_FALSE(agreed.error().text.empty()) << agreed.error().condition;
  return agreed.error().condition +
         (agreed.error().rtp_error.empty() ? "" : "/" + agreed.error().rtp_error);
}

TEST(Offer, IsOneAudioContentThatEveryClientUnderstands) {
  const auto offer = our_offer(3);
  EXPECT_EQ(offer.initiator, "room@m/focus");
  EXPECT_EQ(offer.isfocus, true);
  EXPECT_TRUE(offer.groups.empty()) << "one content needs no bundle";
  ASSERT_EQ(offer.contents.size(), 1u);
  const auto& content = offer.contents[0];
  EXPECT_EQ(content.name, "audio");
  EXPECT_EQ(content.creator, jingle::Creator::initiator);
  EXPECT_EQ(content.senders, jingle::Senders::both);
  const auto& rtp = *content.rtp();
  EXPECT_TRUE(rtp.rtcp_mux);
  ASSERT_EQ(rtp.payload_types.size(), 2u);
  EXPECT_EQ(rtp.payload_types[0].id, 111);
  EXPECT_EQ(rtp.payload_types[0].name, "opus");
  EXPECT_EQ(rtp.payload_types[0].channels, 2);
  EXPECT_EQ(rtp.payload_types[0].parameter("minptime"), "10");
  EXPECT_EQ(rtp.payload_types[0].parameter("useinbandfec"), "1");
  EXPECT_EQ(rtp.payload_types[0].parameter("sprop-stereo"), "1");
  EXPECT_EQ(rtp.payload_types[0].parameter("stereo"), std::nullopt);
  EXPECT_EQ(rtp.payload_types[1].name, "telephone-event");
  EXPECT_EQ(rtp.header_extensions.size(), 2u);
  ASSERT_EQ(rtp.sources.size(), 1u);
  EXPECT_EQ(rtp.sources[0].ssrc, 0xfffffff0);
  for (const auto& [name, value] : rtp.sources[0].parameters) EXPECT_FALSE(value.empty()) << name;
  ASSERT_EQ(content.ice()->fingerprints.size(), 1u);
  EXPECT_EQ(content.ice()->fingerprints[0].setup, DtlsSetup::actpass)
      << "Conversations takes no other";
  EXPECT_EQ(content.ice()->candidates.size(), 3u);
  EXPECT_FALSE(content.ice()->ufrag.empty() || content.ice()->pwd.empty());
}

// XEP-0298 §5: no conference, no element.
TEST(Offer, AndAnswerSayIsfocusOnlyWhereItIsSo) {
  EXPECT_FALSE(mixer::offer(media_of("o"), "r@m/f", "t", false).isfocus);
  const auto agreed = mixer::negotiate(our_offer(), 32000).value();
  EXPECT_FALSE(mixer::answer(agreed, media_of("a"), "r@m", "t", false).isfocus);
  EXPECT_EQ(mixer::answer(agreed, media_of("a"), "r@m", "t", true).isfocus, true);
}

// Law: whatever one mixer offers and another answers, both hold the same of the stream between
// them.
TEST(Offer, AndItsAnswerAgreeOnBothSides) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](unsigned n) { return static_cast<int>(random() % n); };
    auto offer =
        mixer::offer(media_of("o" + std::to_string(seed), below(30)), "a@m/f", "t", below(2) == 0);
    auto& offered = std::get<jingle::RtpDescription>(offer.contents[0].description);
    // The offer is ours to narrow: of any subset both sides know the same.
    if (below(3) == 0) offered.payload_types.pop_back();
    if (below(3) == 0) offered.header_extensions.erase(offered.header_extensions.begin());
    if (below(4) == 0) offered.header_extensions.clear();
    if (below(4) == 0) offered.rtcp_mux = false;
    if (below(4) == 0) offered.payload_types[0].parameters.emplace_back("usedtx", "1");
    if (below(4) == 0) offered.payload_types[0].parameters.clear();
    offer.contents[0].senders = static_cast<jingle::Senders>(below(4));
    const DtlsSetup setup[] = {DtlsSetup::actpass, DtlsSetup::active, DtlsSetup::passive};
    std::get<jingle::IceUdpTransport>(offer.contents[0].transport).fingerprints[0].setup =
        setup[below(3)];
    const std::uint32_t bitrate = 6000 + static_cast<std::uint32_t>(below(100000));

    const auto there = mixer::negotiate(offer, bitrate);
    ASSERT_TRUE(there);
    const auto here = mixer::conclude(
        mixer::answer(*there, media_of("a", below(30)), "b@m/f", "s", true), bitrate);
    ASSERT_TRUE(here) << here.error().text;
    EXPECT_EQ(here->audio, there->audio);
    EXPECT_EQ(here->senders, there->senders);
    EXPECT_EQ(here->remote.rtp, there->remote.rtp);
    EXPECT_NE(here->remote.our_role, there->remote.our_role) << "one starts DTLS, one waits";
    EXPECT_NE(here->setup, there->setup);
    EXPECT_EQ(here->setup == DtlsSetup::active, here->remote.our_role == media::DtlsRole::client);
    EXPECT_EQ(here->remote.ice.ufrag, "a");
    EXPECT_EQ(there->remote.ice.ufrag, "o" + std::to_string(seed));
    for (const auto& candidate : here->remote.candidates) {
      EXPECT_TRUE(candidate.component == 1 || !here->remote.rtp.rtcp_mux);
    }
    EXPECT_LE(here->remote.candidates.size(), mixer::limits::kMaxRemoteCandidates);
  }
}

TEST(Conclusion, AnswersToWhatWasNotOfferedEndTheCall) {
  auto other = their_answer();
  other.contents[0].name = "0";
  EXPECT_EQ(why(other), "failed-application");
  auto created_there = their_answer();
  created_there.contents[0].creator = jingle::Creator::responder;
  EXPECT_EQ(why(created_there), "failed-application");
  auto renumbered = their_answer();
  rtp(renumbered).payload_types[0].id = 96;
  EXPECT_EQ(why(renumbered), "failed-application");
  auto other_codec = their_answer();
  rtp(other_codec).payload_types[0].name = "speex";
  EXPECT_EQ(why(other_codec), "failed-application");
  auto video = their_answer();
  rtp(video).media = "video";
  EXPECT_EQ(why(video), "unsupported-applications");
  auto file = their_answer();
  file.contents[0].description = jingle::Unsupported{"urn:xmpp:jingle:apps:file-transfer:5"};
  EXPECT_EQ(why(file), "unsupported-applications");
  auto raw = their_answer();
  raw.contents[0].transport = jingle::Unsupported{"urn:xmpp:jingle:transports:raw-udp:1"};
  EXPECT_EQ(why(raw), "unsupported-transports");
}

TEST(Conclusion, MoreThanWasOfferedIsNotUsed) {
  auto accept = their_answer();
  rtp(accept).payload_types.push_back({.id = 0,
                                       .name = "PCMU",
                                       .clockrate = 8000,
                                       .ptime_ms = {},
                                       .maxptime_ms = {},
                                       .channels = {},
                                       .parameters = {},
                                       .rtcp_fb = {}});
  accept.contents.push_back(accept.contents[0]);
  accept.contents.back().name = "video";
  EXPECT_EQ(mixer::conclude(accept, 32000)->remote, mixer::conclude(their_answer(), 32000)->remote);
}

// RFC 8842 §5.3; actpass was Dino's answer once, and its call went on unencrypted.
TEST(Conclusion, TheAnswerDecidesWhoStartsDtls) {
  const auto with = [](std::optional<DtlsSetup> setup, const std::string& hash = "sha-256") {
    auto accept = their_answer();
    ice(accept).fingerprints.clear();
    if (setup) ice(accept).fingerprints.push_back({hash, kFingerprint, *setup});
    return accept;
  };
  EXPECT_EQ(mixer::conclude(with(DtlsSetup::active), 1)->remote.our_role, media::DtlsRole::server);
  EXPECT_EQ(mixer::conclude(with(DtlsSetup::passive), 1)->remote.our_role, media::DtlsRole::client);
  EXPECT_EQ(why(with(DtlsSetup::actpass)), "security-error/invalid-crypto");
  EXPECT_EQ(why(with(DtlsSetup::holdconn)), "security-error/invalid-crypto");
  EXPECT_EQ(why(with(DtlsSetup::active, "sha-1")), "security-error/invalid-crypto");
  EXPECT_EQ(why(with(std::nullopt)), "security-error/crypto-required");
}

// RFC 5761 §5.1.1: without rtcp-mux in the answer RTCP goes its own way; Jitsi says it in the
// transport.
TEST(Conclusion, RtcpIsMultiplexedOnlyIfTheAnswerSaysSo) {
  auto accept = their_answer();
  auto second = ice(accept).candidates.at(0);
  second.component = 2;
  ice(accept).candidates.push_back(second);
  EXPECT_TRUE(mixer::conclude(accept, 32000)->remote.rtp.rtcp_mux);
  EXPECT_EQ(mixer::conclude(accept, 32000)->remote.candidates.size(), 1u);
  rtp(accept).rtcp_mux = false;
  EXPECT_FALSE(mixer::conclude(accept, 32000)->remote.rtp.rtcp_mux);
  EXPECT_EQ(mixer::conclude(accept, 32000)->remote.candidates.size(), 2u);
  ice(accept).rtcp_mux = true;
  EXPECT_TRUE(mixer::conclude(accept, 32000)->remote.rtp.rtcp_mux);
}

TEST(Conclusion, HeaderExtensionsKeepTheirIdAndMayBeNarrowed) {
  const auto levels = [](int id, const std::string& senders) {
    auto accept = their_answer();
    for (auto& extension : rtp(accept).header_extensions) {
      if (id != 0) extension.id = id;
      extension.senders = senders;
    }
    const auto agreed = mixer::conclude(accept, 32000).value().remote.rtp;
    return std::pair(int{agreed.ssrc_audio_level}, int{agreed.csrc_audio_level});
  };
  EXPECT_EQ(levels(0, "both"), std::pair(1, 2));
  EXPECT_EQ(levels(0, "responder"), std::pair(1, 0)) << "only theirs reaches us";
  EXPECT_EQ(levels(0, "initiator"), std::pair(0, 2));
  EXPECT_EQ(levels(0, "none"), std::pair(0, 0));
  EXPECT_EQ(levels(9, "both"), std::pair(0, 0));
}

TEST(Conclusion, WhatThePeerLikesToReceiveIsHeeded) {
  auto accept = their_answer();
  rtp(accept).payload_types[0].parameters = {{"usedtx", "1"}, {"maxaveragebitrate", "12000"}};
  const auto agreed = mixer::conclude(accept, 32000).value().remote.rtp;
  EXPECT_TRUE(agreed.use_dtx);
  EXPECT_FALSE(agreed.use_fec) << "Dino leaves it out";
  EXPECT_EQ(agreed.max_bitrate_bps, 12000u);
}

TEST(Conclusion, CredentialsMayFollowTheAccept) {
  auto accept = their_answer();
  ice(accept).pwd.clear();
  EXPECT_FALSE(mixer::conclude(accept, 32000)->has_credentials);
  EXPECT_TRUE(mixer::conclude(their_answer(), 32000)->has_credentials);
}

// The accepts of real clients, as if they had answered us: our content's name, our id of Opus.
TEST(ConclusionGolden, ClientsWithDtlsAgreeAndPlainRtpIsRefused) {
  struct {
    const char* file;
    const char* outcome;
    std::size_t candidates;
    bool fec;
  } const table[] = {
      {"dino-session-accept.xml", "agreed", 1, false},  // of two, for it multiplexes
      {"chromium-session-accept.xml", "agreed", 0, true},
      {"aiortc-session-accept.xml", "agreed", 1, false},
      {"aiortc-session-accept-from-bob.xml", "agreed", 1, false},
      {"libpurple-session-accept.xml", "security-error/crypto-required", 0, false},
      {"example-session-accept.xml", "security-error/crypto-required", 0, false},
  };
  for (const auto& row : table) {
    std::ifstream file(test_support::data("golden/xep-0167/") + std::string(row.file));
    ASSERT_TRUE(file) << row.file;
    std::stringstream text;
    text << file.rdbuf();
    std::string xml = text.str();
    xml.erase(0, xml.find("-->") + 3);  // a comment, which no stanza may hold
    const auto parsed = jingle::Xml::parse(xml);
    ASSERT_TRUE(parsed) << row.file;
    const auto request =
        jingle::parse_jingle(jingle::child(parsed->root(), jingle::ns::kJingle, "jingle"));
    ASSERT_TRUE(request) << row.file;
    auto accept = std::get<jingle::SessionAccept>(request->payload);
    accept.contents.at(0).name = "audio";
    for (auto& type : rtp(accept).payload_types) {
      if (type.name == "opus") type.id = 111;
    }
    EXPECT_EQ(why(accept), row.outcome) << row.file;
    const auto agreed = mixer::conclude(accept, 32000);
    if (!agreed) continue;
    EXPECT_EQ(agreed->setup, DtlsSetup::passive) << row.file;
    EXPECT_TRUE(agreed->remote.rtp.rtcp_mux) << row.file;
    EXPECT_EQ(agreed->remote.rtp.use_fec, row.fec) << row.file;
    EXPECT_EQ(agreed->remote.candidates.size(), row.candidates) << row.file;
    EXPECT_TRUE(agreed->has_credentials) << row.file;
  }
}

}  // namespace
