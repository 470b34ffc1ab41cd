// The clients, one table each. A rule's second column is what its source says, or what was seen of
// the program.
#include "tests/peers/client.h"
#include "tests/peers/rules.h"
#include "tests/support/golden.h"

namespace peers {
namespace {

using namespace std::chrono_literals;
using Basis = Client::Basis;
using enum Act;

std::string golden(const std::string& file) {
  return test_support::golden_text(TEST_DATA "/golden/" + file);
}
std::string in_session(const std::string& action, const std::string& children) {
  return "<iq type='set'><jingle xmlns='urn:xmpp:jingle:1' action='" + action + "' sid='SID'>" +
         children + "</jingle></iq>";
}
std::string info(const std::string& what) {
  return in_session("session-info", "<" + what + " xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>");
}
std::string disco(const std::string& name, const std::string& coin = "") {
  return "<identity category='client' type='pc' name='" + name + "'/>" +
         (coin.empty() ? "" : "<feature var='" + coin + "'/>");
}
std::vector<Rule> both(std::vector<Rule> rules, std::initializer_list<Rule> more) {
  rules.insert(rules.end(), more);
  return rules;
}

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
// What is refused, so that its user knows why.
const std::vector<Rule> kRefused =
    both(kEverybody, {
                         {&kNoRefusal, "it would wait for media for ever", 10s},
                     });

// https://dino.im
const Client kDino{
    .name = "Dino",
    .basis = Basis::capture,
    .disco = disco("Dino"),
    .script = {{propose, golden("xep-0353/dino-propose.xml")},
               {initiate, golden("xep-0167/dino-session-initiate.xml")},
               {mute, info("mute creator='initiator' name='audio'")},
               {unmute, info("unmute creator='initiator' name='audio'")},
               {hang_up, kSuccess}},
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
    .silent_to = kDocuments,
};
Client dino_with_video() {
  Client client = kDino;
  client.name = "DinoWithVideo";
  client.basis = Basis::source;
  client.script[1].stanza = golden("xep-0167/dino-session-initiate-video.xml");
  return client;
}

// https://conversations.im, 2.12.8. It has neither mute nor hold to tell.
const Client kConversations{
    .name = "Conversations",
    .basis = Basis::source,
    .disco = disco("Conversations"),
    .script = {{propose, golden("xep-0353/conversations-propose.xml")},
               {initiate, golden("xep-0167/conversations-session-initiate.xml")},
               {trickle, golden("xep-0176/conversations-transport-info.xml")},
               {add_video, golden("xep-0166/conversations-content-add.xml")},
               {restart, golden("xep-0176/conversations-ice-restart.xml")},
               {trickle, golden("xep-0176/conversations-transport-info-restarted.xml")},
               {hang_up, kSuccess}},
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
    .refuses = kDocuments,
};
Client conversations_with_video() {
  Client client = kConversations;
  client.name = "ConversationsWithVideo";
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
    .disco = disco("Monal"),
    .script = {{propose, golden("xep-0353/monal-propose.xml")},
               {initiate, golden("xep-0167/monal-session-initiate.xml")},
               {trickle, golden("xep-0176/monal-transport-info.xml")},
               {hang_up, kSuccess}},
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
    .silent_to = "/iq/jingle[@action='session-info' or starts-with(@action, 'content-')]",
    .refuses = kDocuments,
};

// https://movim.eu. Its mute names the m-line, not the content.
const Client kMovim{
    .name = "Movim",
    .basis = Basis::source,
    .disco = disco("Movim"),
    .script = {{propose, golden("xep-0353/movim-propose.xml")},
               {initiate, golden("xep-0167/movim-session-initiate.xml")},
               {trickle, golden("xep-0176/movim-transport-info.xml")},
               {tell, info("mute creator='initiator' name='mid0'")},
               {tell, info("unmute creator='initiator' name='mid0'")},
               {hang_up, kSuccess}},
    .rules = both(kWebRtc,
                  {
                      {&kMisaddressed, "XEP-0353 §3.2, §3.3: to the full JID"},
                      {&kNoProceed, "calls nobody before", 30s},
                  }),
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
    .rules = both(
        kWebRtc,
        {
            {&kStrangeCredentials, "takes another ufrag for an ICE restart that it never offered"},
            {&kNoRestart, "the answer has other credentials and candidates", 10s},
            {&kUnavailable, "drops all its calls with who is unavailable"},
            {&kSecondDocument, "answers service-unavailable"},
        }),
    .refuses = kDocuments,
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
    .rules = kWebRtc,
};
Client aiortc_with_jmi() {
  Client client = kAiortc;
  client.name = "AiortcWithJmi";
  client.script.insert(client.script.begin(), {propose, golden("xep-0353/example-propose.xml")});
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
};

// Those without DTLS.
Client without_dtls(const char* name, Basis basis, const char* offer) {
  return {.name = name,
          .basis = basis,
          .disco = disco(name),
          .script = {{initiate, golden(std::string("xep-0167/") + offer)}},
          .rules = kRefused,
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
      without_dtls("Gajim", Basis::capture, "gajim-session-initiate.xml"),
      without_dtls("Qxmpp", Basis::capture, "qxmpp-session-initiate.xml"),
      without_dtls("Libpurple", Basis::capture, "libpurple-session-initiate.xml"),
      without_dtls("SylkServer", Basis::source, "sylkserver-session-initiate.xml"),
  };
  return all;
}

}  // namespace peers
