// Every stanza in tests/golden: read, compared field by field where it matters, written, compared.
#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "signaling/iq_router.h"
#include "signaling/jingle_message.h"
#include "signaling/namespaces.h"
#include "tests/signaling/canonical.h"
#include "tests/support/data.h"
#include "tests/support/golden.h"

namespace jingle {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(test_support::data("golden"));

Stanza read(const std::filesystem::path& file) {
  auto xml = Xml::parse(test_support::golden_text(file));
  EXPECT_TRUE(xml) << file;
  auto stanza = xml ? read_stanza(std::move(*xml)) : std::nullopt;
  EXPECT_TRUE(stanza) << file;
  return stanza ? std::move(*stanza) : Stanza(Presence{});
}

IqRequest routed(const char* name) {
  const auto stanza = read(kFolder / name);
  auto request = route(std::get<Iq>(stanza));
  EXPECT_TRUE(request) << name << ": " << (request ? "" : request.error().xml());
  return request ? std::move(*request) : IqRequest(XmppPing{});
}

// The files that hold stanzas; bare conference documents are for tests/coin.
std::vector<std::filesystem::path> stanza_files() {
  auto files = test_support::golden_files(kFolder);
  std::erase_if(files, [](const auto& file) {
    return test_support::golden_text(file).substr(0, 16).find("<conference-info") == 0;
  });
  return files;
}

template <typename T>
T payload(const char* name) {
  return std::get<T>(std::get<Request>(routed(name)).payload);
}

jmi::Event jmi_event(const char* name) {
  const auto event = jmi::parse(std::get<Message>(read(kFolder / name)));
  EXPECT_TRUE(event) << name;
  return event.value_or(jmi::Event{});
}

Xml element(const pugi::xml_node& node) {
  Xml out;
  auto copy = out.document().append_copy(node);
  if (!copy.attribute("xmlns")) {
    copy.prepend_attribute("xmlns").set_value(std::string(effective_ns(node)).c_str());
  }
  return out;
}

TEST(Golden, EveryRequestIsWrittenAsItWasRead) {
  int requests = 0;
  for (const auto& file : stanza_files()) {
    const auto stanza = read(file);
    const auto* iq = std::get_if<Iq>(&stanza);
    if (iq == nullptr || !child(iq->xml.root(), ns::kJingle, "jingle") ||
        child(iq->xml.root(), ns::kConferenceInfo, "conference-info")) {
      continue;
    }
    const auto routed = route(*iq);
    ASSERT_TRUE(routed) << file << ": " << routed.error().xml();
    const auto& request = std::get<Request>(*routed);
    const std::string written = write_jingle(request);
    const auto xml = Xml::parse(written);
    ASSERT_TRUE(xml) << written;
    EXPECT_EQ(canonical(*xml), canonical(element(first_element(iq->xml.root()))))
        << file << "\n  read " << canonical(element(first_element(iq->xml.root()))).str()
        << "\n wrote " << canonical(*xml).str();
    ++requests;
  }
  EXPECT_GE(requests, 50);
}

TEST(Golden, EveryJmiMessageIsWrittenAsItWasRead) {
  int messages = 0;
  for (const auto& file : stanza_files()) {
    const auto stanza = read(file);
    const auto* message = std::get_if<Message>(&stanza);
    if (message == nullptr) continue;
    const auto event = jmi::parse(*message);
    ASSERT_TRUE(event) << file;
    const auto xml = Xml::parse("<m>" + jmi::write(*event) + "</m>");
    ASSERT_TRUE(xml) << jmi::write(*event);
    EXPECT_EQ(canonical(element(first_element(xml->root()))),
              canonical(element(first_element(message->xml.root()))))
        << file;
    EXPECT_TRUE(child(xml->root(), ns::kHints, "store"));
    ++messages;
  }
  EXPECT_GE(messages, 12);
}

TEST(Golden, ReadsDinosOffer) {
  const auto offer = payload<SessionInitiate>("xep-0167/dino-session-initiate.xml");
  EXPECT_EQ(offer.initiator, "dave@localhost/dino");
  EXPECT_FALSE(offer.isfocus);
  ASSERT_EQ(offer.contents.size(), 1U);
  const auto& content = offer.contents[0];
  EXPECT_EQ(content.name, "audio");
  EXPECT_EQ(content.senders, Senders::both);
  const auto* rtp = content.rtp();
  ASSERT_NE(rtp, nullptr);
  EXPECT_EQ(rtp->media, "audio");
  EXPECT_TRUE(rtp->rtcp_mux);
  EXPECT_TRUE(rtp->encryption);
  EXPECT_FALSE(rtp->encryption_required);
  ASSERT_EQ(rtp->payload_types.size(), 6U);
  EXPECT_EQ(rtp->payload_types[0].id, 111);
  EXPECT_EQ(rtp->payload_types[0].name, "opus");
  EXPECT_EQ(rtp->payload_types[0].clockrate, 48000U);
  EXPECT_EQ(rtp->payload_types[0].channels, 2);
  EXPECT_EQ(rtp->payload_types[0].parameter("useinbandfec"), "1");
  EXPECT_EQ(rtp->payload_types[0].parameter("usedtx"), std::nullopt);
  EXPECT_EQ(rtp->payload_types[1].channels, std::nullopt);
  const auto* ice = content.ice();
  ASSERT_NE(ice, nullptr);
  EXPECT_EQ(ice->ufrag, "Cwax");
  EXPECT_EQ(ice->pwd, "fHcXhvxCPOC2QKVXs8o6se");
  ASSERT_EQ(ice->candidates.size(), 2U);
  EXPECT_EQ(ice->candidates[1].component, 2);
  EXPECT_EQ(ice->candidates[1].id, "bf67f4e7");
  EXPECT_EQ(ice->candidates[1].ip, "10.99.0.1");
  EXPECT_EQ(ice->candidates[1].port, 40894);
  EXPECT_EQ(ice->candidates[1].priority, 2015363326U);
  EXPECT_EQ(ice->candidates[1].network, 0);
  ASSERT_EQ(ice->fingerprints.size(), 1U);
  EXPECT_EQ(ice->fingerprints[0].hash, "sha-256");
  EXPECT_EQ(ice->fingerprints[0].setup, Setup::actpass);
  EXPECT_EQ(ice->fingerprints[0].value.substr(0, 8), "78:B9:AA");
}

TEST(Golden, ReadsChromiumsOffer) {
  const auto offer = payload<SessionInitiate>("xep-0167/chromium-session-initiate.xml");
  EXPECT_EQ(offer.initiator, "");
  ASSERT_EQ(offer.groups.size(), 1U);
  EXPECT_EQ(offer.groups[0], (Group{"BUNDLE", {"0"}}));
  const auto* rtp = offer.contents.at(0).rtp();
  ASSERT_NE(rtp, nullptr);
  EXPECT_EQ(rtp->ssrc, 2689463152U);
  EXPECT_EQ(rtp->payload_types[0].rtcp_fb, std::vector<std::string>{"transport-cc"});
  EXPECT_EQ(rtp->payload_types[1].parameter("111/111"), "") << "a parameter without value";
  ASSERT_EQ(rtp->header_extensions.size(), 4U);
  EXPECT_EQ(rtp->header_extensions[0].uri, ns::kSsrcAudioLevel);
  ASSERT_EQ(rtp->sources.size(), 1U);
  EXPECT_EQ(rtp->sources[0].parameters[0].second, "QlifGNRVU7CkFCxk");
  EXPECT_TRUE(offer.contents[0].ice()->candidates.empty());
}

TEST(Golden, ReadsChromiumsTrickle) {
  const auto info = payload<TransportInfo>("xep-0176/chromium-transport-info-ipv6.xml");
  const auto* ice = info.contents.at(0).ice();
  ASSERT_NE(ice, nullptr);
  EXPECT_EQ(ice->ufrag, "S0dl");
  EXPECT_EQ(ice->pwd, "") << "StanzaJS trickles without it";
  ASSERT_EQ(ice->candidates.size(), 1U);
  EXPECT_EQ(ice->candidates[0].ip, "fd00::2");
  EXPECT_EQ(ice->candidates[0].generation, 0);
  EXPECT_EQ(ice->candidates[0].id, "c1");
  EXPECT_EQ(ice->candidates[0].network, std::nullopt);
  EXPECT_TRUE(payload<TransportInfo>("xep-0176/chromium-gathering-complete.xml")
                  .contents.at(0)
                  .ice()
                  ->gathering_complete);
}

TEST(Golden, ReadsLibpurplesOffer) {
  const auto offer = payload<SessionInitiate>("xep-0167/libpurple-session-initiate.xml");
  const auto* rtp = offer.contents.at(0).rtp();
  ASSERT_NE(rtp, nullptr);
  EXPECT_EQ(rtp->payload_types[2].name, "OPUS");
  EXPECT_EQ(rtp->payload_types[2].channels, 0);
  EXPECT_EQ(std::count_if(rtp->payload_types.begin(), rtp->payload_types.end(),
                          [](const PayloadType& type) { return type.id == 14; }),
            3);
  EXPECT_TRUE(offer.contents[0].ice()->fingerprints.empty());
  EXPECT_EQ(offer.contents[0].ice()->candidates.size(), 6U);
}

TEST(Golden, SkipsGajimsTcpCandidates) {
  const auto offer = payload<SessionInitiate>("xep-0167/gajim-session-initiate.xml");
  const auto& candidates = offer.contents.at(0).ice()->candidates;
  EXPECT_EQ(candidates.size(), 6U);
  for (const auto& candidate : candidates) EXPECT_EQ(candidate.protocol, "udp");
}

TEST(Golden, ReadsQxmppsOffer) {
  const auto offer = payload<SessionInitiate>("xep-0167/qxmpp-session-initiate.xml");
  const auto* rtp = offer.contents.at(0).rtp();
  ASSERT_NE(rtp, nullptr);
  EXPECT_EQ(rtp->payload_types[0].name, "OPUS");
  EXPECT_EQ(rtp->payload_types[1].id, rtp->payload_types[0].id);
  EXPECT_FALSE(rtp->rtcp_mux);
}

TEST(Golden, ReadsFingerprintsWithWhiteSpace) {
  const auto offer = payload<SessionInitiate>("xep-0320/example-session-initiate.xml");
  EXPECT_EQ(offer.contents.at(0).ice()->fingerprints.at(0).value,
            "02:1A:CC:54:27:AB:EB:9C:53:3F:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1:7A:03:A2:7D:F9:B0:"
            "7F:46:19:B2");
  const auto accept = payload<SessionAccept>("xep-0320/example-session-accept.xml");
  EXPECT_EQ(accept.contents.at(0).ice()->fingerprints.at(0).setup, Setup::active);
  EXPECT_EQ(accept.responder, "juliet@capulet.example/balcony");
}

TEST(Golden, ReadsPrefixedChildren) {
  const auto offer = payload<SessionInitiate>("xep-0293/stanzajs-prefixed.xml");
  const auto* rtp = offer.contents.at(0).rtp();
  ASSERT_NE(rtp, nullptr);
  EXPECT_EQ(rtp->payload_types.at(0).rtcp_fb, std::vector<std::string>{"transport-cc"});
  EXPECT_EQ(rtp->header_extensions.at(0).uri, ns::kSsrcAudioLevel);
  EXPECT_EQ(offer.contents[0].ice()->ufrag, "S0dl");
}

TEST(Golden, ReadsFeedbackSourcesAndGroups) {
  const auto offer = payload<SessionInitiate>("xep-0339/example-source.xml");
  ASSERT_EQ(offer.contents.size(), 2U);
  const auto* rtp = offer.contents[0].rtp();
  ASSERT_NE(rtp, nullptr);
  EXPECT_EQ(rtp->payload_types[0].rtcp_fb, (std::vector<std::string>{"nack pli", "ccm"}));
  EXPECT_EQ(rtp->header_extensions[0].senders, "initiator");
  ASSERT_EQ(rtp->sources.size(), 1U) << "sources inside ssrc-group are references";
  EXPECT_EQ(rtp->sources[0].ssrc, 3264166543U);
  EXPECT_EQ(offer.contents[1].senders, Senders::responder);
  EXPECT_EQ(offer.groups.at(0).names, (std::vector<std::string>{"voice", "webcam"}));
}

TEST(Golden, ReadsEndsWithTheirReasons) {
  using T = SessionTerminate;
  EXPECT_EQ(payload<T>("xep-0166/example-session-terminate.xml").reason,
            (Reason{"success", "Sorry, gotta go!", "", ""}));
  EXPECT_EQ(payload<T>("xep-0166/example-session-terminate-alternative.xml").reason,
            (Reason{"alternative-session", "", "b84tkkwlmb48kgfb", ""}));
  EXPECT_EQ(payload<T>("xep-0167/example-session-terminate-crypto-required.xml").reason,
            (Reason{"security-error", "", "", "crypto-required"}));
  EXPECT_EQ(payload<T>("xep-0166/aiortc-session-terminate-security-error.xml").reason.text,
            "DTLS-SRTP (XEP-0320) is required");
}

TEST(Golden, ReadsSessionInfos) {
  using Info = SessionInfo;
  EXPECT_EQ(payload<Info>("xep-0166/example-session-ping.xml"), Info{Ping{}});
  EXPECT_EQ(payload<Info>("xep-0167/example-hold.xml"), Info{RtpInfo(Hold{})});
  EXPECT_EQ(payload<Info>("xep-0167/example-unhold.xml"), Info{RtpInfo(Unhold{})});
  EXPECT_EQ(payload<Info>("xep-0167/example-active.xml"), Info{RtpInfo(Active{})});
  EXPECT_EQ(payload<Info>("xep-0167/dino-session-info-ringing.xml"), Info{RtpInfo(Ringing{})});
  EXPECT_EQ(payload<Info>("xep-0167/example-mute.xml"), Info{RtpInfo(Mute{"responder", "voice"})});
  EXPECT_EQ(payload<Info>("xep-0167/example-unmute.xml"), Info{RtpInfo(Unmute{"responder", ""})});
  EXPECT_EQ(payload<Info>("coin-stanzas/example-session-info.xml"), Info{FocusInfo{true}});
  EXPECT_EQ(payload<Info>("xep-0166/example-session-info-ringing.xml"),
            (Info{UnknownInfo{"urn:xmpp:jingle:apps:rtp:1:info", "ringing"}}))
      << "XEP-0166's example has a namespace that XEP-0167 does not know";
}

TEST(Golden, ReadsTheOtherActions) {
  const auto add = payload<ContentAction>("xep-0166/example-content-add.xml");
  EXPECT_EQ(add.action, Action::content_add);
  EXPECT_EQ(std::get<Unsupported>(add.contents.at(0).description).ns,
            "urn:xmpp:jingle:apps:stub:0");
  const auto remove = payload<ContentAction>("xep-0166/example-content-remove.xml");
  EXPECT_EQ(remove.reason.value().condition, "decline");
  const auto replace = payload<ContentAction>("xep-0166/example-transport-replace.xml");
  EXPECT_EQ(std::get<Unsupported>(replace.contents.at(0).transport).ns,
            "urn:xmpp:jingle:transports:raw-udp:1");
  EXPECT_TRUE(payload<TransportInfo>("xep-0176/example-remote-candidate.xml")
                  .contents.at(0)
                  .ice()
                  ->remote_candidate);
  EXPECT_EQ(payload<TransportInfo>("xep-0176/example-restart.xml")
                .contents.at(0)
                .ice()
                ->candidates.at(0)
                .generation,
            1);
}

TEST(Golden, ReadsIsfocus) {
  EXPECT_EQ(payload<SessionInitiate>("coin-stanzas/example-session-initiate.xml").isfocus, true);
  EXPECT_EQ(payload<SessionInitiate>("coin-stanzas/sylkserver-session-initiate.xml").isfocus, true);
  EXPECT_EQ(payload<SessionAccept>("coin-stanzas/aiortc-session-accept-isfocus.xml").isfocus, true);
}

TEST(Golden, ReadsConferenceDocuments) {
  for (const char* name : {"coin-stanzas/example-conference-info-pair.xml",
                           "coin-stanzas/jitsi-conference-info.xml"}) {
    const auto set = std::get<ConferenceInfoSet>(routed(name));
    EXPECT_EQ(set.sid, Sid{"a73sjjvkla37jfea"}) << name;
    EXPECT_EQ(set.info.entity, "xmpp:room@mixer.example");
    ASSERT_TRUE(set.info.users);
    EXPECT_EQ(set.info.users->users.size(), 1U);
  }
}

TEST(Golden, ReadsJmi) {
  EXPECT_EQ(std::get<jmi::Propose>(jmi_event("xep-0353/dino-propose.xml").payload).media,
            std::vector<std::string>{"audio"});
  EXPECT_EQ(jmi_event("xep-0353/aiortc-proceed.xml").id.value,
            "9491fbd2-68b3-4679-9f9c-76ae97e53020");
  const auto reject =
      std::get<jmi::Reject>(jmi_event("xep-0353/example-reject-tie-break.xml").payload);
  EXPECT_TRUE(reject.tie_break);
  EXPECT_EQ(reject.reason, (Reason{"expired", "Tie-Break", "", ""}));
  EXPECT_FALSE(std::get<jmi::Retract>(jmi_event("xep-0353/example-retract.xml").payload).tie_break);
  EXPECT_EQ(
      std::get<jmi::Finish>(jmi_event("xep-0353/example-finish-migrated.xml").payload).migrated_to,
      "989a46a6-f202-4910-a7c3-83c6ba3f3947");
}

}  // namespace
}  // namespace jingle
