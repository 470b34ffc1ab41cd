// mixer/net_address.h: how addresses are written in the configuration. Pure; any thread. No name is
// resolved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mixer {

// An IPv4 or IPv6 address without zone that one host can have: not unspecified, not multicast, not
// the broadcast address.
bool is_host_address(std::string_view text);
// "192.0.2.1", "10.0.0.0/8", "2001:db8::/32".
bool is_address_block(std::string_view text);
// A host name (RFC 1123 §2.1; underscores occur) or an address, without a port.
bool is_host(std::string_view text);
struct HostAndPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  bool operator==(const HostAndPort&) const = default;
  std::string str() const;  // "host:port", "[2001:db8::1]:port"
};
// "host", "host:port", "[2001:db8::1]:port", "2001:db8::1"; nullopt if it is none of these.
std::optional<HostAndPort> host_and_port(std::string_view text, std::uint16_t default_port);
// "20000-29999": two ports, the first not above the second.
std::optional<std::pair<std::uint16_t, std::uint16_t>> port_range(std::string_view text);

}  // namespace mixer
