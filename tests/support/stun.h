// tests/support/stun.h: STUN (RFC 8489) by hand, right or wrong, and one end of ICE (RFC 8445) that
// says what no library would. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/net.h"

namespace support {

using Bytes = std::vector<std::uint8_t>;

// A message, attribute by attribute in the order of the calls.
class Stun {
 public:
  static constexpr std::uint16_t kRequest = 0x0001, kIndication = 0x0011, kSuccess = 0x0101,
                                 kError = 0x0111;  // of Binding
  static constexpr std::uint16_t kUsername = 0x0006, kMessageIntegrity = 0x0008,
                                 kErrorCode = 0x0009, kXorMappedAddress = 0x0020,
                                 kPriority = 0x0024, kUseCandidate = 0x0025, kFingerprint = 0x8028,
                                 kControlled = 0x8029, kControlling = 0x802A;

  // `transaction`: 12 bytes; empty: random.
  explicit Stun(std::uint16_t type, std::span<const std::uint8_t> transaction = {});

  Stun& attribute(std::uint16_t type, std::span<const std::uint8_t> value);
  Stun& text(std::uint16_t type, std::string_view value);
  Stun& number(std::uint16_t type, std::uint64_t value, std::size_t bytes);
  Stun& error(int code);
  Stun& mapped(const std::string& ipv4, std::uint16_t port) {
    return xor_address(kXorMappedAddress, ipv4, port);
  }
  Stun& xor_address(std::uint16_t type, const std::string& ipv4, std::uint16_t port);
  // As far as written; HMAC-SHA1 with that password (§14.5), CRC (§14.7).
  Stun& integrity(std::string_view password);
  Stun& fingerprint();
  const Bytes& bytes() const { return bytes_; }

 private:
  void set_length(std::size_t attributes);
  Bytes bytes_;
};

// What is in one: its type, 0 when it is none, its transaction, an attribute's value.
std::uint16_t stun_type(std::span<const std::uint8_t> message);
Bytes stun_transaction(std::span<const std::uint8_t> message);
std::optional<Bytes> stun_attribute(std::span<const std::uint8_t> message, std::uint16_t type);
int stun_error_code(std::span<const std::uint8_t> message);  // 0: none

// A UDP socket on 127.0.0.1 that speaks to one port of the other end.
class IceEnd {
 public:
  IceEnd();
  std::uint16_t port() const { return port_; }
  std::string ufrag = "mine", pwd = "minepasswordminepassword";
  // The other end's.
  struct Other {
    std::string ufrag, pwd, ip = "127.0.0.1";
    std::uint16_t port = 0;
  } other{};

  bool send(std::span<const std::uint8_t> datagram);
  // The next datagram; nullopt: none in time.
  std::optional<Bytes> receive(std::chrono::milliseconds within);

  // A check as a controlling agent makes it.
  Bytes check(bool nominates = true, std::uint32_t priority = 1845501695) const;
  // The answers to one of the other's.
  Bytes success(std::span<const std::uint8_t> request, const std::string& mapped_ip = "127.0.0.1",
                std::optional<std::uint16_t> mapped_port = {}) const;
  Bytes refusal(std::span<const std::uint8_t> request, int code) const;

 private:
  Fd fd_;
  std::uint16_t port_ = 0;
};

}  // namespace support
