// signaling/jingle.h: Jingle requests (XEP-0166 §7) as values, one type per shape of action, and
// their codec. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "signaling/jid.h"
#include "signaling/jingle_ice.h"
#include "signaling/jingle_rtp.h"
#include "signaling/stanza.h"
#include "signaling/stanza_error.h"

namespace jingle {

struct Sid {
  std::string value;
  auto operator<=>(const Sid&) const = default;
};

enum class Action {
  content_accept,
  content_add,
  content_modify,
  content_reject,
  content_remove,
  description_info,
  security_info,
  session_accept,
  session_info,
  session_initiate,
  session_terminate,
  transport_accept,
  transport_info,
  transport_reject,
  transport_replace
};
std::string_view to_string(Action);

enum class Creator { initiator, responder };
enum class Senders { both, initiator, none, responder };

struct Unsupported {  // a description or transport of another namespace
  std::string ns;
  bool operator==(const Unsupported&) const = default;
};

struct Content {
  Creator creator = Creator::initiator;
  std::string name;
  Senders senders = Senders::both;
  std::string disposition = "session";
  std::variant<std::monostate, RtpDescription, Unsupported> description;
  std::variant<std::monostate, IceUdpTransport, Unsupported> transport;
  bool operator==(const Content&) const = default;

  const RtpDescription* rtp() const { return std::get_if<RtpDescription>(&description); }
  const IceUdpTransport* ice() const { return std::get_if<IceUdpTransport>(&transport); }
};

struct Group {  // XEP-0338
  std::string semantics;
  std::vector<std::string> names;
  bool operator==(const Group&) const = default;
};

struct Reason {                       // §7.4
  std::string condition = "success";  // parsed: empty when the peer gave none
  std::string text;
  std::string alternative_sid;  // for alternative-session
  std::string rtp_error;        // crypto-required or invalid-crypto (XEP-0167 §7)
  bool operator==(const Reason&) const = default;
};

struct SessionInitiate {
  std::string initiator;  // as sent: absent, bare and foreign occur
  std::vector<Content> contents;
  std::vector<Group> groups;
  std::optional<bool> isfocus;  // XEP-0298 §5
  bool operator==(const SessionInitiate&) const = default;
};
struct SessionAccept {
  std::string responder;
  std::vector<Content> contents;
  std::vector<Group> groups;
  std::optional<bool> isfocus;
  bool operator==(const SessionAccept&) const = default;
};
struct SessionTerminate {
  Reason reason;
  bool operator==(const SessionTerminate&) const = default;
};
struct Ping {
  bool operator==(const Ping&) const = default;
};  // empty session-info (§6.8)
struct FocusInfo {
  bool isfocus = true;
  bool operator==(const FocusInfo&) const = default;
};
struct UnknownInfo {  // a payload of a namespace nobody here knows: unsupported-info (§6.8)
  std::string ns, name;
  bool operator==(const UnknownInfo&) const = default;
};
struct SessionInfo {
  std::variant<Ping, RtpInfo, FocusInfo, UnknownInfo> payload;
  bool operator==(const SessionInfo&) const = default;
};
struct TransportInfo {
  std::vector<Content> contents;                      // names and transports only
  std::optional<UnknownInfo> unknown = std::nullopt;  // a foreign payload instead of contents
  bool operator==(const TransportInfo&) const = default;
};
// The remaining actions carry contents and at most a reason; `action` tells which.
struct ContentAction {  // content-*, transport-replace/-accept/-reject, description-info
  Action action = Action::content_add;
  std::vector<Content> contents;
  std::optional<Reason> reason;
  // In a description-info: a foreign payload instead of contents.
  std::optional<UnknownInfo> unknown = std::nullopt;
  std::vector<Group> groups = {};  // of the whole session as it would be then (XEP-0338)
  bool operator==(const ContentAction&) const = default;
};
struct SecurityInfo {
  bool operator==(const SecurityInfo&) const = default;
};

using Payload = std::variant<SessionInitiate, SessionAccept, SessionTerminate, SessionInfo,
                             TransportInfo, ContentAction, SecurityInfo>;

struct Request {
  Sid sid;
  Payload payload;
  bool operator==(const Request&) const = default;
};
Action action_of(const Payload& payload);

// `jingle` is the <jingle/> element. bad-request (XEP-0166 §7.2) for a missing or unknown action,
// no sid, a content without name or with another's name, a second description or transport in one,
// an accept or a content action without contents, no content with disposition session in a
// session-initiate, anything beyond limits.h. Other payloads of a session-info or transport-info
// are for the session to refuse, since an unknown sid is the graver error.
Result<Request> parse_jingle(const pugi::xml_node& jingle);
// The <jingle/> element as text, attributes and order as XEP-0166's schema has them.
// Law: parse_jingle(write_jingle(r)) == r, but for remote_candidate, which is never written.
// tests/signaling/jingle_property_test.cc
std::string write_jingle(const Request& request);

}  // namespace jingle
