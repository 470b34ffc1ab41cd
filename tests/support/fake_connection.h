// tests/support/fake_connection.h: an XMPP connection without a network. The test says what the
// server does; what was sent is kept in order.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "signaling/xmpp_connection.h"

namespace jingle {

class FakeConnection : public XmppConnection {
 public:
  explicit FakeConnection(Observer* observer) : observer_(observer) {}

  struct Sent {
    Priority priority = Priority::normal;
    std::string xml;
  };

  // The server's side.
  void come_up(std::string_view jid) {
    up_ = true;
    observer_->on_up({*Jid::parse(jid), false});
  }
  void go_down(std::string reason, bool wrong_password = false) {
    up_ = false;
    observer_->on_down({std::move(reason), wrong_password});
  }
  // Requires: `text` is a stanza.
  void receive(std::string_view text) { observer_->on_stanza(*read_stanza(*Xml::parse(text))); }

  void connect() override { ++connects; }
  void disconnect() override { ++disconnects; }
  bool send(Priority priority, std::string xml) override {
    if (!up_ || xml.size() > max_bytes || (full && priority == Priority::normal)) return false;
    sent.push_back({priority, std::move(xml)});
    return true;
  }
  int poll_fd() const override { return fd; }
  short poll_events() const override { return 1; }  // POLLIN
  std::chrono::milliseconds poll_timeout() const override { return timeout; }
  void pump() override { ++pumps; }

  std::vector<Sent> sent;
  int connects = 0, disconnects = 0, pumps = 0;
  int fd = -1;
  std::size_t max_bytes = 1 << 20;
  bool full = false;  // of what is not urgent
  std::chrono::milliseconds timeout{1000};

 private:
  Observer* observer_;
  bool up_ = false;
};

}  // namespace jingle
