// tests/support/fake_server.h: a scripted TCP server for what a real XMPP server never does, and
// its first lines as an XEP-0114 server.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "tests/support/net.h"

namespace support {

// Runs `script` for each connection, one after the other, on a thread of its own; the connection
// closes when the script returns. Its stream's deadlines bound how long the destructor waits.
class FakeServer {
 public:
  using Script = std::function<void(Stream&, FakeServer&)>;

  explicit FakeServer(Script script);
  explicit FakeServer(std::function<void(Stream&)> script);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::uint16_t port() const { return listener_.port(); }
  // Connections taken so far.
  int connections() const { return connections_; }
  // For scripts that wait for the test: true once allowed.
  void allow() { allowed_ = true; }
  bool allowed() const { return allowed_; }
  // What a script wants the test to know: the last call counts.
  void record(std::string text);
  // Waits for it.
  std::string recorded();

 private:
  Listener listener_;
  const Script script_;
  std::atomic<bool> stopped_ = false, allowed_ = false;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::optional<std::string> recorded_;  // guarded by mutex_
  std::thread thread_;
};

// Plays the server's part of XEP-0114 §3 up to <handshake/>, whatever the secret. False: the peer
// went away.
bool accept_component(Stream& stream, const std::string& domain = "mixer.localhost");

}  // namespace support
