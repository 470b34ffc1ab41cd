// Fuzz target: a datagram before an ICE agent sees it. What passes is as the agent takes it for
// granted, and everything that is found in a datagram lies in it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "media/limits.h"
#include "media/stun_screen.h"

namespace {

using Bytes = std::span<const std::uint8_t>;
using media::Screened;

void require(bool holds) {
  if (!holds) std::abort();
}

void require_inside(Bytes whole, Bytes part) {
  if (part.empty()) return;
  require(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// RFC 8489 §14.5, §14.7, §14.8.
void check_attributes(Bytes message) {
  for (unsigned type = 0; type < 0x30; ++type) {
    for (const unsigned space : {0U, 0x8000U}) {
      const auto value = media::stun_attribute(message, type | space);
      if (value) require_inside(message, *value);
    }
  }
}

void check(Bytes message, Screened screened) {
  require((screened == Screened::other) == (message.size() < 20 || message[0] >= 4));
  check_attributes(message);
  if (screened == Screened::other || screened == Screened::refused) return;
  (void)media::stun_id(message);
  require((screened == Screened::check) == media::stun_request_id(message).has_value());
  if (screened == Screened::server_answer) return;
  require(message.size() <= media::limits::kMaxBindingBytes);
  const auto integrity = media::stun_attribute(message, 0x0008);
  const auto fingerprint = media::stun_attribute(message, 0x8028);
  const auto error = media::stun_attribute(message, 0x0009);
  require(!integrity || integrity->size() == 20);
  require(!fingerprint || fingerprint->data() + 4 == message.data() + message.size());
  require(!error || error->size() >= 4);
  require(screened != Screened::forbidden || (error && (*error)[2] % 8 == 4 && (*error)[3] == 3));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes datagram(data, size);
  check(datagram, media::screen_stun(datagram));
  if (const auto wrapped = media::unwrap_turn(datagram)) {
    require_inside(datagram, *wrapped);
    check(*wrapped, media::screen_stun(*wrapped));
  }
  return 0;
}
