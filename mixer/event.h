// mixer/event.h: what can happen to the focus. Values.
#pragma once

#include <variant>

#include "media/media_engine.h"
#include "signaling/stanza.h"
#include "signaling/xmpp_connection.h"

namespace mixer {

struct IqReceived {
  jingle::Iq iq;
};  // get or set: is answered exactly once
struct IqAnswered {
  jingle::Iq iq;
};  // result or error
struct MessageReceived {
  jingle::Message message;
};
struct PresenceReceived {
  jingle::Presence presence;
};
struct ConnectionUp {
  jingle::XmppConnection::Up up;
};
struct ConnectionDown {};
struct DeadlinePassed {};
struct ShutdownRequested {};  // SIGTERM: end every call with a reason

using Event = std::variant<IqReceived, IqAnswered, MessageReceived, PresenceReceived, ConnectionUp,
                           ConnectionDown, media::Event, DeadlinePassed, ShutdownRequested>;

}  // namespace mixer
