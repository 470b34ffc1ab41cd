// media/gst/candidate_filter.h: ICE is no scanner (RFC 8445 §19.5.1): which of a peer's candidates
// may become destinations of ours. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "media/media_engine.h"

namespace media::gst {

// An address in one shape: IPv4 as IPv4-mapped IPv6, so that ::ffff:10.0.0.1 is 10.0.0.1.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool operator==(const IpAddress&) const = default;

  // Numeric only: no names (mDNS, RFC 8839 §5.1 FQDN), no zone, no brackets.
  static std::optional<IpAddress> parse(std::string_view text);
  bool is_v4() const;
  bool is_loopback() const;
  bool is_link_local() const;
  bool is_multicast() const;
  bool is_broadcast() const;
  bool is_unspecified() const;  // all of 0.0.0.0/8, ::, and IPv4-compatible ::/96
};

struct AddressBlock {  // "192.0.2.0/24", "2001:db8::/32", or a single address
  IpAddress address;
  int prefix = 128;  // of the mapped form

  static std::optional<AddressBlock> parse(std::string_view text);
  bool contains(const IpAddress& other) const;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

class CandidateFilter {
 public:
  // Throws std::invalid_argument for a `deny` or `local` entry that is no address or block.
  // Loopback peers are reachable when one of `local` is loopback, and only then.
  CandidateFilter(const std::vector<std::string>& local, const std::vector<std::string>& deny);

  // Never counts: that is the leg's business. `ours`: endpoints of our own sockets.
  bool allows(const IceCandidate& candidate, const std::vector<Endpoint>& ours) const;
  bool allows(const IpAddress& address) const;

 private:
  bool loopback_ = false;
  std::vector<AddressBlock> deny_;
};

}  // namespace media::gst
