// media/gst/ice_servers.h: the addresses around ICE: this machine's, and those of STUN and TURN
// servers. Any thread, but resolve_servers() blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "media/gst/ice_config.h"

namespace media::gst {

struct ServerAddress {
  std::string host;
  std::uint16_t port = 3478;  // RFC 8489 §18.6
  bool operator==(const ServerAddress&) const = default;

  // "host", "host:port", "[v6]:port", "v6"; nullopt: empty or malformed.
  static std::optional<ServerAddress> parse(std::string_view text);
};

// Host names of servers are looked up once, at start, because libnice would look them up for each
// agent, with threads. A server that does not resolve is left out; its name is returned.
std::vector<std::string> resolve_servers(IceConfig& config);

// Numeric addresses of this machine's interfaces that are up, but loopback and link-local.
std::vector<std::string> interface_addresses();

}  // namespace media::gst
