// media/gst/ice_gate.h: stands between an ICE component's sockets and libnice 0.1.21, which
//   - reads a socket as long as there is something to read: whoever sends faster than it reads has
//     the I/O thread for himself, and all other legs of it are mute. Here a flood waits after
//     kAtATime datagrams until the others had their turn;
//   - must not see what stun_screen.h refuses;
//   - takes an answer to a check for one wherever it arrives, and believes where a peer says that
//     the check came from (RFC 8445 §7.2.5.2.1, §7.2.5.3.1): of either it makes local candidates
//     and pairs beside those it has, and aborts when its books of them do not tally any more. Here
//     an answer passes only on the socket that has asked, direct or through the TURN server that
//     the request went through, and says that the check came from the candidate that sent it;
//   - takes a check without FINGERPRINT for one of RFC 3489, which needs no password, as long as a
//     STUN server has not answered: anybody could have it check any address. Here it is ignored;
//   - remembers each check until it is answered, and makes no more when it remembers 200: so many
//     lost datagrams, and consent ends. Here one of them is forgotten for each that is made.
//
// It does not tell of what came, either: the gate notes when the peer was heard and consented.
//
// It cannot be asked for any of that, so functions it calls are interposed (ice_gate.cc).
// Everything on the thread that reads the sockets.
#pragma once

#include <gio/gio.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "media/stun_screen.h"

namespace media::gst {

class IceGate {
 public:
  // 64 checks take libnice 2 ms.
  static constexpr std::size_t kAtATime = 64;
  // Requests of one socket whose answers are awaited, 17 bytes each; libnice has room for 200. When
  // there are more the oldest is given up.
  static constexpr std::size_t kAsked = 256;

  using TimePoint = std::chrono::steady_clock::time_point;

  // `heard` is told of each check and each answer that the peer's or our password proves. It is
  // called within libnice and must not call it.
  explicit IceGate(std::function<void()> heard) : heard_(std::move(heard)) {}

  // From now on `socket`, which is bound, is used through `gate`, as long as it lives.
  static void install(GSocket* socket, std::shared_ptr<IceGate> gate);

  // A pair is selected, whose checks are consent (RFC 7675 §5.1); the peer may withdraw it.
  void selected();
  // When the selected pair answered last, or was selected. Answers to checks of other pairs are
  // none: else a peer could keep us sending to where it is no more.
  TimePoint consented() const { return consented_; }
  // The component has failed: checks and their answers count no more.
  void shut();

 private:
  friend struct IceGateHooks;

  void proved(bool answer);

  std::function<void()> heard_;
  bool selected_ = false, shut_ = false;
  TimePoint consented_{}, consented_before_{};  // the latter: before the datagram at hand
  std::size_t in_a_row_ = 0;                    // datagrams, without a pause
};

}  // namespace media::gst
