#include "media/stun_screen.h"

#include <algorithm>
#include <cstddef>

#include "media/limits.h"

namespace media {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kHeaderBytes = 20;
constexpr std::uint32_t kCookie = 0x2112A442;
constexpr unsigned kBinding = 0x001, kSend = 0x006, kData = 0x007;   // methods
constexpr unsigned kRequest = 0, kIndication = 1, kError = 3;        // classes
constexpr unsigned kMessageIntegrity = 0x0008, kErrorCode = 0x0009;  // attributes
constexpr unsigned kDataAttribute = 0x0013, kFingerprint = 0x8028;
constexpr int kForbidden = 403;

unsigned u16(Bytes bytes, std::size_t at) {
  return static_cast<unsigned>(bytes[at]) << 8 | bytes[at + 1];
}

// RFC 7983 §7.
bool is_stun(Bytes datagram) { return datagram.size() >= kHeaderBytes && datagram[0] < 4; }
bool has_cookie(Bytes message) {
  return (std::uint32_t{u16(message, 4)} << 16 | u16(message, 6)) == kCookie;
}
unsigned method_of(Bytes message) {
  const unsigned type = u16(message, 0);
  return (type & 0x3E00) >> 2 | (type & 0x00E0) >> 1 | (type & 0x000F);
}
unsigned class_of(Bytes message) {
  const unsigned type = u16(message, 0);
  return (type & 0x0100) >> 7 | (type & 0x0010) >> 4;
}

// Calls visit(type, value) for each attribute (§14) until it returns false. False: that, or a
// length lies.
template <typename Visit>
bool each_attribute(Bytes message, Visit visit) {
  if (u16(message, 2) != message.size() - kHeaderBytes) return false;
  auto rest = message.subspan(kHeaderBytes);
  while (!rest.empty()) {
    if (rest.size() < 4) return false;
    const std::size_t length = u16(rest, 2), padded = (length + 3) / 4 * 4;
    if (rest.size() - 4 < padded) return false;
    const bool last = rest.size() - 4 == padded;
    if (!visit(u16(rest, 0), rest.subspan(4, length), last)) return false;
    rest = rest.subspan(4 + padded);
  }
  return true;
}

Screened screen_binding(Bytes message) {
  if (message.size() > limits::kMaxBindingBytes) return Screened::refused;
  std::size_t count = 0;
  std::optional<int> error;
  const bool sound = each_attribute(message, [&](unsigned type, Bytes value, bool last) {
    if (++count > limits::kMaxStunAttributes) return false;
    switch (type) {
      case kMessageIntegrity: return value.size() == 20;
      case kFingerprint: return value.size() == 4 && last;
      case kErrorCode:  // §14.8: 300 to 699
        if (error || value.size() < 4 || (value[2] & 7) < 3 || (value[2] & 7) > 6 ||
            value[3] > 99) {
          return false;
        }
        error = (value[2] & 7) * 100 + value[3];
        return true;
      default: return true;
    }
  });
  const bool names_its_error = class_of(message) != kError || error;
  if (!sound || !names_its_error) return Screened::refused;
  if (class_of(message) == kRequest) return Screened::check;
  return error == kForbidden ? Screened::forbidden : Screened::answer;
}

}  // namespace

Screened screen_stun(Bytes message) {
  if (!is_stun(message)) return Screened::other;
  switch (class_of(message)) {
    case kRequest:
      if (method_of(message) != kBinding || !has_cookie(message)) return Screened::refused;
      return screen_binding(message);
    case kIndication: return Screened::refused;  // a keepalive (RFC 8445 §11) asks for nothing
    default:
      return method_of(message) == kBinding ? screen_binding(message) : Screened::server_answer;
  }
}

std::optional<Bytes> unwrap_turn(Bytes datagram) {
  if (datagram.size() >= 4 && datagram[0] >= 0x40 && datagram[0] < 0x80) {
    const std::size_t length = u16(datagram, 2);
    if (length > datagram.size() - 4) return std::nullopt;
    return datagram.subspan(4, length);
  }
  if (!is_stun(datagram) || class_of(datagram) != kIndication) return std::nullopt;
  if (method_of(datagram) != kSend && method_of(datagram) != kData) return std::nullopt;
  return stun_attribute(datagram, kDataAttribute);
}

StunId stun_id(Bytes message) {
  StunId id{};
  std::copy_n(message.begin() + 4, id.size(), id.begin());
  return id;
}

std::optional<StunId> stun_request_id(Bytes message) {
  if (!is_stun(message) || class_of(message) != kRequest) return std::nullopt;
  return stun_id(message);
}

std::optional<Bytes> stun_attribute(Bytes message, unsigned type) {
  std::optional<Bytes> found;
  if (!is_stun(message)) return found;
  each_attribute(message, [&](unsigned each, Bytes value, bool) {
    if (each == type) found = value;
    return !found;
  });
  return found;
}

}  // namespace media
