// media/gst/fetch_rules.h: what may be fetched to be played. A value; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace media::gst {

struct FetchRules {
  // Names and addresses of hosts that may be asked whatever their addresses are; of all others only
  // public ones are.
  std::vector<std::string> hosts = {};
  // Certificates (PEM) that vouch for a server as the system's do. Empty: those that the
  // environment's SSL_CERT_FILE names.
  std::string ca_file = {};
  // From the beginning until there is something of it, redirects included; between one byte and
  // the next; and altogether. Less than DecoderProcess::kPatience, but for the last.
  std::chrono::milliseconds answer{15000}, silence{15000}, longest{std::chrono::hours(24)};
  std::uint64_t most_bytes = std::uint64_t{4} << 30;  // a day of 320 kbit/s
  // Asked for in one thing, each by a request; a demuxer asks for ten to find one place of an Ogg
  // file. 0: it is read from its beginning to its end.
  std::uint32_t most_places = 2000;
  bool operator==(const FetchRules&) const = default;
};

}  // namespace media::gst
