// tests/support/udp_nat.h: network address translation for UDP, in user space.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

#include "tests/support/net.h"

namespace support {

// In front of a UDP server: whoever talks to `front` talks to `server`, which sees each come from
// `outside`, from a port of its own. In the network namespace of its maker.
class UdpNat {
 public:
  struct Address {
    std::string ip;
    std::uint16_t port = 0;  // 0: some port
  };
  UdpNat(const Address& front, const Address& server, std::string outside);
  ~UdpNat();
  UdpNat(const UdpNat&) = delete;
  UdpNat& operator=(const UdpNat&) = delete;

  std::uint16_t port() const;  // of the front

 private:
  struct Mapping {
    sockaddr_in client;
    Fd socket;
  };
  void run();
  void outwards();
  void inwards(const Mapping& mapping);

  const sockaddr_in server_;
  const std::string outside_;
  const Fd front_, stop_;
  std::map<std::pair<std::uint32_t, std::uint16_t>, Mapping> mappings_;  // by the client's address
  std::array<char, 2048> datagram_{};
  std::jthread thread_;  // last: ends first
};

}  // namespace support
