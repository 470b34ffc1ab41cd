#include "mixer/net_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

namespace mixer {
namespace {

struct Address {
  int bits = 0;  // 32 or 128
  in_addr v4{};
  in6_addr v6{};
};

std::optional<Address> parse_address(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;  // inet_pton stops there
  const std::string z(text);
  Address address;
  if (inet_pton(AF_INET, z.c_str(), &address.v4) == 1) {
    address.bits = 32;
    return address;
  }
  if (inet_pton(AF_INET6, z.c_str(), &address.v6) == 1) {
    address.bits = 128;
    return address;
  }
  return std::nullopt;
}

std::optional<unsigned> number(std::string_view text, unsigned max) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || text.empty() || value > max) return std::nullopt;
  return value;
}

std::optional<std::uint16_t> port(std::string_view text) {
  const auto value = number(text, 65535);
  if (!value || *value == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*value);
}

}  // namespace

bool is_host_address(std::string_view text) {
  const auto address = parse_address(text);
  if (!address) return false;
  if (address->bits == 32) {
    const std::uint32_t v4 = ntohl(address->v4.s_addr);
    return v4 != INADDR_ANY && v4 != INADDR_BROADCAST && !IN_MULTICAST(v4);
  }
  return !IN6_IS_ADDR_UNSPECIFIED(&address->v6) && !IN6_IS_ADDR_MULTICAST(&address->v6);
}

bool is_address_block(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return false;
  if (slash == std::string_view::npos) return true;
  return number(text.substr(slash + 1), static_cast<unsigned>(address->bits)).has_value();
}

bool is_host(std::string_view text) {
  if (parse_address(text)) return true;
  if (text.empty() || text.size() > 253 || text.front() == '.' || text.front() == '-') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c >= 0x80;
  });
}

std::string HostAndPort::str() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" : "") + host + (v6 ? "]:" : ":") + std::to_string(port);
}

std::optional<HostAndPort> host_and_port(std::string_view text, std::uint16_t default_port) {
  std::string_view host = text;
  std::uint16_t number = default_port;
  const std::size_t colon = text.rfind(':');
  const bool bracketed = !text.empty() && text.front() == '[';
  const bool has_port =
      bracketed ? text.back() != ']' : colon != std::string_view::npos && text.find(':') == colon;
  if (has_port) {
    const auto given =
        colon == std::string_view::npos ? std::nullopt : port(text.substr(colon + 1));
    if (!given) return std::nullopt;
    number = *given;
    host = text.substr(0, colon);
  }
  if (bracketed) {
    if (host.size() < 2 || host.back() != ']') return std::nullopt;
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
  }
  if (!is_host(host)) return std::nullopt;
  return HostAndPort{std::string(host), number};
}

std::optional<std::pair<std::uint16_t, std::uint16_t>> port_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = port(text.substr(0, dash));
  const auto last = port(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return std::pair{*first, *last};
}

}  // namespace mixer
