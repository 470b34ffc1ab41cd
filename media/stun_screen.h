// media/stun_screen.h: which datagrams of a peer an ICE agent may see (RFC 8489, RFC 8445). An
// agent trusts whoever knows its password; libnice 0.1.21 so far that the process ends
//   - when the answer to a check has room for its long USERNAME but not for the integrity (assert);
//   - when a check is answered with 403 before a pair is selected (a null pointer is followed).
// Of a MESSAGE-INTEGRITY that is too short it reads more than there is, of an error without a code
// one that nobody has written. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>

namespace media {

enum class Screened {
  other,      // no Binding message: sound, DTLS, a TURN server's answers
  binding,    // one that can do no harm
  forbidden,  // consent withdrawn (RFC 7675 §5.2): for an agent that has selected a pair
  refused,    // one that no agent needs to see
};

// `datagram` as it comes from the network. What a TURN server wraps (RFC 8656 §11.4, §12.4) is
// judged by what is inside.
Screened screen_stun(std::span<const std::uint8_t> datagram);

}  // namespace media
