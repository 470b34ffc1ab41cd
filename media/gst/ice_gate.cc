#include "media/gst/ice_gate.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <stun/usages/ice.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "media/gst/gst_ptr.h"
#include "media/gst/socket_address.h"
#include "media/gst/socket_poller.h"
#include "media/stun_screen.h"

namespace media::gst {
namespace {

using Bytes = std::span<const std::uint8_t>;

// How a request went or an answer came: direct, or through the TURN server relays[via - 1].
using Via = std::uint8_t;
constexpr Via kDirect = 0;

struct Asked {
  StunId id;
  Via via;
  bool operator==(const Asked&) const = default;
};
struct Relay {
  sockaddr_storage server, relayed;
};

struct Installed {
  std::shared_ptr<IceGate> gate;
  sockaddr_storage local{};
  std::vector<Asked> asked{};   // what is awaited, oldest first
  std::vector<Relay> relays{};  // allocations made from here
};

GQuark gate_quark() {
  static const GQuark quark = g_quark_from_static_string("mixer-ice-gate");
  return quark;
}

// What the check came from that the datagram at hand answers.
thread_local sockaddr_storage asked_from{};
// Where that datagram came in; null: it is no check and no answer to one.
thread_local IceGate* at_hand = nullptr;

std::optional<sockaddr_storage> native(GSocketAddress* address) {
  sockaddr_storage out{};
  if (!address || !g_socket_address_to_native(address, &out, sizeof out, nullptr)) return {};
  return out;
}

// What a TURN server has allocated (RFC 8656 §7.3), if the answer is of that.
std::optional<sockaddr_storage> allocated(Bytes message) {
  constexpr std::uint8_t kAllocated[] = {0x01, 0x03};
  constexpr unsigned kXorRelayedAddress = 0x0016;
  if (!std::equal(std::begin(kAllocated), std::end(kAllocated), message.begin())) return {};
  const auto value = stun_attribute(message, kXorRelayedAddress);
  if (!value || (value->size() != 8 && value->size() != 20)) return {};
  // RFC 8489 §14.2: masked with the cookie, which the transaction follows.
  std::uint8_t plain[20];
  std::copy(value->begin(), value->end(), plain);
  for (std::size_t i = 0; i < 2; ++i) plain[2 + i] ^= message[4 + i];
  for (std::size_t i = 4; i < value->size(); ++i) plain[i] ^= message[i];
  sockaddr_storage out{};
  if (value->size() == 8) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(out);
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_port, plain + 2, 2);
    std::memcpy(&v4.sin_addr, plain + 4, 4);
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_port, plain + 2, 2);
    std::memcpy(&v6.sin6_addr, plain + 4, 16);
  }
  return out;
}

// What a datagram to or from `other` carries, and through whom.
struct Carried {
  Bytes message;
  Via via = kDirect;
};
Carried carried(const Installed& at, GSocketAddress* other, Bytes datagram) {
  if (at.relays.empty()) return {datagram};
  const auto inside = unwrap_turn(datagram);
  if (!inside) return {datagram};
  const auto address = native(other);
  const auto relay = std::find_if(at.relays.begin(), at.relays.end(), [&](const Relay& each) {
    return address && same_address(each.server, *address);
  });
  if (relay == at.relays.end()) return {datagram};
  return {*inside, static_cast<Via>(relay - at.relays.begin() + 1)};
}

void remember(Installed& at, const Asked& request) {
  if (std::find(at.asked.begin(), at.asked.end(), request) != at.asked.end()) return;  // sent again
  if (at.asked.size() == IceGate::kAsked) at.asked.erase(at.asked.begin());
  at.asked.push_back(request);
}

// Whether this is the answer to a request; it is awaited no more.
bool answers(Installed& at, const Carried& what, GSocketAddress* from) {
  const Asked request{stun_id(what.message), what.via};
  const auto asked = std::find(at.asked.begin(), at.asked.end(), request);
  if (asked == at.asked.end()) return false;
  at.asked.erase(asked);
  asked_from = what.via == kDirect ? at.local : at.relays[what.via - 1U].relayed;
  if (what.via != kDirect) return true;
  const auto relayed = allocated(what.message);
  const auto server = native(from);
  if (!relayed || !server) return true;
  const auto again = std::find_if(at.relays.begin(), at.relays.end(), [&](const Relay& each) {
    return same_address(each.server, *server);
  });
  if (again != at.relays.end()) {
    again->relayed = *relayed;
  } else {
    at.relays.push_back({*server, *relayed});
  }
  return true;
}

}  // namespace

void IceGate::install(GSocket* socket, std::shared_ptr<IceGate> gate) {
  const auto address =
      ObjectPtr<GSocketAddress>::adopt(g_socket_get_local_address(socket, nullptr));
  const auto local = native(address.get());
  if (!local) return;  // closed already
  auto installed = std::make_unique<Installed>(Installed{std::move(gate), *local});
  g_object_set_qdata_full(G_OBJECT(socket), gate_quark(), installed.release(),
                          [](gpointer kept) { delete static_cast<Installed*>(kept); });
}

void IceGate::selected() {
  selected_ = true;
  consented_ = std::chrono::steady_clock::now();
}

void IceGate::shut() {
  shut_ = true;
  heard_ = nullptr;
  if (at_hand == this) at_hand = nullptr;
}

void IceGate::proved(bool answer) {
  if (answer) consented_ = std::chrono::steady_clock::now();
  if (heard_) heard_();
}

struct IceGateHooks {
  using Receive = decltype(&g_socket_receive_message);

  static Installed* at(GSocket* socket) {
    return static_cast<Installed*>(g_object_get_qdata(G_OBJECT(socket), gate_quark()));
  }

  static bool admits(Installed& at, Screened screened, const Carried& what, GSocketAddress* from) {
    const auto& gate = *at.gate;
    switch (screened) {
      case Screened::other: return true;
      case Screened::check: return !gate.shut_;
      case Screened::answer: return answers(at, what, from) && !gate.shut_;
      case Screened::forbidden: return answers(at, what, from) && gate.selected_ && !gate.shut_;
      case Screened::server_answer: return answers(at, what, from);
      case Screened::refused: break;
    }
    return false;
  }

  static void sending(Installed& at, GSocketAddress* to, Bytes datagram) {
    // Most are sound through a relay, known at a glance.
    if (!stun_request_id(unwrap_turn(datagram).value_or(datagram))) return;
    const auto what = carried(at, to, datagram);
    if (const auto id = stun_request_id(what.message)) remember(at, {*id, what.via});
  }

  // One datagram into one vector, which is how libnice reads UDP.
  static gssize receive(Installed& at, Receive real, GSocket* socket, GSocketAddress** from,
                        GInputVector* into, gint* flags, GCancellable* cancellable,
                        GError** error) {
    at_hand = nullptr;
    auto& in_a_row = at.gate->in_a_row_;
    while (in_a_row < IceGate::kAtATime) {
      const gssize size = real(socket, from, into, 1, nullptr, nullptr, flags, cancellable, error);
      ++in_a_row;
      if (size < 0) {
        in_a_row = 0;
        return size;
      }
      const Bytes datagram(static_cast<const std::uint8_t*>(into->buffer),
                           static_cast<std::size_t>(size));
      GSocketAddress* const sender = from ? *from : nullptr;
      const auto what = carried(at, sender, datagram);
      const auto screened = screen_stun(what.message);
      if (admits(at, screened, what, sender)) {
        // Before anything else is read libnice tells what came of it, and the gate may be shut.
        if (screened == Screened::forbidden) in_a_row = IceGate::kAtATime;
        if (screened == Screened::check || screened == Screened::answer) {
          at_hand = at.gate.get();
          at_hand->consented_before_ = at_hand->consented_;
        }
        return size;
      }
      if (from) g_clear_object(from);
    }
    in_a_row = 0;
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "the others' turn");
    return -1;
  }

  static void validated(const StunMessage& message) {
    const auto kind = stun_message_get_class(&message);
    if (at_hand && message.key && (kind == STUN_REQUEST || kind == STUN_RESPONSE)) {
      at_hand->proved(kind == STUN_RESPONSE);
    }
  }
  // Of 200 hardly any is still on its way: which one is forgotten does not matter.
  static void make_room(StunAgent& agent) {
    thread_local std::size_t next = 0;
    auto& ids = agent.sent_ids;
    if (std::all_of(std::begin(ids), std::end(ids), [](const auto& id) { return id.valid; })) {
      ids[next++ % std::size(ids)].valid = false;
    }
  }
  // libnice has found the check that the answer is for in its list: it is no consent.
  static void of_the_check_list() {
    if (at_hand) at_hand->consented_ = at_hand->consented_before_;
  }
};

}  // namespace media::gst

// ELF interposition: libnice's calls land here; those of others pass through.
extern "C" {

using media::gst::IceGateHooks;

gssize g_socket_receive_message(GSocket* socket, GSocketAddress** address, GInputVector* vectors,
                                gint num_vectors, GSocketControlMessage*** messages,
                                gint* num_messages, gint* flags, GCancellable* cancellable,
                                GError** error) {
  const IceGateHooks::Receive real = &media::gst::SocketPoller::receive_message;
  auto* const at = num_vectors == 1 && !messages ? IceGateHooks::at(socket) : nullptr;
  if (!at) {
    return real(socket, address, vectors, num_vectors, messages, num_messages, flags, cancellable,
                error);
  }
  return IceGateHooks::receive(*at, real, socket, address, vectors, flags, cancellable, error);
}

gssize g_socket_send_message(GSocket* socket, GSocketAddress* address, GOutputVector* vectors,
                             gint num_vectors, GSocketControlMessage** messages, gint num_messages,
                             gint flags, GCancellable* cancellable, GError** error) {
  static const auto real = reinterpret_cast<decltype(&g_socket_send_message)>(
      ::dlsym(RTLD_NEXT, "g_socket_send_message"));
  if (auto* const at = num_vectors == 1 ? IceGateHooks::at(socket) : nullptr) {
    IceGateHooks::sending(*at, address,
                          {static_cast<const std::uint8_t*>(vectors->buffer), vectors->size});
  }
  return real(socket, address, vectors, num_vectors, messages, num_messages, flags, cancellable,
              error);
}

StunValidationStatus stun_agent_validate(StunAgent* agent, StunMessage* message,
                                         const std::uint8_t* buffer, std::size_t size,
                                         StunMessageIntegrityValidate validater, void* data) {
  static const auto real =
      reinterpret_cast<decltype(&stun_agent_validate)>(::dlsym(RTLD_NEXT, "stun_agent_validate"));
  const auto status = real(agent, message, buffer, size, validater, data);
  if (status != STUN_VALIDATION_SUCCESS) return status;
  if (!message->key && stun_message_get_class(message) == STUN_REQUEST) {
    return STUN_VALIDATION_BAD_REQUEST;
  }
  IceGateHooks::validated(*message);
  return status;
}

std::size_t stun_agent_finish_message(StunAgent* agent, StunMessage* message,
                                      const std::uint8_t* key, std::size_t key_length) {
  static const auto real = reinterpret_cast<decltype(&stun_agent_finish_message)>(
      ::dlsym(RTLD_NEXT, "stun_agent_finish_message"));
  IceGateHooks::make_room(*agent);
  return real(agent, message, key, key_length);
}

StunUsageIceReturn stun_usage_ice_conncheck_process(StunMessage* message, sockaddr_storage* mapped,
                                                    socklen_t* length,
                                                    StunUsageIceCompatibility compatibility) {
  static const auto real = reinterpret_cast<decltype(&stun_usage_ice_conncheck_process)>(
      ::dlsym(RTLD_NEXT, "stun_usage_ice_conncheck_process"));
  IceGateHooks::of_the_check_list();
  const auto result = real(message, mapped, length, compatibility);
  if (result != STUN_USAGE_ICE_RETURN_SUCCESS &&
      result != STUN_USAGE_ICE_RETURN_NO_MAPPED_ADDRESS) {
    return result;
  }
  *mapped = media::gst::asked_from;
  return STUN_USAGE_ICE_RETURN_SUCCESS;
}

}  // extern "C"
