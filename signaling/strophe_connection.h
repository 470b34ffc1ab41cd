// signaling/strophe_connection.h: XmppConnection over libstrophe 0.12.2, as a component (XEP-0114)
// or a client (RFC 6120, XEP-0198).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "signaling/jid.h"
#include "signaling/xmpp_connection.h"

namespace jingle {

struct StropheConfig {
  enum class Mode { component, client };
  // Client mode only (XEP-0114 has no TLS). `verify` and `trust_all` insist on TLS; `trust_all`
  // takes any certificate; `off` never uses it.
  enum class Tls { verify, trust_all, off };

  Mode mode = Mode::component;
  Jid jid;  // the component's domain; or bot@example.org/focus (no resource: the server's choice)
  std::string password;
  std::string host = {};   // empty: component 127.0.0.1; client: SRV records, else the domain
  std::uint16_t port = 0;  // 0: component 5347, client 5222
  Tls tls = Tls::verify;
  // From connect() until up, resolving and TLS included; and for a resumed session's first
  // acknowledgement.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(15);
  // One line of text, for what is neither a stanza nor the state of the connection (a refused
  // stanza). Called on the signaling thread, from pump().
  std::function<void(std::string_view line)> log = {};
};

// Stanzas come with every namespace explicit, jabber:client whichever the mode (XEP-0114's own
// namespace shows nowhere), attributes without namespace and xml:lang only. In client mode a stanza
// without `from` comes from our own account and gets its bare JID (RFC 6120 §8.1.2.1).
// Beyond limits.h, a stanza is dropped and logged, an IQ get or set answered with
// policy-violation; the stream survives.
// send(): no xmlns on the stanza itself. Backlog: limits in strophe_send_queue.h.
// Down::reason: the stream error's or SASL failure's condition where there was one.
// Threads: resolving, connecting and logging in happen on threads of its own, which end before
// on_up; connect(), pump() and the destructor never block on the network.
std::unique_ptr<XmppConnection> make_strophe_connection(StropheConfig config,
                                                        XmppConnection::Observer& observer);

}  // namespace jingle
