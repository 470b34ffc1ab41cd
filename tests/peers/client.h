// tests/peers/client.h: a client as a value: what it says, in which order, and what it dies of.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tests/peers/rule.h"

namespace peers {

struct Step {
  Act act;
  // The whole stanza as the client sends it. JIDs, ids, ICE and DTLS values are replaced.
  std::string stanza;
};

struct Client {
  // capture: its session-initiate was taken from the wire. source: it was written after its source
  // code, and no such client has shown that it is right.
  enum class Basis { capture, source };

  std::string name;  // a word, as tests are called
  Basis basis;
  std::string disco;         // the identity and features it answers disco#info with
  std::vector<Step> script;  // it calls
  // It is called: its user takes the call that was proposed to it (XEP-0353), or that comes without
  // a proposal; empty: no such call reaches him. Or he declines.
  std::vector<Step> proposed_to = {}, called = {}, declines = {};
  std::vector<Rule> rules;              // when it calls
  std::vector<Rule> called_rules = {};  // and when it is called
  // XPath: IQs of ours that it leaves unanswered, and those that it refuses. The others it
  // acknowledges.
  const char* silent_to = nullptr;
  const char* refuses = nullptr;
  bool sends_receipts = false;  // for each message that asks, whatever it is (XEP-0184)
  bool joins = true;            // false: it has no encryption that we speak
};

enum class Part { calls, is_proposed_to, is_called, declines };
const std::vector<Step>& script(const Client& client, Part part);

inline void PrintTo(const Client& client, std::ostream* out) { *out << client.name; }

// All of them.
const std::vector<Client>& clients();

}  // namespace peers
