// The clients, one table each. A rule's second column is what its source says, or what was seen of
// the program.
#include "tests/peers/client.h"
#include "tests/peers/rules.h"
#include "tests/support/data.h"
#include "tests/support/golden.h"

namespace peers {
namespace {

using namespace std::chrono_literals;
using Basis = Client::Basis;
using enum Act;

std::string golden(const std::string& file) {
  return test_support::golden_text(test_support::data("golden/") + file);
}
std::string in_session(const std::string& action, const std::string& children) {
  return "<iq type='set'><jingle xmlns='urn:xmpp:jingle:1' action='" + action + "' sid='SID'>" +
         children + "</jingle></iq>";
}
std::string info(const std::string& what) {
  return in_session("session-info", "<" + what + " xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>");
}
constexpr char kProposals[] = "urn:xmpp:jingle-message:0";
std::string disco(const std::string& name, const std::string& more = "") {
  std::string out = "<identity category='client' type='pc' name='" + name + "'/>";
  for (const char* feature :
       {"urn:xmpp:jingle:1", "urn:xmpp:jingle:apps:rtp:1", "urn:xmpp:jingle:apps:rtp:audio",
        "urn:xmpp:jingle:transports:ice-udp:1", more.c_str()}) {
    if (*feature) out += std::string("<feature var='") + feature + "'/>";
  }
  return out;
}
// XEP-0353, to who proposed.
std::string jmi(const std::string& what, const std::string& reason = "",
                const std::string& more = "") {
  return "<message type='chat'><" + what + " xmlns='urn:xmpp:jingle-message:0' id='SID'>" + reason +
         "</" + what + ">" + more + "</message>";
}
// What the client would answer if it were called with its own offer: the same code writes both.
std::string answer(const std::string& file, const char* setup = "active") {
  auto xml = jingle::Xml::parse(golden(file)).value();
  Node jingle = xml.root().child("jingle");
  set(jingle, "action", "session-accept");
  set_each(xml.root(), "//fingerprint", "setup", setup);
  remove_each(xml.root(), "//extmap-allow-mixed | //encryption");
  if (auto initiator = jingle.attribute("initiator")) initiator.set_name("responder");
  return xml.str();
}
std::vector<Rule> both(std::vector<Rule> rules, std::initializer_list<Rule> more) {
  rules.insert(rules.end(), more);
  return rules;
}

const std::string kReceipt =
    "<message type='chat'><received xmlns='urn:xmpp:receipts' id='ID'/></message>";
const std::string kStore = "<store xmlns='urn:xmpp:hints'/>";
const std::string kRinging = info("ringing");
const std::string kDecline = in_session("session-terminate", "<reason><decline/></reason>");
const std::string kSuccess = in_session("session-terminate", "<reason><success/></reason>");
constexpr char kDocuments[] = "/iq/conference-info";

const std::vector<Rule> kEverybody{
    {&kUnanswered, "RFC 6120 §8.2.3: each request is answered", 20s},
    {&kError, "nothing that it sends is wrong, and it ends the call for any error"},
    {&kBeforeAck, "XEP-0166 §6.3.1: the acknowledgement comes first"},
    {&kForeignSender, "a session is known by its sid and the peer's full JID"},
    {&kTwoPayloads, "RFC 6120 §8.2.3: such an IQ is refused"},
};
const std::vector<Rule> kJoining =
    both(kEverybody, {
                         {&kNoAccept, "its user hears it ring, and gives up", 30s},
                         {&kHungUpOn, "its call is over"},
                     });
// What setRemoteDescription() does not take for an answer to its offer.
const std::vector<Rule> kWebRtc =
    both(kJoining, {
                       {&kContentsChanged, "the answer has the m-lines of the offer"},
                       {&kNoFingerprint, "no media without DTLS"},
                       {&kUndecided, "RFC 8842 §5.3: an answer is active or passive"},
                       {&kPayloadChanged, "names and ids are the offer's"},
                       {&kExtensionChanged, "RFC 8285 §5: only what was offered"},
                       {&kMuxLost, "its rtcpMuxPolicy is `require`"},
                       {&kEarlyDocument, "nobody is told anything before he is in"},
                   });
// Who is called.
const std::vector<Rule> kCalled{
    {&kUnanswered, "RFC 6120 §8.2.3: each request is answered", 20s},
    {&kError, "nothing that it sends is wrong, and it ends the call for any error"},
    {&kForeignSender, "a session is known by its sid and the peer's full JID"},
    {&kTwoPayloads, "RFC 6120 §8.2.3: such an IQ is refused"},
    {&kSecondOffer, "XEP-0166 §6.3.2: that sid is in use"},
};
const std::vector<Rule> kTaking =
    both(kCalled, {
                      {&kHungUpOn, "its call is over"},
                      {&kNoFingerprint, "no media without DTLS that we have, too"},
                      {&kNoOpus, "RFC 7587 §7: the one codec all of them have"},
                      {&kOddCandidate, "not everybody can read such a candidate"},
                      {&kEarlyDocument, "nobody is told anything before he is in"},
                  });
// What setRemoteDescription() does not take for an offer.
const std::vector<Rule> kTakingWebRtc =
    both(kTaking, {
                      {&kOfferUndecided, "RFC 8842 §5.2: an offer is actpass"},
                      {&kNoMux, "its rtcpMuxPolicy is `require`"},
                      {&kOddBundle, "RFC 8843 §7.2: the group names m-lines of the offer"},
                  });
// Whom is proposed to.
const std::vector<Rule> kProposed{
    {&kNoCall, "its user has taken the call, and waits", 20s},
    {&kOtherSid, "XEP-0353 §3.6: the session has the id of the proposal"},
    {&kRetracted, "there is nothing to take back any more"},
};
std::vector<Rule> proposed(std::vector<Rule> rules) {
  rules.insert(rules.end(), kProposed.begin(), kProposed.end());
  return rules;
}
// What is refused, so that its user knows why.
const std::vector<Rule> kAnswerRefused =
    both(kCalled, {
                      {&kAnswerNotRefused, "it would wait for media for ever", 10s},
                  });
const std::vector<Rule> kRefused =
    both(kEverybody, {
                         {&kNoRefusal, "it would wait for media for ever", 10s},
                     });

// https://dino.im
const Client kDino{
    .name = "Dino",
    .basis = Basis::capture,
    .disco = disco("Dino", kProposals),
    .script = {{propose, golden("xep-0353/dino-propose.xml")},
               {initiate, golden("xep-0167/dino-session-initiate.xml")},
               {mute, info("mute creator='initiator' name='audio'")},
               {unmute, info("unmute creator='initiator' name='audio'")},
               {hang_up, kSuccess}},
    .proposed_to = {{proceed, jmi("proceed")},
                    {accept, golden("xep-0167/dino-session-accept.xml")},
                    {mute, info("mute creator='initiator' name='audio'")},
                    {unmute, info("unmute creator='initiator' name='audio'")},
                    {hang_up, kSuccess}},
    .called = {{ring, golden("xep-0167/dino-session-info-ringing.xml")},
               {accept, golden("xep-0167/dino-session-accept.xml")},
               {mute, info("mute creator='initiator' name='audio'")},
               {unmute, info("unmute creator='initiator' name='audio'")},
               {hang_up, kSuccess}},
    .declines = {{decline, jmi("reject")}},
    .rules = both(kJoining,
                  {
                      {&kMisaddressed, "ignores a proceed that is not for the JID that proposed"},
                      {&kNoProceed, "calls nobody before", 30s},
                      {&kContentsChanged,
                       "a content left out could not be removed: it knows no content-remove"},
                      {&kSendersNone, "the parser rejects the value, and with it the stanza"},
                      {&kUndecided, "issue 1072: goes on without encryption"},
                      {&kNoFingerprint, "without it, no encryption that we have, too"},
                      {&kPayloadChanged, "sends with the first payload type of the accept"},
                      {&kMuxLost, "then it waits for component 2"},
                      {&kTwoContentsTrickled, "refuses a transport-info with two contents"},
                      {&kAnyDocument,
                       "0.4.2 and 0.5.1 crash on one before their media runs, and answer none"},
                  }),
    .called_rules =
        both(kTaking,
             {
                 {&kNoCall, "its user has taken the call, and waits", 20s},
                 {&kRetracted, "there is nothing to take back any more"},
                 {&kSendersNone, "the parser rejects the value, and with it the stanza"},
                 {&kAnyDocument,
                  "0.4.2 and 0.5.1 crash on one before their media runs, and answer none"},
             }),
    .silent_to = kDocuments,
};
Client dino_with_video() {
  Client client = kDino;
  client.name = "DinoWithVideo";
  client.basis = Basis::source;
  client.proposed_to = client.called = client.declines = {};
  client.script[1].stanza = golden("xep-0167/dino-session-initiate-video.xml");
  return client;
}

// https://conversations.im, 2.12.8. It has neither mute nor hold to tell.
const Client kConversations{
    .name = "Conversations",
    .basis = Basis::source,
    .disco = disco("Conversations", kProposals),
    .script = {{propose, golden("xep-0353/conversations-propose.xml")},
               {initiate, golden("xep-0167/conversations-session-initiate.xml")},
               {trickle, golden("xep-0176/conversations-transport-info.xml")},
               {add_video, golden("xep-0166/conversations-content-add.xml")},
               {restart, golden("xep-0176/conversations-ice-restart.xml")},
               {trickle, golden("xep-0176/conversations-transport-info-restarted.xml")},
               {hang_up, kSuccess}},
    .proposed_to = {{ring, kReceipt},
                    {proceed, jmi("proceed", "", kStore)},
                    {accept, answer("xep-0167/conversations-session-initiate.xml")},
                    {trickle, golden("xep-0176/conversations-transport-info.xml")},
                    {hang_up, kSuccess}},
    .called = {{accept, answer("xep-0167/conversations-session-initiate.xml")},
               {trickle, golden("xep-0176/conversations-transport-info.xml")},
               {hang_up, kSuccess}},
    .declines = {{ring, kReceipt}, {decline, jmi("reject", "", kStore)}},
    .rules = both(
        kWebRtc,
        {
            {&kNoReceipt, "knows no ringing: it rings on the receipt for its proposal", 10s},
            {&kMisaddressed, "ignores a proceed that is not for its full JID"},
            {&kNoProceed, "calls nobody before", 30s},
            {&kBundleLost, "the answer would be one without bundle"},
            {&kEmptySource, "throws on an empty value, and the call ends"},
            {&kOddCandidate, "toSdpAttribute throws on such a candidate"},
            {&kNoContentAccept, "its user waits, and can add no other", 10s},
            {&kBundleDissolved, "RtpContentMap.addContent takes the group of the content-accept"},
            {&kNoRestart, "an answer has other credentials, and candidates", 10s},
            {&kSecondDocument, "refuses what it does not know"},
        }),
    .called_rules =
        both(proposed(kTakingWebRtc),
             {
                 {&kOtherMedia, "the media proposed and those offered must be the same"},
                 {&kEmptySource, "throws on an empty value, and the call ends"},
                 {&kSecondDocument, "refuses what it does not know"},
             }),
    .refuses = kDocuments,
};
Client conversations_with_video() {
  Client client = kConversations;
  client.name = "ConversationsWithVideo";
  client.proposed_to = client.called = client.declines = {};
  client.script[1].stanza = golden("xep-0167/conversations-session-initiate-video.xml");
  std::erase_if(client.script, [](const Step& step) { return step.act == add_video; });
  std::erase_if(client.rules, [](const Rule& rule) {
    return rule.kind == &kNoContentAccept || rule.kind == &kBundleDissolved;
  });
  client.rules.push_back({&kBundleApart, "getDistinctCredentials throws"});
  return client;
}

// https://monal-im.org, 6. It has neither mute nor hold to tell.
const Client kMonal{
    .name = "Monal",
    .basis = Basis::source,
    .disco = disco("Monal", kProposals),
    .script = {{propose, golden("xep-0353/monal-propose.xml")},
               {initiate, golden("xep-0167/monal-session-initiate.xml")},
               {trickle, golden("xep-0176/monal-transport-info.xml")},
               {hang_up, kSuccess}},
    .proposed_to = {{ring, jmi("ringing", "", kStore)},
                    {proceed, jmi("proceed", "", kStore)},
                    {accept, answer("xep-0167/monal-session-initiate.xml")},
                    {trickle, golden("xep-0176/monal-transport-info.xml")},
                    {hang_up, kSuccess}},
    .declines = {{ring, jmi("ringing", "", kStore)},
                 {decline,
                  jmi("reject", "<reason xmlns='urn:xmpp:jingle:1'><busy/></reason>", kStore)}},
    .rules = both(kWebRtc,
                  {
                      {&kNoRinging, "MLCall discovers nobody", 30s},
                      {&kNoProceed, "MLCall: nobody takes the call", 45s},
                      {&kLateConnection, "MLCall: connecting takes too long", 15s},
                      {&kMisaddressed, "XEP-0353 §3.2, §3.3: to the full JID"},
                      {&kStrangeCredentials, "refuses the candidate: not-authorized"},
                      {&kSecondAccept, "refuses it: conflict"},
                      {&kSecondDocument, "refuses what it does not know"},
                  }),
    .called_rules = both(proposed(kTakingWebRtc),
                         {
                             {&kLateConnection, "MLCall: connecting takes too long", 15s},
                             {&kOtherMedia, "a call for audio has one m-line"},
                             {&kSecondDocument, "refuses what it does not know"},
                         }),
    .silent_to = "/iq/jingle[@action='session-info' or starts-with(@action, 'content-')]",
    .refuses = kDocuments,
};

// https://movim.eu. Its mute names the m-line, not the content.
const Client kMovim{
    .name = "Movim",
    .basis = Basis::source,
    .disco = disco("Movim", kProposals),
    .script = {{propose, golden("xep-0353/movim-propose.xml")},
               {initiate, golden("xep-0167/movim-session-initiate.xml")},
               {trickle, golden("xep-0176/movim-transport-info.xml")},
               {tell, info("mute creator='initiator' name='mid0'")},
               {tell, info("unmute creator='initiator' name='mid0'")},
               {hang_up, kSuccess}},
    .proposed_to = {{proceed, jmi("proceed")},
                    {accept, answer("xep-0167/movim-session-initiate.xml")},
                    {trickle, golden("xep-0176/movim-transport-info.xml")},
                    {tell, info("mute creator='initiator' name='mid0'")},
                    {tell, info("unmute creator='initiator' name='mid0'")},
                    {hang_up, kSuccess}},
    .declines = {{decline, jmi("reject")}},
    .rules = both(kWebRtc,
                  {
                      {&kMisaddressed, "XEP-0353 §3.2, §3.3: to the full JID"},
                      {&kNoProceed, "calls nobody before", 30s},
                  }),
    .called_rules = proposed(kTakingWebRtc),
};

// StanzaJS 12.22 in Chromium 156.
const Client kStanzaJs{
    .name = "StanzaJs",
    .basis = Basis::capture,
    .disco = disco("StanzaJS"),
    .script = {{initiate, golden("xep-0167/chromium-session-initiate.xml")},
               {trickle, golden("xep-0176/chromium-transport-info-ipv4.xml")},
               {trickle, golden("xep-0176/chromium-transport-info-ipv6.xml")},
               {trickle, golden("xep-0176/chromium-gathering-complete.xml")},
               {mute, info("mute creator='initiator' name='0'")},
               {unmute, info("unmute creator='initiator' name='0'")},
               {hold, info("hold")},
               {unmute, info("active")},
               {restart, golden("xep-0176/stanzajs-ice-restart.xml")},
               {trickle, golden("xep-0176/stanzajs-transport-info-restarted.xml")},
               {hang_up, golden("xep-0166/chromium-session-terminate.xml")}},
    .called = {{ring, golden("xep-0167/chromium-session-info-ringing.xml")},
               {accept, golden("xep-0167/chromium-session-accept.xml")},
               {trickle, golden("xep-0176/chromium-transport-info-ipv4.xml")},
               {trickle, golden("xep-0176/chromium-transport-info-ipv6.xml")},
               {trickle, golden("xep-0176/chromium-gathering-complete.xml")},
               {mute, info("mute creator='initiator' name='0'")},
               {unmute, info("unmute creator='initiator' name='0'")},
               {hold, info("hold")},
               {unmute, info("active")},
               {hang_up, golden("xep-0166/chromium-session-terminate.xml")}},
    .declines = {{ring, golden("xep-0167/chromium-session-info-ringing.xml")}, {decline, kDecline}},
    .rules = both(
        kWebRtc,
        {
            {&kStrangeCredentials, "takes another ufrag for an ICE restart that it never offered"},
            {&kNoRestart, "the answer has other credentials and candidates", 10s},
            {&kUnavailable, "drops all its calls with who is unavailable"},
            {&kSecondDocument, "answers service-unavailable"},
        }),
    .called_rules = both(kTakingWebRtc,
                         {
                             {&kUnavailable, "drops all its calls with who is unavailable"},
                             {&kSecondDocument, "answers service-unavailable"},
                         }),
    .refuses = kDocuments,
    .sends_receipts = true,
};

// aiortc 1.4 with slixmpp 1.8.
const Client kAiortc{
    .name = "Aiortc",
    .basis = Basis::capture,
    .disco = disco("slixmpp", "urn:xmpp:coin:1"),
    .script = {{initiate, golden("xep-0167/aiortc-session-initiate.xml")},
               {mute, info("mute creator='initiator' name='0'")},
               {unmute, info("unmute creator='initiator' name='0'")},
               {hold, info("hold")},
               {unmute, info("unhold")},
               {hang_up, golden("xep-0166/aiortc-session-terminate.xml")}},
    .called = {{accept, golden("xep-0167/aiortc-session-accept-from-bob.xml")},
               {mute, info("mute creator='initiator' name='0'")},
               {unmute, info("unmute creator='initiator' name='0'")},
               {hold, info("hold")},
               {unmute, info("unhold")},
               {hang_up, golden("xep-0166/aiortc-session-terminate.xml")}},
    .declines = {{decline, kDecline}},
    .rules = kWebRtc,
    .called_rules = kTakingWebRtc,
};
Client aiortc_with_jmi() {
  Client client = kAiortc;
  client.name = "AiortcWithJmi";
  client.script.insert(client.script.begin(), {propose, golden("xep-0353/example-propose.xml")});
  client.proposed_to = client.called;
  client.proposed_to.insert(client.proposed_to.begin(),
                            {{ring, golden("xep-0353/aiortc-ringing.xml")},
                             {proceed, golden("xep-0353/aiortc-proceed.xml")}});
  client.called = {};
  client.disco += std::string("<feature var='") + kProposals + "'/>";
  client.declines = {{ring, golden("xep-0353/aiortc-ringing.xml")},
                     {decline, golden("xep-0353/example-reject.xml")}};
  client.called_rules = proposed(client.called_rules);
  client.rules = both(client.rules, {
                                        {&kMisaddressed, "XEP-0353 §3.2, §3.3: to the full JID"},
                                        {&kNoProceed, "calls nobody before", 30s},
                                    });
  return client;
}

// https://jitsi.org, the desktop client.
const Client kJitsi{
    .name = "Jitsi",
    .basis = Basis::source,
    .disco = disco("Jitsi"),
    .script = {{initiate, golden("xep-0167/jitsi-session-initiate.xml")},
               {hold, info("hold")},
               {unmute, info("unhold")},
               {hang_up, kSuccess}},
    .called = {{ring, kRinging},
               {accept, answer("xep-0167/jitsi-session-initiate.xml")},
               {hold, info("hold")},
               {unmute, info("unhold")},
               {hang_up, kSuccess}},
    .declines = {{ring, kRinging}, {decline, kDecline}},
    .rules = both(
        kJoining,
        {
            {&kNoFingerprint, "without it, no encryption that we have, too"},
            {&kNotActive, "ignores `setup`: as the caller it is the DTLS server"},
            {&kPayloadChanged, "XEP-0167 §6.2: a subset of what was offered"},
            {&kNoCandidates, "wrapupConnectivityEstablishment comes before the accept is read"},
            {&kEarlyDocument, "nobody is told anything before he is in"},
            {&kDocumentPart, "without `sid` it is dropped; without version or users it throws"},
            {&kFatalWord, "Smack closes the stream when a provider throws"},
        }),
    .called_rules = both(
        kTaking,
        {
            {&kDocumentPart, "without `sid` it is dropped; without version or users it throws"},
            {&kFatalWord, "Smack closes the stream when a provider throws"},
        }),
};

// Those without DTLS.
Client without_dtls(const char* name, Basis basis, const char* offer,
                    const std::string& accepts = "") {
  std::vector<Step> called;
  if (!accepts.empty()) called = {{accept, accepts}};
  return {.name = name,
          .basis = basis,
          .disco = disco(name),
          .script = {{initiate, golden(std::string("xep-0167/") + offer)}},
          .called = called,
          .rules = kRefused,
          .called_rules = kAnswerRefused,
          .joins = false};
}

}  // namespace

const std::vector<Client>& clients() {
  static const std::vector<Client> all{
      kDino,
      dino_with_video(),
      kConversations,
      conversations_with_video(),
      kMonal,
      kMovim,
      kStanzaJs,
      kAiortc,
      aiortc_with_jmi(),
      kJitsi,
      without_dtls("Gajim", Basis::capture, "gajim-session-initiate.xml",
                   answer("xep-0167/gajim-session-initiate.xml")),
      without_dtls("Qxmpp", Basis::capture, "qxmpp-session-initiate.xml",
                   answer("xep-0167/qxmpp-session-initiate.xml")),
      without_dtls("Libpurple", Basis::capture, "libpurple-session-initiate.xml",
                   golden("xep-0167/libpurple-session-accept.xml")),
      without_dtls("SylkServer", Basis::source, "sylkserver-session-initiate.xml"),
  };
  return all;
}

}  // namespace peers
