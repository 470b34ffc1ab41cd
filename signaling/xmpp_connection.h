// signaling/xmpp_connection.h: SEAM to the XMPP server (RFC 6120, XEP-0114). One screen; faked in
// tests. Everything is called on the signaling thread, and observers are called from pump() on it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "signaling/stanza.h"

namespace jingle {

// Jingle and JMI overtake Coin and presence in the send queue.
enum class Priority { urgent, normal };

class XmppConnection {
 public:
  struct Up {
    Jid jid;               // what we are: the component's domain, or the bound full JID
    bool resumed = false;  // XEP-0198: nothing was lost
  };
  struct Down {
    std::string reason;           // for the log: "not-authorized", "connection refused", ...
    bool wrong_password = false;  // trying again at once is useless
  };
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void on_up(const Up& up) = 0;
    virtual void on_down(const Down& down) = 0;
    // Has `from` and `to`, also where RFC 6120 §8.1 lets the server leave them out.
    virtual void on_stanza(Stanza stanza) = 0;
  };

  virtual ~XmppConnection() = default;

  // Starts to connect; never blocks. on_up or on_down follows. Requires: not connected or
  // connecting.
  virtual void connect() = 0;
  // Sends what is queued, closes the stream; on_down follows.
  virtual void disconnect() = 0;
  // One whole stanza as text. False: not connected, over limits::kMaxStanzaBytes, or the backlog is
  // full (it is then dropped; the caller decides what that means).
  virtual bool send(Priority priority, std::string xml) = 0;

  // For the event loop: poll these, then pump(). poll_fd() may be -1 while resolving. pump() is
  // also due at poll_timeout.
  virtual int poll_fd() const = 0;
  virtual short poll_events() const = 0;
  virtual std::chrono::milliseconds poll_timeout() const = 0;
  virtual void pump() = 0;
};

}  // namespace jingle
