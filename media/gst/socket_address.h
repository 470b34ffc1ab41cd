// media/gst/socket_address.h: whether two sockets' addresses are one. Pure; any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

namespace media::gst {

// Both AF_INET or AF_INET6: same address, same port; scopes and flow labels are left aside.
inline bool same_address(const sockaddr_storage& a, const sockaddr_storage& b) {
  if (a.ss_family != b.ss_family) return false;
  if (a.ss_family == AF_INET) {
    const auto& a4 = reinterpret_cast<const sockaddr_in&>(a);
    const auto& b4 = reinterpret_cast<const sockaddr_in&>(b);
    return a4.sin_port == b4.sin_port && a4.sin_addr.s_addr == b4.sin_addr.s_addr;
  }
  const auto& a6 = reinterpret_cast<const sockaddr_in6&>(a);
  const auto& b6 = reinterpret_cast<const sockaddr_in6&>(b);
  return a6.sin6_port == b6.sin6_port && IN6_ARE_ADDR_EQUAL(&a6.sin6_addr, &b6.sin6_addr);
}

}  // namespace media::gst
