#include "media/gst/ice_gate.h"

#include <dlfcn.h>
#include <stun/usages/ice.h>
#include <sys/socket.h>

#include <utility>

#include "media/gst/gst_ptr.h"
#include "media/stun_screen.h"

namespace media::gst {
namespace {

struct Installed {
  std::shared_ptr<IceGate> gate;
  sockaddr_storage local{};
};

GQuark gate_quark() {
  static const GQuark quark = g_quark_from_static_string("mixer-ice-gate");
  return quark;
}

// Where the datagram at hand came in, if it is an answer to a check and no TURN server wrapped it.
thread_local const sockaddr_storage* answered_at = nullptr;

bool is_answer(std::span<const std::uint8_t> datagram) {
  return datagram.size() > 1 && datagram[0] == 0x01 && datagram[1] == 0x01;  // Binding success
}

}  // namespace

void IceGate::install(GSocket* socket, std::shared_ptr<IceGate> gate) {
  auto installed = std::make_unique<Installed>();
  installed->gate = std::move(gate);
  const auto local = ObjectPtr<GSocketAddress>::adopt(g_socket_get_local_address(socket, nullptr));
  if (!local || !g_socket_address_to_native(local.get(), &installed->local, sizeof installed->local,
                                            nullptr)) {
    return;  // closed already
  }
  g_object_set_qdata_full(G_OBJECT(socket), gate_quark(), installed.release(),
                          [](gpointer kept) { delete static_cast<Installed*>(kept); });
}

bool IceGate::admits(Screened screened) const {
  switch (screened) {
    case Screened::other: return true;
    case Screened::binding: return !shut_;
    case Screened::forbidden: return selected_ && !shut_;
    case Screened::refused: break;
  }
  return false;
}

struct IceGateHooks {
  using Receive = decltype(&g_socket_receive_message);

  static Installed* at(GSocket* socket) {
    return static_cast<Installed*>(g_object_get_qdata(G_OBJECT(socket), gate_quark()));
  }
  // One datagram into one vector, which is how libnice reads UDP.
  static gssize receive(const Installed& at, Receive real, GSocket* socket, GSocketAddress** from,
                        GInputVector* into, gint* flags, GCancellable* cancellable,
                        GError** error) {
    auto& in_a_row = at.gate->in_a_row_;
    while (in_a_row < IceGate::kAtATime) {
      const gssize size = real(socket, from, into, 1, nullptr, nullptr, flags, cancellable, error);
      ++in_a_row;
      if (size < 0) {
        in_a_row = 0;
        return size;
      }
      const std::span datagram(static_cast<const std::uint8_t*>(into->buffer),
                               static_cast<std::size_t>(size));
      const auto screened = screen_stun(datagram);
      if (at.gate->admits(screened)) {
        // Before anything else is read libnice tells what came of it, and the gate may be shut.
        if (screened == Screened::forbidden) in_a_row = IceGate::kAtATime;
        answered_at = is_answer(datagram) ? &at.local : nullptr;
        return size;
      }
      if (from) g_clear_object(from);
    }
    in_a_row = 0;
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "the others' turn");
    return -1;
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
  static const auto real =
      reinterpret_cast<IceGateHooks::Receive>(::dlsym(RTLD_NEXT, "g_socket_receive_message"));
  const auto* const at = num_vectors == 1 && !messages ? IceGateHooks::at(socket) : nullptr;
  if (!at) {
    return real(socket, address, vectors, num_vectors, messages, num_messages, flags, cancellable,
                error);
  }
  return IceGateHooks::receive(*at, real, socket, address, vectors, flags, cancellable, error);
}

StunUsageIceReturn stun_usage_ice_conncheck_process(StunMessage* message, sockaddr_storage* mapped,
                                                    socklen_t* length,
                                                    StunUsageIceCompatibility compatibility) {
  static const auto real = reinterpret_cast<decltype(&stun_usage_ice_conncheck_process)>(
      ::dlsym(RTLD_NEXT, "stun_usage_ice_conncheck_process"));
  const auto result = real(message, mapped, length, compatibility);
  if (result != STUN_USAGE_ICE_RETURN_SUCCESS) return result;
  // Of what came through a relay no address is known here, and none is needed.
  if (!media::gst::answered_at) return STUN_USAGE_ICE_RETURN_NO_MAPPED_ADDRESS;
  *mapped = *media::gst::answered_at;
  return result;
}

}  // extern "C"
