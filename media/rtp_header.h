// media/rtp_header.h: RTP packets read and written (RFC 3550 §5.1), header extensions by id (RFC
// 8285, which replaced RFC 5285: one-byte and two-byte forms), audio levels of the client (RFC
// 6464) and of the contributors of a mix (RFC 6465). Pure; any thread; no allocation. Everything is
// bounds-checked: any bytes may come in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "media/limits.h"

namespace media {

// A view into the bytes it was read from; valid as long as they are.
struct RtpPacket {
  bool marker = false;
  std::uint8_t payload_type = 0;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  std::span<const std::uint8_t> csrcs{};      // four bytes each, network order: csrc() reads them
  std::uint16_t extension_profile = 0;        // 0xBEDE one-byte, 0x100x two-byte; else not ours
  std::span<const std::uint8_t> extension{};  // the elements, without profile and length
  std::span<const std::uint8_t> payload{};    // without padding; may be empty
  std::size_t header_bytes = 0;               // where the payload begins

  std::size_t csrc_count() const { return csrcs.size() / 4; }
  std::uint32_t csrc(std::size_t index) const;  // index < csrc_count()
};

// nullopt: not RTP version 2, or a length in it reaches beyond the packet.
std::optional<RtpPacket> parse_rtp(std::span<const std::uint8_t> packet);

// RFC 5761 §4: on a multiplexed port, what of RTP's look is RTCP (packet types 192 to 223).
bool looks_like_rtcp(std::span<const std::uint8_t> packet);

// The data of the first extension element with this id (1-14 in the one-byte form, 1-255 in the
// two-byte one); nullopt: not there. Id 0 (not agreed) is never found.
std::optional<std::span<const std::uint8_t>> find_extension(const RtpPacket& packet,
                                                            std::uint8_t id);

// Levels are attenuations as on the wire: 0 loudest, 127 silence (-127 dBov).
struct AudioLevel {
  std::uint8_t level_dbov = 127;
  bool voice = false;  // the client's own voice detection; clients without one never set it
  bool operator==(const AudioLevel&) const = default;
};
// RFC 6464 §3. `id` as agreed in signaling.
std::optional<AudioLevel> read_audio_level(const RtpPacket& packet, std::uint8_t id);

// One contributing source of a mix: its CSRC and, for RFC 6465, its level in it.
struct Contributor {
  std::uint32_t id = 0;
  std::uint8_t level_dbov = 127;
  bool operator==(const Contributor&) const = default;
};

// Who contributed to a mixer's packet: its CSRCs, and their levels (RFC 6465 §3: one for each, in
// the same order). Views; `levels` is empty when there is not one for each.
struct ContributorList {
  std::span<const std::uint8_t> csrcs{};  // four bytes each, network order
  std::span<const std::uint8_t> levels{};

  std::size_t size() const { return csrcs.size() / 4; }
  // Its level, `unknown_dbov` without levels. Requires: index < size().
  Contributor at(std::size_t index, std::uint8_t unknown_dbov) const;
};
// `level_id` as agreed in signaling.
ContributorList read_contributors(const RtpPacket& packet, std::uint8_t level_id);

// Replaces the SSRC of a packet. Requires: parse_rtp(packet).
void write_ssrc(std::uint32_t ssrc, std::span<std::uint8_t> packet);

struct RtpHeader {
  bool marker = false;
  std::uint8_t payload_type = 0;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
};

// 12, the CSRC list, the extension's head, and the longest RFC 6465 element padded to words.
inline constexpr std::size_t kMaxRtpHeaderBytes = 12 + 4 * limits::kMaxCsrcs + 4 + 20;

// Writes the header with its CSRC list (the first 15 contributors) and, unless `level_id` is 0 or
// nobody contributes, their levels in the same order (RFC 6465 §3; ids above 14 in the two-byte
// form). Returns its length. Requires: out.size() >= kMaxRtpHeaderBytes.
// Law: parse_rtp(write) gives back every field.              tests/media/rtp_header_test.cc
std::size_t write_rtp_header(const RtpHeader& header, std::span<const Contributor> contributors,
                             std::uint8_t level_id, std::span<std::uint8_t> out);

}  // namespace media
