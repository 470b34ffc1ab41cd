// media/gst/ice_config.h: how every leg gathers and whom it may reach. A value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "media/media_engine.h"

namespace media::gst {

struct IceConfig {
  // Local addresses to offer; empty: every interface's but loopback and link-local.
  std::vector<std::string> addresses{};
  std::uint16_t port_min = 0, port_max = 0;  // 0: the system chooses
  std::string external_address{};            // 1:1 NAT: offered in place of the local host address
  std::vector<IceServer> servers{};          // by address, not by name
  std::vector<std::string> deny_peers{};     // addresses and CIDR blocks
  bool operator==(const IceConfig&) const = default;
};

}  // namespace media::gst
