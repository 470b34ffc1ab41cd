// tests/e2e/real_client.h: callers that share no code with this project, driven by what say()
// tells: "dial JID", "mute", "unmute", "hold", "unhold", "hangup". Events: "online", "accepted",
// "connected", "document", "chat", "error" (that it got), "refused-iq" (by it), "ended" with the
// condition as detail and `text`.
#pragma once

#include "tests/e2e/world.h"

namespace e2e {

enum class Stack {
  chromium,  // browser/caller.mjs: headless Chromium with StanzaJS over WebSocket
  aiortc,    // foreign_caller.py: slixmpp and aiortc
};

struct TurnServer {
  std::string address;  // "HOST:PORT"
  std::string username, password;
};

class RealClient : public Call {
 public:
  struct Spec {
    std::string user;
    double hz;                          // plays that tone
    std::string address = "127.0.0.1";  // all that aiortc offers of its own
    std::string host = "127.0.0.1";     // of the server
    std::optional<TurnServer> turn = {};
  };
  // Why it cannot run here; empty when it can. What the browser's page needs of the npm registry is
  // fetched into the build tree unless it is there.
  static std::string missing(Stack stack);
  // What it hears is left in the build tree, in real_clients/ under the test's and the user's
  // names, with a screenshot of the browser's page.
  RealClient(Stack stack, const support::Prosody& prosody, const Spec& spec);

  // The last event of that name; null when it did not happen.
  call::Json last(const std::string& event) const;

 private:
  std::vector<std::string> chromium(const support::Prosody& prosody, const Spec& spec) const;
  std::vector<std::string> aiortc(const support::Prosody& prosody, const Spec& spec) const;
};

}  // namespace e2e
