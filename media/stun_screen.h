// media/stun_screen.h: which STUN of a peer's an ICE agent may see (RFC 8489, RFC 8445). An agent
// trusts whoever knows its password; libnice 0.1.21 so far that the process ends
//   - when the answer to a check has room for its long USERNAME but not for the integrity (assert);
//   - when a check is answered with 403 before a pair is selected (a null pointer is followed).
// Of a MESSAGE-INTEGRITY that is too short it reads more than there is, of an error without a code
// one that nobody has written; an indication it takes for the answer to the check whose transaction
// it names. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace media {

enum class Screened {
  other,          // no STUN (RFC 7983 §7): sound, DTLS, a TURN server's ChannelData
  check,          // a Binding request that can do no harm
  answer,         // to a Binding request, that can do no harm to who asked
  forbidden,      // the same; consent is withdrawn (RFC 7675 §5.2)
  server_answer,  // to another request: a TURN server's
  refused,        // what no agent needs to see
};

// `message`: a datagram, or what a TURN server wrapped.
Screened screen_stun(std::span<const std::uint8_t> message);

// What is wrapped for a TURN server, or by it (RFC 8656 §11, §12).
std::optional<std::span<const std::uint8_t>> unwrap_turn(std::span<const std::uint8_t> datagram);

// Cookie and transaction (RFC 8489 §5); all of it is the transaction in RFC 3489, which libnice
// speaks to STUN servers.
using StunId = std::array<std::uint8_t, 16>;
// Requires: screen_stun() has neither refused `message` nor found something else in it.
StunId stun_id(std::span<const std::uint8_t> message);
// Of a request, whatever is in it.
std::optional<StunId> stun_request_id(std::span<const std::uint8_t> message);
// The first of that type; nullopt: none, or no STUN message.
std::optional<std::span<const std::uint8_t>> stun_attribute(std::span<const std::uint8_t> message,
                                                            unsigned type);

}  // namespace media
