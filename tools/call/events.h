// tools/call/events.h: what happens to a caller and what it wants done about it. Values; any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "media/media_engine.h"
#include "signaling/stanza.h"
#include "signaling/xmpp_connection.h"
#include "tools/call/json.h"

namespace call {

using TimePoint = std::chrono::steady_clock::time_point;

// Events.
struct Online {
  jingle::Jid jid;
};
struct Offline {  // a call that is connected survives it
  std::string reason;
};
struct StanzaReceived {
  jingle::Stanza stanza;
};
struct UserAsked {
  enum class What {
    mute,
    unmute,
    hold,
    unhold,
    digit,
    focus,
    no_focus,
    document,
    restart,
    hang_up
  };
  What what = What::hang_up;
  char digit = '0';
  std::string text = {};  // a document's: as typed its file, as given to a caller its XML;
                          // restart: the local address to move to
};
struct DeadlinePassed {};
using Event =
    std::variant<Online, Offline, StanzaReceived, media::Event, UserAsked, DeadlinePassed>;

// Commands, to be carried out in order.
struct Send {
  jingle::Priority priority = jingle::Priority::urgent;
  std::string xml;
};
struct OpenLeg {
  bool rtcp_mux = true;
  bool ice_controlling = true;  // XEP-0176 §5.1: the initiator
  std::uint8_t opus_payload_type = 111;
  bool stereo = false;
};
struct ConnectLeg {
  media::LegRemote remote;
};
struct AddRemoteCandidates {
  std::vector<media::IceCandidate> candidates;
};
struct RestartIce {  // media::gst::IceRestart
  std::optional<media::IceCredentials> remote;
  std::vector<std::string> moved_to = {};
};
struct CloseLeg {};
struct SetSending {
  bool sending = true;
};
struct PressKey {
  char digit = '0';
};
struct Reconnect {};
struct Disconnect {};
struct Tell {  // for those who watch: what happened, and its detail (a document, the roster, a
               // reason)
  std::string event;
  Json detail;
};
using Command = std::variant<Send, OpenLeg, ConnectLeg, AddRemoteCandidates, RestartIce, CloseLeg,
                             SetSending, PressKey, Reconnect, Disconnect, Tell>;
using Commands = std::vector<Command>;

}  // namespace call
