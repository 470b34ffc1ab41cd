// media/rtcp.h: RTCP packets as values (RFC 3550 §6): SR, RR, SDES with CNAME, BYE. Pure; any
// thread. Times are the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace media::rtcp {

// RFC 3550 §6.4.1. Sequence numbers are extended by their cycles.
struct ReportBlock {
  std::uint32_t ssrc = 0;
  std::uint8_t fraction_lost = 0;    // of 256, since the last report
  std::int32_t cumulative_lost = 0;  // 24 bits on the wire, clamped
  std::uint32_t highest_sequence = 0;
  std::uint32_t jitter = 0;               // in units of the RTP clock
  std::uint32_t last_sr = 0;              // middle 32 bits of that SR's NTP time; 0: none yet
  std::uint32_t delay_since_last_sr = 0;  // 1/65536 s
  bool operator==(const ReportBlock&) const = default;
};
struct SenderReport {
  std::uint32_t ssrc = 0;
  std::uint64_t ntp = 0;  // 32.32 s
  std::uint32_t rtp_timestamp = 0, packets = 0, octets = 0;
  std::vector<ReportBlock> blocks;
  bool operator==(const SenderReport&) const = default;
};
struct ReceiverReport {
  std::uint32_t ssrc = 0;
  std::vector<ReportBlock> blocks;
  bool operator==(const ReceiverReport&) const = default;
};
struct SourceDescription {  // one chunk; other items than CNAME are skipped
  std::uint32_t ssrc = 0;
  std::string cname;
  bool operator==(const SourceDescription&) const = default;
};
struct Bye {
  std::vector<std::uint32_t> ssrcs;
  std::string reason;
  bool operator==(const Bye&) const = default;
};
using Packet = std::variant<SenderReport, ReceiverReport, SourceDescription, Bye>;

// A compound (RFC 3550 §6.1) or reduced-size (RFC 5506) datagram. Packets of other types are
// skipped by their length; nullopt when any header, length or count does not fit the datagram.
// Law: parse(write(packets)) == packets, for what write() accepts.
std::optional<std::vector<Packet>> parse(std::span<const std::uint8_t> datagram);

// Requires: at most 31 blocks, SSRCs; strings of at most 255 bytes (longer are cut).
std::vector<std::uint8_t> write(std::span<const Packet> packets);

}  // namespace media::rtcp
