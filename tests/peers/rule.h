// tests/peers/rule.h: what a client says, what it remembers of a call, and what it dies of. Values;
// one thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "signaling/stanza.h"

namespace peers {

using TimePoint = std::chrono::steady_clock::time_point;
using Node = pugi::xml_node;

// What a step of a script does.
enum class Act {
  propose,    // XEP-0353 §3.1, to the room's bare JID
  initiate,   // to who proceeded, or directly
  ring,       // to who proposes or calls
  proceed,    // XEP-0353 §3.2, to who proposes
  accept,     // what it is called with
  decline,    // by message or session-terminate
  trickle,    // XEP-0176 §5.6, without waiting for anything
  tell,       // what changes nothing in the mix
  mute,       // he is not mixed
  unmute,     // he is mixed, and hears
  hold,       // he is not mixed and hears nothing
  restart,    // XEP-0176 §5.9
  add_video,  // XEP-0166 §7.2.2
  hang_up,
};

// A call so far, as the client remembers it.
struct Memory {
  struct Heard {
    TimePoint at;
    jingle::Xml stanza;
  };
  std::string self, room, called;  // JIDs: full, bare, and where the session is
  TimePoint now{};
  std::map<Act, TimePoint> said;              // when last
  std::map<std::string, TimePoint> requests;  // its IQs that are not answered yet, by id
  std::vector<Heard> heard;                   // what the mixer sent, answers excepted
  jingle::Xml offer;                          // the <iq/>, whosever it is
  std::optional<TimePoint> connected;
  bool may_be_ended = false;
  int documents_refused = 0;

  // The first stanza heard at `since` or later in which the XPath finds something; nullptr: none.
  const Heard* find(const char* xpath, TimePoint since = {}) const;
  std::optional<TimePoint> when(Act act) const;
};

// Something done to the mixer's stanzas on their way.
struct Fault {
  const char* on;                         // XPath: to those in which it finds something
  void (*change)(Node stanza) = nullptr;  // nullptr: they are lost
};

struct Rule;

// One way to lose a client, whichever client it is.
struct Kind {
  const char* name;
  // One of these. XPath: found in a stanza of the mixer's; to be found in one within Rule::within
  // of `after`; a judgement of a stanza, or, with a null one, of the time that has passed.
  const char* dies_of = nullptr;
  const char* awaits = nullptr;
  Act after = Act::initiate;
  bool (*breaks)(const Memory& memory, const Rule& rule, Node stanza) = nullptr;
  Fault fault;  // what this must notice
};

struct Rule {
  const Kind* kind;
  const char* fact;  // why the client gives up
  std::chrono::seconds within{0};

  // Whether `stanza`, which is not in the memory yet, ends the call; null: whether the time does.
  bool broken(const Memory& memory, Node stanza) const;
  // Whether there is something in the way of the next step: it is awaited and not there.
  bool pending(const Memory& memory) const;
};

}  // namespace peers
