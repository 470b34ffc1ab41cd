// tests/peers/rules.h: what clients die of, each kind once, with the fault that must trip it. Which
// client dies of which: clients.cc.
#pragma once

#include <algorithm>
#include <set>

#include "tests/peers/rule.h"

namespace peers {

inline constexpr char kOffer[] = "/iq/jingle[@action='session-initiate']";
inline constexpr char kAccept[] = "/iq/jingle[@action='session-accept']";
inline constexpr char kTerms[] =
    "/iq/jingle[@action='session-accept' or @action='session-initiate']";
inline constexpr char kTrickle[] = "/iq/jingle[@action='transport-info']";
// One of these comes before it is connected, whoever calls.
inline constexpr char kEarly[] =
    "/iq/jingle[@action='transport-info' or @action='session-initiate']";
inline constexpr char kEnd[] = "/iq/jingle[@action='session-terminate']";
inline constexpr char kDocument[] = "/iq/conference-info";

inline bool finds(Node stanza, const char* xpath) { return bool(stanza.select_node(xpath)); }
inline void set(Node node, const char* attribute, const char* value) {
  node.remove_attribute(attribute);
  node.append_attribute(attribute).set_value(value);
}
inline void set_each(Node stanza, const char* xpath, const char* attribute, const char* value) {
  for (const auto& found : stanza.select_nodes(xpath)) set(found.node(), attribute, value);
}
inline void remove_each(Node stanza, const char* xpath) {
  for (const auto& found : stanza.select_nodes(xpath)) found.parent().remove_child(found.node());
}
inline void become_document(Node iq) {
  iq.remove_children();
  set(iq, "type", "set");
  set(iq.append_child("conference-info"), "xmlns", "urn:ietf:params:xml:ns:conference-info");
}
// The attributes of each element that the XPath finds, as one text.
inline std::multiset<std::string> told(Node stanza, const char* xpath,
                                       std::initializer_list<const char*> attributes) {
  std::multiset<std::string> out;
  for (const auto& found : stanza.select_nodes(xpath)) {
    std::string text;
    for (const char* name : attributes) {
      text += std::string(found.node().attribute(name).value()) + "|";
    }
    out.insert(text);
  }
  return out;
}
// Whether all that a session-accept tells there was offered.
inline bool adds(const Memory& memory, Node stanza, const char* xpath,
                 std::initializer_list<const char*> attributes) {
  if (!finds(stanza, kAccept)) return false;
  const auto offered = told(memory.offer.root(), xpath, attributes);
  const auto accepted = told(stanza, xpath, attributes);
  return !std::ranges::includes(offered, accepted);
}

// Time.

inline const Kind kUnanswered{.name = "an IQ of its own is not answered",
                              .breaks =
                                  [](const Memory& m, const Rule& rule, Node) {
                                    return std::ranges::any_of(
                                        m.requests, [&](const auto& request) {
                                          return m.now > request.second + rule.within;
                                        });
                                  },
                              .fault = {"/iq[@type='result']"}};
inline const Kind kNoRinging{.name = "no ringing",
                             .awaits = "/message/ringing",
                             .after = Act::propose,
                             .fault = {"/message/ringing"}};
inline const Kind kNoReceipt{.name = "no receipt for its proposal",
                             .awaits = "/message/received[starts-with(@id, 'jm-propose-')]",
                             .after = Act::propose,
                             .fault = {"/message/received"}};
inline const Kind kNoProceed{.name = "no proceed",
                             .awaits = "/message/proceed",
                             .after = Act::propose,
                             .fault = {"/message/proceed"}};
inline const Kind kNoAccept{
    .name = "no session-accept", .awaits = kAccept, .after = Act::initiate, .fault = {kAccept}};
inline const Kind kLateConnection{
    .name = "not connected in time",
    .breaks =
        [](const Memory& m, const Rule& rule, Node) {
          const auto* proceed = m.find("/message/proceed");
          const auto since = proceed ? std::optional(proceed->at) : m.when(Act::proceed);
          return since && !m.connected && !m.find("/message/finish") &&
                 m.now > *since + rule.within;
        },
    .fault = {kTerms}};
inline const Kind kNoContentAccept{.name = "no content-accept",
                                   .awaits = "/iq/jingle[@action='content-accept']/content",
                                   .after = Act::add_video,
                                   .fault = {"/iq/jingle[@action='content-accept']"}};
inline const Kind kBundleDissolved{
    .name = "a content-accept without the bundle",
    .dies_of = "/iq/jingle[@action='content-accept'][not(group)]",
    .fault = {"/iq/jingle[@action='content-accept']", [](Node iq) { remove_each(iq, "//group"); }}};
inline const Kind kNoRestart{.name = "an ICE restart is not answered with candidates",
                             .awaits = "/iq/jingle[@action='transport-info']//candidate",
                             .after = Act::restart,
                             .fault = {kTrickle}};
inline const Kind kNoRefusal{
    .name = "no refusal that its user can read",
    .awaits = "/iq/jingle[@action='session-terminate']/reason[security-error and text != '']",
    .after = Act::initiate,
    .fault = {kEnd, [](Node stanza) { remove_each(stanza, "//text"); }}};
inline const Kind kNoCall{.name = "no call after it said that it would take one",
                          .awaits = "/iq/jingle[@action='session-initiate'] | /message/finish",
                          .after = Act::proceed,
                          .fault = {kOffer}};
inline const Kind kAnswerNotRefused{.name = "no word to its user that its answer will not do",
                                    .awaits = kNoRefusal.awaits,
                                    .after = Act::accept,
                                    .fault = kNoRefusal.fault};

// Any stanza.

inline const Kind kError{.name = "an IQ of its own is refused",
                         .dies_of = "/iq[@type='error']",
                         .fault = {"/iq[@type='result']", [](Node iq) {
                                     set(iq, "type", "error");
                                     iq.append_child("error");
                                   }}};
inline const Kind kForeignSender{
    .name = "a request of the session from elsewhere",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          const std::string from = stanza.attribute("from").value();
          const bool known = m.called.empty() ? from.starts_with(m.room) : from == m.called;
          return finds(stanza, "/iq/jingle") && !known;
        },
    .fault = {"/iq/jingle", [](Node iq) { set(iq, "from", "room@mixer.localhost/elsewhere"); }}};
inline const Kind kBeforeAck{
    .name = "the session goes on before its session-initiate is acknowledged",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          return finds(stanza, "/iq/jingle") &&
                 m.requests.contains(m.offer.root().attribute("id").value());
        },
    .fault = {"/iq[@type='result']"}};
inline const Kind kTwoPayloads{
    .name = "an IQ with other than one child",
    .dies_of = "/iq[@type='set' or @type='get'][count(*) != 1]",
    .fault = {"/iq[@type='set']", [](Node iq) { iq.append_copy(iq.first_child()); }}};
inline const Kind kMisaddressed{
    .name = "ringing, proceed or reject to another JID than its full one",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          return finds(stanza, "/message[ringing or proceed or reject]") &&
                 stanza.attribute("to").value() != m.self;
        },
    .fault = {"/message[ringing or proceed]", [](Node message) {
                const std::string full = message.attribute("to").value();
                set(message, "to", full.substr(0, full.find('/')).c_str());
              }}};
inline const Kind kUnavailable{.name = "unavailable presence from the room",
                               .dies_of = "/presence[@type='unavailable']",
                               .fault = {"/message[body]", [](Node message) {
                                           message.set_name("presence");
                                           set(message, "type", "unavailable");
                                         }}};
inline const Kind kHungUpOn{
    .name = "it is hung up on",
    .breaks = [](const Memory& m, const Rule&,
                 Node stanza) { return finds(stanza, kEnd) && !m.may_be_ended; },
    .fault = {kEarly, [](Node iq) { set(iq.first_child(), "action", "session-terminate"); }}};
inline const Kind kRetracted{
    .name = "a proposal is taken back that it has taken",
    .breaks = [](const Memory& m, const Rule&,
                 Node stanza) { return m.when(Act::proceed) && finds(stanza, "/message/retract"); },
    .fault = {kOffer, [](Node iq) {
                iq.set_name("message");
                iq.remove_children();
                iq.append_child("retract");
              }}};

// The session-initiate.

inline const Kind kOfferUndecided{
    .name = "a session-initiate that does not leave open who starts DTLS",
    .dies_of = "/iq/jingle[@action='session-initiate']//fingerprint[not(@setup='actpass')]",
    .fault = {kOffer, [](Node iq) { set_each(iq, "//fingerprint", "setup", "active"); }}};
inline const Kind kOtherMedia{
    .name = "a session-initiate with other media than were proposed",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          const auto* proposal = m.find("/message/propose");
          return finds(stanza, kOffer) && proposal &&
                 told(proposal->stanza.root(), "//description", {"media"}) !=
                     told(stanza, "//description", {"media"});
        },
    .fault = {kOffer, [](Node iq) { set_each(iq, "//description", "media", "video"); }}};
inline const Kind kOtherSid{
    .name = "a session-initiate under another sid than was proposed",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          const auto* proposal = m.find("/message/propose");
          return finds(stanza, kOffer) && proposal && !m.find("/message/retract") &&
                 told(proposal->stanza.root(), "//propose", {"id"}) !=
                     told(stanza, "//jingle", {"sid"});
        },
    .fault = {kOffer, [](Node iq) { set(iq.first_child(), "sid", "another"); }}};
inline const Kind kNoOpus{
    .name = "a session-initiate without Opus as everybody has it",
    .dies_of =
        "/iq/jingle[@action='session-initiate']/content/description[not(payload-type["
        "@name='opus' and @clockrate='48000' and @channels='2'])]",
    .fault = {kOffer, [](Node iq) { remove_each(iq, "//payload-type[@name='opus']"); }}};
inline const Kind kNoMux{
    .name = "a session-initiate without rtcp-mux",
    .dies_of = "/iq/jingle[@action='session-initiate']/content/description[not(rtcp-mux)]",
    .fault = {kOffer, [](Node iq) { remove_each(iq, "//rtcp-mux"); }}};
inline const Kind kOddBundle{.name = "a session-initiate whose group is not its contents",
                             .breaks =
                                 [](const Memory&, const Rule&, Node stanza) {
                                   return finds(stanza, kOffer) &&
                                          finds(stanza, "/iq/jingle/group") &&
                                          told(stanza, "/iq/jingle/group/content", {"name"}) !=
                                              told(stanza, "/iq/jingle/content", {"name"});
                                 },
                             .fault = {kOffer, [](Node iq) {
                                         Node group = iq.first_child().append_child("group");
                                         set(group.append_child("content"), "name", "another");
                                       }}};
inline const Kind kSecondOffer{
    .name = "a second session-initiate",
    .breaks = [](const Memory& m, const Rule&,
                 Node stanza) { return finds(stanza, kOffer) && m.find(kOffer); },
    .fault = {"/iq[@type='result']", [](Node iq) {
                set(iq, "type", "set");
                set(iq.append_child("jingle"), "action", "session-initiate");
              }}};

// The session-accept, and some of it in a session-initiate, too.

inline const Kind kContentsChanged{
    .name = "contents accepted are not those offered",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          constexpr char kContents[] = "/iq/jingle/content";
          return finds(stanza, kAccept) && told(m.offer.root(), kContents, {"creator", "name"}) !=
                                               told(stanza, kContents, {"creator", "name"});
        },
    .fault = {kAccept, [](Node iq) {
                Node jingle = iq.first_child();
                set(jingle.append_copy(jingle.child("content")), "name", "another");
              }}};
inline const Kind kSendersNone{
    .name = "senders='none'",
    .dies_of = "//content[@senders='none']",
    .fault = {kTerms, [](Node iq) { set_each(iq, "//content", "senders", "none"); }}};
inline const Kind kUndecided{
    .name = "a session-accept that leaves open who starts DTLS",
    .dies_of =
        "/iq/jingle[@action='session-accept']//fingerprint[not(@setup='active' or "
        "@setup='passive')]",
    .fault = {kAccept, [](Node iq) { set_each(iq, "//fingerprint", "setup", "actpass"); }}};
inline const Kind kNotActive{
    .name = "a session-accept that is not DTLS client",
    .dies_of = "/iq/jingle[@action='session-accept']//fingerprint[@setup != 'active']",
    .fault = {kAccept, [](Node iq) { set_each(iq, "//fingerprint", "setup", "passive"); }}};
inline const Kind kNoFingerprint{
    .name = "a content without fingerprint",
    .dies_of =
        "/iq/jingle[@action='session-accept' or "
        "@action='session-initiate']/content[not(transport/fingerprint)]",
    .fault = {kTerms, [](Node iq) { remove_each(iq, "//fingerprint"); }}};
inline const Kind kPayloadChanged{
    .name = "a payload type that was not offered so",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          return adds(m, stanza, "//payload-type", {"id", "name", "clockrate", "channels"});
        },
    .fault = {kAccept, [](Node iq) { set_each(iq, "//payload-type", "name", "Opus"); }}};
inline const Kind kExtensionChanged{
    .name = "a header extension that was not offered so",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          return adds(m, stanza, "//rtp-hdrext", {"id", "uri"});
        },
    .fault = {kAccept, [](Node iq) {
                Node added = iq.select_node("//description").node().append_child("rtp-hdrext");
                set(added, "id", "13");
                set(added, "uri", "urn:3gpp:video-orientation");
              }}};
inline const Kind kMuxLost{
    .name = "rtcp-mux was offered and is not accepted",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          constexpr char kMuxed[] = "/iq/jingle/content[description/rtcp-mux]";
          return finds(stanza, kAccept) &&
                 told(m.offer.root(), kMuxed, {"name"}) != told(stanza, kMuxed, {"name"});
        },
    .fault = {kAccept, [](Node iq) { remove_each(iq, "//rtcp-mux"); }}};
inline const Kind kBundleApart{
    .name = "bundled contents with different transports",
    .breaks =
        [](const Memory&, const Rule&, Node stanza) {
          const auto pairs = told(stanza, "//content[description]/transport", {"ufrag", "pwd"});
          return finds(stanza, "/iq/jingle[@action='session-accept']/group") &&
                 pairs.count(*pairs.begin()) != pairs.size();
        },
    .fault = {kAccept, [](Node iq) {
                Node last = iq.select_node("//content[description][last()]/transport").node();
                set(last, "ufrag", "another");
              }}};
inline const Kind kBundleLost{.name = "a group was offered and is not accepted",
                              .breaks =
                                  [](const Memory& m, const Rule&, Node stanza) {
                                    return finds(stanza, kAccept) &&
                                           told(m.offer.root(), "//group/content", {"name"}) !=
                                               told(stanza, "//group/content", {"name"});
                                  },
                              .fault = {kAccept, [](Node iq) { remove_each(iq, "//group"); }}};
inline const Kind kEmptySource{
    .name = "a source's parameter without a value",
    .dies_of = "//source/parameter[not(@value) or @value='']",
    .fault = {kTerms, [](Node iq) { set_each(iq, "//source/parameter", "value", ""); }}};
inline const Kind kSecondAccept{
    .name = "a second session-accept",
    .breaks = [](const Memory& m, const Rule&,
                 Node stanza) { return finds(stanza, kAccept) && m.find(kAccept); },
    .fault = {kTrickle, [](Node iq) { set(iq.first_child(), "action", "session-accept"); }}};
inline const Kind kNoCandidates{
    .name = "no candidate has come before the end of the session-accept",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          return finds(stanza, kAccept) && !finds(stanza, "//candidate") && !m.find("//candidate");
        },
    .fault = {"//candidate", [](Node iq) { remove_each(iq, "//candidate"); }}};

// Candidates.

inline const Kind kTwoContentsTrickled{
    .name = "two contents in one transport-info",
    .dies_of = "/iq/jingle[@action='transport-info'][count(content) != 1]",
    .fault = {kTrickle,
              [](Node iq) { iq.first_child().append_copy(iq.select_node("//content").node()); }}};
inline const Kind kOddCandidate{
    .name = "a candidate over TCP, or with white space in its id or foundation",
    .dies_of =
        "//candidate[@protocol != 'udp' or contains(@id, ' ') or contains(@foundation, ' ')]",
    .fault = {"//candidate", [](Node iq) { set_each(iq, "//candidate", "protocol", "tcp"); }}};
// Of the session-accept, or, once it has asked for a restart, of nobody knows which.
inline const Kind kStrangeCredentials{
    .name = "candidates of other credentials than the session-accept's",
    .breaks =
        [](const Memory& m, const Rule&, Node stanza) {
          const auto pairs = [](Node of) {
            return told(of, "/iq/jingle/content/transport[@ufrag]", {"ufrag", "pwd"});
          };
          if (m.when(Act::restart)) return false;
          const auto* accept = m.find(kAccept);
          if (finds(stanza, kTrickle) && accept) {
            return !std::ranges::includes(pairs(accept->stanza.root()), pairs(stanza));
          }
          const auto* early = m.find(kTrickle);
          return finds(stanza, kAccept) && early &&
                 !std::ranges::includes(pairs(stanza), pairs(early->stanza.root()));
        },
    .fault = {kTrickle,
              [](Node iq) { set_each(iq, "//transport", "pwd", "anotheranother1234567890"); }}};

// Conference documents.

inline const Kind kAnyDocument{
    .name = "a conference document", .dies_of = kDocument, .fault = {kEarly, become_document}};
inline const Kind kEarlyDocument{
    .name = "a conference document before its media runs",
    .breaks = [](const Memory& m, const Rule&,
                 Node stanza) { return !m.connected && finds(stanza, kDocument); },
    .fault = {kEarly, become_document}};
inline const Kind kSecondDocument{
    .name = "a conference document after one that it refused",
    .breaks = [](const Memory& m, const Rule&,
                 Node stanza) { return m.documents_refused > 0 && finds(stanza, kDocument); },
    .fault = {"/iq[@type='result']", become_document}};
inline const Kind kDocumentPart{
    .name = "a conference document that lacks a part",
    .dies_of =
        "/iq/conference-info[not(@sid and @version and @entity and @state and "
        "conference-description and users)]",
    .fault = {kDocument, [](Node iq) { iq.first_child().remove_attribute("sid"); }}};
inline const Kind kFatalWord{
    .name = "a conference document with a word that ends its stream",
    .dies_of =
        "/iq/conference-info[.//disconnection-method or .//status[.='' or "
        ".='muted-via-focus'] or .//user[not(@entity)] or .//media[not(@id)]]",
    .fault = {kDocument, [](Node iq) {
                for (const auto& found : iq.select_nodes("//endpoint/status")) {
                  found.node().text().set("muted-via-focus");
                }
              }}};

}  // namespace peers
