#include "tests/support/stun.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <random>
#include <stdexcept>

namespace support {
namespace {

constexpr std::size_t kHeader = 20;
constexpr std::uint32_t kCookie = 0x2112A442;

void append(Bytes& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0;) out.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

std::uint16_t u16(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::uint32_t crc32(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

sockaddr_in ipv4(const std::string& ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
  return address;
}

}  // namespace

Stun::Stun(std::uint16_t type, std::span<const std::uint8_t> transaction) {
  append(bytes_, type, 2);
  append(bytes_, 0, 2);
  append(bytes_, kCookie, 4);
  if (transaction.empty()) {
    std::random_device random;
    for (int i = 0; i < 3; ++i) append(bytes_, random(), 4);
  }
  bytes_.insert(bytes_.end(), transaction.begin(), transaction.end());
}

void Stun::set_length(std::size_t attributes) {
  bytes_[2] = static_cast<std::uint8_t>(attributes >> 8);
  bytes_[3] = static_cast<std::uint8_t>(attributes);
}

Stun& Stun::attribute(std::uint16_t type, std::span<const std::uint8_t> value) {
  append(bytes_, type, 2);
  append(bytes_, value.size(), 2);
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  while (bytes_.size() % 4 != 0) bytes_.push_back(0);
  set_length(bytes_.size() - kHeader);
  return *this;
}

Stun& Stun::text(std::uint16_t type, std::string_view value) {
  return attribute(type, Bytes(value.begin(), value.end()));
}

Stun& Stun::number(std::uint16_t type, std::uint64_t value, std::size_t bytes) {
  Bytes out;
  append(out, value, bytes);
  return attribute(type, out);
}

Stun& Stun::error(int code) {
  Bytes value;
  append(value, static_cast<unsigned>((code / 100) << 8 | (code % 100)), 4);
  return attribute(kErrorCode, value);
}

Stun& Stun::xor_address(std::uint16_t type, const std::string& ipv4, std::uint16_t port) {
  in_addr address{};
  inet_pton(AF_INET, ipv4.c_str(), &address);
  Bytes value{0, 1};
  append(value, port ^ (kCookie >> 16), 2);
  append(value, ntohl(address.s_addr) ^ kCookie, 4);
  return attribute(type, value);
}

Stun& Stun::integrity(std::string_view password) {
  const std::size_t before = bytes_.size();
  set_length(before - kHeader + 24);
  std::array<std::uint8_t, 20> hash{};
  unsigned length = 0;
  HMAC(EVP_sha1(), password.data(), static_cast<int>(password.size()), bytes_.data(), before,
       hash.data(), &length);
  return attribute(kMessageIntegrity, hash);
}

Stun& Stun::fingerprint() {
  set_length(bytes_.size() - kHeader + 8);
  return number(kFingerprint, crc32(bytes_) ^ 0x5354554E, 4);
}

std::uint16_t stun_type(std::span<const std::uint8_t> message) {
  return message.size() >= kHeader && message[0] < 4 ? u16(message, 0) : 0;
}

Bytes stun_transaction(std::span<const std::uint8_t> message) {
  return {message.begin() + 8, message.begin() + kHeader};
}

std::optional<Bytes> stun_attribute(std::span<const std::uint8_t> message, std::uint16_t type) {
  for (std::size_t at = kHeader; at + 4 <= message.size();) {
    const std::size_t length = u16(message, at + 2);
    if (at + 4 + length > message.size()) break;
    const auto value = message.subspan(at + 4, length);
    if (u16(message, at) == type) return Bytes(value.begin(), value.end());
    at += 4 + (length + 3) / 4 * 4;
  }
  return std::nullopt;
}

int stun_error_code(std::span<const std::uint8_t> message) {
  const auto value = stun_attribute(message, Stun::kErrorCode);
  return value && value->size() >= 4 ? (*value)[2] * 100 + (*value)[3] : 0;
}

IceEnd::IceEnd() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  auto address = ipv4("127.0.0.1", 0);
  socklen_t length = sizeof address;
  if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("no UDP socket");
  }
  port_ = ntohs(address.sin_port);
}

bool IceEnd::send(std::span<const std::uint8_t> datagram) {
  const auto address = ipv4(other.ip, other.port);
  return sendto(fd_.get(), datagram.data(), datagram.size(), 0,
                reinterpret_cast<const sockaddr*>(&address),
                sizeof address) == static_cast<ssize_t>(datagram.size());
}

std::optional<Bytes> IceEnd::receive(std::chrono::milliseconds within) {
  pollfd ready{fd_.get(), POLLIN, 0};
  if (poll(&ready, 1, static_cast<int>(within.count())) != 1) return std::nullopt;
  Bytes datagram(65536);
  const auto size = recv(fd_.get(), datagram.data(), datagram.size(), 0);
  if (size < 0) return std::nullopt;
  datagram.resize(static_cast<std::size_t>(size));
  return datagram;
}

Bytes IceEnd::check(bool nominates, std::uint32_t priority) const {
  Stun message(Stun::kRequest);
  message.text(Stun::kUsername, other.ufrag + ":" + ufrag)
      .number(Stun::kPriority, priority, 4)
      .number(Stun::kControlling, 0x1122334455667788, 8);
  if (nominates) message.attribute(Stun::kUseCandidate, {});
  return message.integrity(other.pwd).fingerprint().bytes();
}

Bytes IceEnd::success(std::span<const std::uint8_t> request, const std::string& mapped_ip,
                      std::optional<std::uint16_t> mapped_port) const {
  return Stun(Stun::kSuccess, stun_transaction(request))
      .mapped(mapped_ip, mapped_port.value_or(other.port))
      .integrity(pwd)
      .fingerprint()
      .bytes();
}

Bytes IceEnd::refusal(std::span<const std::uint8_t> request, int code) const {
  return Stun(Stun::kError, stun_transaction(request))
      .error(code)
      .integrity(pwd)
      .fingerprint()
      .bytes();
}

}  // namespace support
