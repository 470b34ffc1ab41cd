// media/gst/ice_gate.h: stands between an ICE component's sockets and libnice 0.1.21, which
//   - reads a socket as long as there is something to read: whoever sends faster than it reads has
//     the I/O thread for himself, and all other legs of it are mute. Here a flood waits after
//     kAtATime datagrams until the others had their turn;
//   - must not see what stun_screen.h refuses;
//   - believes where a peer says that a check came from (RFC 8445 §7.2.5.3.1) and aborts when its
//     books of such local peer-reflexive candidates do not tally any more. Nothing is sent from
//     them that would not be sent from their base, so here the check came from its socket.
//
// It cannot be asked for any of that, so functions it calls are interposed (ice_gate.cc).
// Everything on the thread that reads the sockets.
#pragma once

#include <gio/gio.h>

#include <cstddef>
#include <memory>

#include "media/stun_screen.h"

namespace media::gst {

class IceGate {
 public:
  // 64 checks take libnice 2 ms.
  static constexpr std::size_t kAtATime = 64;

  // From now on `socket`, which is bound, is read through `gate`, as long as it lives.
  static void install(GSocket* socket, std::shared_ptr<IceGate> gate);

  // A pair is selected: the peer may withdraw its consent.
  void selected() { selected_ = true; }
  // The component has failed: checks and their answers count no more.
  void shut() { shut_ = true; }

 private:
  friend struct IceGateHooks;
  bool admits(Screened screened) const;

  bool selected_ = false, shut_ = false;
  std::size_t in_a_row_ = 0;  // datagrams, without a pause
};

}  // namespace media::gst
