// signaling/jingle_message.h: Jingle Message Initiation (XEP-0353 0.8). Values and their codec; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "signaling/jingle.h"
#include "signaling/stanza.h"

namespace jingle::jmi {

struct Propose {
  std::vector<std::string> media;  // of its RTP descriptions
  bool operator==(const Propose&) const = default;
};
struct Ringing {
  bool operator==(const Ringing&) const = default;
};
struct Proceed {
  bool operator==(const Proceed&) const = default;
};
struct Reject {
  Reason reason;
  bool tie_break = false;
  bool operator==(const Reject&) const = default;
};
struct Retract {
  Reason reason;
  bool tie_break = false;
  bool operator==(const Retract&) const = default;
};
struct Finish {
  Reason reason;
  std::string migrated_to;  // empty: not migrated
  bool operator==(const Finish&) const = default;
};
using Payload = std::variant<Propose, Ringing, Proceed, Reject, Retract, Finish>;

struct Event {
  Sid id;
  Payload payload;
  bool operator==(const Event&) const = default;
};

// nullopt: no JMI in it, or malformed, or one to ignore whatever the state (`accept` of before
// 0.6, groupchat, an error). Delay and addressing are the caller's to judge.
std::optional<Event> parse(const Message& message);
// The children of <message type='chat'/>: the element and <store xmlns='urn:xmpp:hints'/>.
std::string write(const Event& event);

}  // namespace jingle::jmi
