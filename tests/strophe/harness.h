// tests/strophe/harness.h: a connection, what its observer saw, and an event loop around it.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "signaling/strophe_connection.h"

namespace jingle {

using namespace std::chrono_literals;

struct Recorder : XmppConnection::Observer {
  std::vector<XmppConnection::Up> ups;
  std::vector<XmppConnection::Down> downs;
  std::vector<Stanza> stanzas;

  void on_up(const XmppConnection::Up& up) override { ups.push_back(up); }
  void on_down(const XmppConnection::Down& down) override { downs.push_back(down); }
  void on_stanza(Stanza stanza) override { stanzas.push_back(std::move(stanza)); }

  // The first stanza of that kind and id; nullptr: not there (yet).
  template <typename T>
  const T* find(const std::string& id) const {
    for (const Stanza& stanza : stanzas) {
      const T* typed = std::get_if<T>(&stanza);
      if (typed && typed->id == id) return typed;
    }
    return nullptr;
  }
};

struct Peer {
  explicit Peer(StropheConfig config) {
    config.log = [this](std::string_view line) { log.emplace_back(line); };
    connection = make_strophe_connection(std::move(config), seen);
  }

  // One turn of an event loop that polls no longer than `longest` and no shorter than the
  // connection asks for, but for "at once".
  void turn(std::chrono::milliseconds longest = 1000ms) {
    const auto asked = connection->poll_timeout();
    pollfd entry{connection->poll_fd(), connection->poll_events(), 0};
    ::poll(&entry, 1, static_cast<int>(std::min(asked, longest).count()));
    connection->pump();
  }

  // True as soon as `condition` holds.
  bool run_until(const std::function<bool()>& condition,
                 std::chrono::milliseconds within = 30000ms) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    while (!condition()) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      turn(20ms);
    }
    return true;
  }

  // The same without any timer but "at once": false also when the socket stayed silent for a
  // minute.
  bool run_without_timers(const std::function<bool()>& condition) {
    while (!condition()) {
      const bool at_once = connection->poll_timeout() == 0ms;
      pollfd entry{connection->poll_fd(), connection->poll_events(), 0};
      if (::poll(&entry, 1, at_once ? 0 : 60000) == 0 && !at_once) return false;
      connection->pump();
    }
    return true;
  }

  bool up() {
    const auto before = seen.ups.size();
    const auto downs = seen.downs.size();
    connection->connect();
    run_until([&] { return seen.ups.size() > before || seen.downs.size() > downs; });
    return seen.ups.size() > before;
  }
  bool down() {
    const auto before = seen.downs.size();
    return run_until([&] { return seen.downs.size() > before; });
  }
  std::string last_reason() const { return seen.downs.empty() ? "" : seen.downs.back().reason; }

  Recorder seen;
  std::vector<std::string> log;
  std::unique_ptr<XmppConnection> connection;
};

inline StropheConfig component(std::uint16_t port, std::string secret = "secret") {
  return {.mode = StropheConfig::Mode::component,
          .jid = *Jid::parse("mixer.localhost"),
          .password = std::move(secret),
          .host = "127.0.0.1",
          .port = port};
}

inline StropheConfig client(std::uint16_t port, const std::string& jid = "bot@localhost/focus",
                            StropheConfig::Tls tls = StropheConfig::Tls::off) {
  return {.mode = StropheConfig::Mode::client,
          .jid = *Jid::parse(jid),
          .password = "pw",
          .host = "127.0.0.1",
          .port = port,
          .tls = tls};
}

}  // namespace jingle
