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

class RealClient : public Call {
 public:
  // Why it cannot run here; empty when it can. What the browser's page needs of the npm registry is
  // fetched into the build tree unless it is there.
  static std::string missing(Stack stack);
  // Plays that tone; `address` is all that aiortc offers of its own. What it hears is left in the
  // build tree, in real_clients/ under the test's name, with a screenshot of the browser's page.
  RealClient(Stack stack, const support::Prosody& prosody, const std::string& user, double hz,
             const std::string& address = "127.0.0.1");

  // The last event of that name; null when it did not happen.
  call::Json last(const std::string& event) const;

 private:
  std::vector<std::string> chromium(const support::Prosody& prosody, double hz) const;
  std::vector<std::string> aiortc(const support::Prosody& prosody, double hz,
                                  const std::string& address) const;
};

}  // namespace e2e
