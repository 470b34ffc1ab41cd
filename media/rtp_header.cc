#include "media/rtp_header.h"

#include <algorithm>

#include "media/check.h"

namespace media {
namespace {

constexpr std::size_t kFixedBytes = 12;
constexpr std::uint16_t kOneByteProfile = 0xBEDE;
constexpr std::uint16_t kTwoByteProfile = 0x1000;  // the low four bits are the application's

std::uint16_t read16(std::span<const std::uint8_t> in, std::size_t at) {
  return static_cast<std::uint16_t>(in[at] << 8 | in[at + 1]);
}

std::uint32_t read32(std::span<const std::uint8_t> in, std::size_t at) {
  return std::uint32_t{read16(in, at)} << 16 | read16(in, at + 2);
}

void write16(std::span<std::uint8_t> out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

void write32(std::span<std::uint8_t> out, std::size_t at, std::uint32_t value) {
  write16(out, at, static_cast<std::uint16_t>(value >> 16));
  write16(out, at + 2, static_cast<std::uint16_t>(value));
}

using Bytes = std::span<const std::uint8_t>;

std::optional<Bytes> find_one_byte(Bytes elements, std::uint8_t id) {
  std::size_t at = 0;
  while (at < elements.size()) {
    if (elements[at] == 0) {  // padding
      ++at;
      continue;
    }
    const std::uint8_t found = elements[at] >> 4;
    const std::size_t length = (elements[at] & 0x0F) + 1U;
    ++at;
    // RFC 8285 §4.2: id 15, and id 0 with a length, end all processing.
    if (found == 15 || found == 0 || length > elements.size() - at) return std::nullopt;
    if (found == id) return elements.subspan(at, length);
    at += length;
  }
  return std::nullopt;
}

std::optional<Bytes> find_two_byte(Bytes elements, std::uint8_t id) {
  std::size_t at = 0;
  while (at < elements.size()) {
    const std::uint8_t found = elements[at++];
    if (found == 0) continue;  // padding
    if (at == elements.size()) return std::nullopt;
    const std::size_t length = elements[at++];
    if (length > elements.size() - at) return std::nullopt;
    if (found == id) return elements.subspan(at, length);
    at += length;
  }
  return std::nullopt;
}

// RFC 6465 §3: one level per CSRC, in the same order. Returns the bytes written.
std::size_t write_levels(std::span<const Contributor> contributors, std::uint8_t id,
                         std::span<std::uint8_t> out) {
  const bool one_byte = id <= 14;
  write16(out, 0, one_byte ? kOneByteProfile : kTwoByteProfile);
  std::size_t at = 4;
  if (one_byte) {
    out[at++] = static_cast<std::uint8_t>(id << 4 | (contributors.size() - 1));
  } else {
    out[at++] = id;
    out[at++] = static_cast<std::uint8_t>(contributors.size());
  }
  for (const Contributor& contributor : contributors) out[at++] = contributor.level_dbov & 0x7F;
  while (at % 4 != 0) out[at++] = 0;
  write16(out, 2, static_cast<std::uint16_t>(at / 4 - 1));
  return at;
}

}  // namespace

std::uint32_t RtpPacket::csrc(std::size_t index) const {
  CHECK(index < csrc_count());
  return read32(csrcs, index * 4);
}

std::optional<RtpPacket> parse_rtp(Bytes packet) {
  if (packet.size() < kFixedBytes || packet[0] >> 6 != 2) return std::nullopt;
  const bool padding = (packet[0] & 0x20) != 0;
  const bool extension = (packet[0] & 0x10) != 0;
  RtpPacket view{.marker = (packet[1] & 0x80) != 0,
                 .payload_type = static_cast<std::uint8_t>(packet[1] & 0x7F),
                 .sequence = read16(packet, 2),
                 .timestamp = read32(packet, 4),
                 .ssrc = read32(packet, 8)};
  std::size_t at = kFixedBytes;
  const std::size_t csrc_bytes = (packet[0] & 0x0F) * 4U;
  if (csrc_bytes > packet.size() - at) return std::nullopt;
  view.csrcs = packet.subspan(at, csrc_bytes);
  at += csrc_bytes;
  if (extension) {
    if (packet.size() - at < 4) return std::nullopt;
    const std::size_t extension_bytes = read16(packet, at + 2) * 4U;
    view.extension_profile = read16(packet, at);
    at += 4;
    if (extension_bytes > packet.size() - at) return std::nullopt;
    view.extension = packet.subspan(at, extension_bytes);
    at += extension_bytes;
  }
  view.header_bytes = at;
  std::size_t payload_bytes = packet.size() - at;
  if (padding) {
    // The last byte counts the padding, itself included.
    if (payload_bytes == 0 || packet.back() == 0 || packet.back() > payload_bytes) {
      return std::nullopt;
    }
    payload_bytes -= packet.back();
  }
  view.payload = packet.subspan(at, payload_bytes);
  return view;
}

bool looks_like_rtcp(Bytes packet) {
  return packet.size() >= 2 && packet[0] >> 6 == 2 && packet[1] >= 192 && packet[1] <= 223;
}

std::optional<Bytes> find_extension(const RtpPacket& packet, std::uint8_t id) {
  if (id == 0) return std::nullopt;
  if (packet.extension_profile == kOneByteProfile) return find_one_byte(packet.extension, id);
  if ((packet.extension_profile & 0xFFF0) == kTwoByteProfile) {
    return find_two_byte(packet.extension, id);
  }
  return std::nullopt;
}

std::optional<AudioLevel> read_audio_level(const RtpPacket& packet, std::uint8_t id) {
  const std::optional<Bytes> data = find_extension(packet, id);
  if (!data || data->empty()) return std::nullopt;
  const std::uint8_t value = data->front();
  return AudioLevel{.level_dbov = static_cast<std::uint8_t>(value & 0x7F),
                    .voice = (value & 0x80) != 0};
}

Contributor ContributorList::at(std::size_t index, std::uint8_t unknown_dbov) const {
  CHECK(index < size());
  return {.id = read32(csrcs, index * 4),
          .level_dbov =
              levels.empty() ? unknown_dbov : static_cast<std::uint8_t>(levels[index] & 0x7F)};
}

ContributorList read_contributors(const RtpPacket& packet, std::uint8_t level_id) {
  const Bytes levels = find_extension(packet, level_id).value_or(Bytes{});
  return {.csrcs = packet.csrcs, .levels = levels.size() == packet.csrc_count() ? levels : Bytes{}};
}

void write_ssrc(std::uint32_t ssrc, std::span<std::uint8_t> packet) { write32(packet, 8, ssrc); }

std::size_t write_rtp_header(const RtpHeader& header, std::span<const Contributor> contributors,
                             std::uint8_t level_id, std::span<std::uint8_t> out) {
  CHECK(out.size() >= kMaxRtpHeaderBytes);
  contributors = contributors.first(std::min(contributors.size(), limits::kMaxCsrcs));
  const bool levels = level_id != 0 && !contributors.empty();
  out[0] = static_cast<std::uint8_t>(0x80 | (levels ? 0x10 : 0) | contributors.size());
  out[1] = static_cast<std::uint8_t>((header.marker ? 0x80 : 0) | (header.payload_type & 0x7F));
  write16(out, 2, header.sequence);
  write32(out, 4, header.timestamp);
  write32(out, 8, header.ssrc);
  std::size_t at = kFixedBytes;
  for (const Contributor& contributor : contributors) {
    write32(out, at, contributor.id);
    at += 4;
  }
  if (levels) at += write_levels(contributors, level_id, out.subspan(at));
  return at;
}

}  // namespace media
