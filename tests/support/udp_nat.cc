#include "tests/support/udp_nat.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <stdexcept>
#include <vector>

namespace support {
namespace {

sockaddr_in v4(const std::string& ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
  return address;
}

Fd bound(const std::string& ip, std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto address = v4(ip, port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot bind " + ip);
  }
  return fd;
}

}  // namespace

UdpNat::UdpNat(const Address& front, const Address& server, std::string outside)
    : server_(v4(server.ip, server.port)),
      outside_(std::move(outside)),
      front_(bound(front.ip, front.port)),
      stop_(eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::jthread([this] { run(); });
}

UdpNat::~UdpNat() { eventfd_write(stop_.get(), 1); }

std::uint16_t UdpNat::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(front_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void UdpNat::run() {
  for (;;) {
    std::vector<pollfd> fds{{stop_.get(), POLLIN, 0}, {front_.get(), POLLIN, 0}};
    for (const auto& [client, mapping] : mappings_) {
      fds.push_back({mapping.socket.get(), POLLIN, 0});
    }
    ::poll(fds.data(), fds.size(), -1);
    if (fds[0].revents != 0) return;
    outwards();
    for (const auto& [client, mapping] : mappings_) inwards(mapping);
  }
}

void UdpNat::outwards() {
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const auto got = ::recvfrom(front_.get(), datagram_.data(), datagram_.size(), 0,
                              reinterpret_cast<sockaddr*>(&from), &size);
  if (got < 0) return;
  auto& mapping = mappings_[{from.sin_addr.s_addr, from.sin_port}];
  if (!mapping.socket) mapping = {from, bound(outside_, 0)};
  ::sendto(mapping.socket.get(), datagram_.data(), static_cast<std::size_t>(got), 0,
           reinterpret_cast<const sockaddr*>(&server_), sizeof server_);
}

void UdpNat::inwards(const Mapping& mapping) {
  const auto got = ::recv(mapping.socket.get(), datagram_.data(), datagram_.size(), 0);
  if (got < 0) return;
  ::sendto(front_.get(), datagram_.data(), static_cast<std::size_t>(got), 0,
           reinterpret_cast<const sockaddr*>(&mapping.client), sizeof mapping.client);
}

}  // namespace support
