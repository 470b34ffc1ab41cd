#include "media/rtcp.h"

#include <algorithm>

namespace media::rtcp {
namespace {

constexpr std::uint8_t kSenderReport = 200, kReceiverReport = 201, kSourceDescription = 202,
                       kBye = 203;
constexpr std::size_t kBlockBytes = 24;
constexpr std::uint8_t kCname = 1;

// Every read is preceded by a check of left(); reading past the end is a programmer's mistake.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::size_t left() const { return bytes_.size(); }
  std::uint8_t u8() {
    const auto value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint32_t u24() {
    const std::uint32_t high = u8(), middle = u8();
    return high << 16 | middle << 8 | u8();
  }
  std::uint32_t u32() {
    const std::uint32_t high = u8();
    return high << 24 | u24();
  }
  std::string text(std::size_t length) {
    std::string value(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(length));
    bytes_ = bytes_.subspan(length);
    return value;
  }
  std::span<const std::uint8_t> take(std::size_t length) {
    const auto value = bytes_.first(length);
    bytes_ = bytes_.subspan(length);
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

class Writer {
 public:
  void u8(std::uint32_t value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }
  void u16(std::uint32_t value) { u8(value >> 8), u8(value); }
  void u24(std::uint32_t value) { u8(value >> 16), u16(value); }
  void u32(std::uint32_t value) { u16(value >> 16), u16(value); }
  void text(const std::string& value) {
    const auto length = std::min<std::size_t>(value.size(), 255);
    u8(static_cast<std::uint32_t>(length));
    bytes_.insert(bytes_.end(), value.begin(), value.begin() + static_cast<std::ptrdiff_t>(length));
  }
  // Header with the length still open; end() fills it in after padding to 32 bits.
  void begin(std::size_t count, std::uint8_t type) {
    start_ = bytes_.size();
    u8(0x80U | static_cast<std::uint32_t>(count & 31U));
    u8(type);
    u16(0);
  }
  void end() {
    while (bytes_.size() % 4 != 0) u8(0);
    const auto words = (bytes_.size() - start_) / 4 - 1;
    bytes_[start_ + 2] = static_cast<std::uint8_t>(words >> 8);
    bytes_[start_ + 3] = static_cast<std::uint8_t>(words);
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t start_ = 0;
};

ReportBlock read_block(Reader& in) {
  ReportBlock block;
  block.ssrc = in.u32();
  block.fraction_lost = in.u8();
  const std::uint32_t lost = in.u24();
  block.cumulative_lost = static_cast<std::int32_t>(lost << 8) >> 8;  // sign of bit 23
  block.highest_sequence = in.u32();
  block.jitter = in.u32();
  block.last_sr = in.u32();
  block.delay_since_last_sr = in.u32();
  return block;
}

void write_block(Writer& out, const ReportBlock& block) {
  out.u32(block.ssrc);
  out.u8(block.fraction_lost);
  out.u24(static_cast<std::uint32_t>(std::clamp(block.cumulative_lost, -0x800000, 0x7fffff)));
  out.u32(block.highest_sequence);
  out.u32(block.jitter);
  out.u32(block.last_sr);
  out.u32(block.delay_since_last_sr);
}

bool read_blocks(Reader& in, std::size_t count, std::vector<ReportBlock>& blocks) {
  if (in.left() < count * kBlockBytes) return false;  // what follows is a profile's extension
  for (std::size_t i = 0; i < count; ++i) blocks.push_back(read_block(in));
  return true;
}

bool read_report(Reader in, std::size_t count, bool sender, std::vector<Packet>& out) {
  if (in.left() < (sender ? 24U : 4U)) return false;
  if (!sender) {
    ReceiverReport report;
    report.ssrc = in.u32();
    if (!read_blocks(in, count, report.blocks)) return false;
    out.emplace_back(std::move(report));
    return true;
  }
  SenderReport report;
  report.ssrc = in.u32();
  const std::uint64_t seconds = in.u32();
  report.ntp = seconds << 32 | in.u32();
  report.rtp_timestamp = in.u32();
  report.packets = in.u32();
  report.octets = in.u32();
  if (!read_blocks(in, count, report.blocks)) return false;
  out.emplace_back(std::move(report));
  return true;
}

// RFC 3550 §6.5: each chunk ends with one to four zero octets, up to a 32-bit boundary.
bool read_descriptions(Reader in, std::size_t count, std::vector<Packet>& out) {
  for (std::size_t i = 0; i < count; ++i) {
    if (in.left() < 8) return false;
    SourceDescription chunk;
    chunk.ssrc = in.u32();
    const auto start = in.left();
    for (;;) {
      if (in.left() < 1) return false;
      const auto type = in.u8();
      if (type == 0) break;
      if (in.left() < 1) return false;
      const std::size_t length = in.u8();
      if (in.left() < length) return false;
      auto text = in.text(length);
      if (type == kCname) chunk.cname = std::move(text);
    }
    while ((start - in.left()) % 4 != 0) {
      if (in.left() < 1) return false;
      in.u8();
    }
    out.emplace_back(std::move(chunk));
  }
  return true;
}

bool read_bye(Reader in, std::size_t count, std::vector<Packet>& out) {
  if (in.left() < count * 4) return false;
  Bye bye;
  for (std::size_t i = 0; i < count; ++i) bye.ssrcs.push_back(in.u32());
  if (in.left() > 0) {
    const std::size_t length = in.u8();
    if (in.left() < length) return false;
    bye.reason = in.text(length);
  }
  out.emplace_back(std::move(bye));
  return true;
}

struct PacketWriter {
  Writer& out;
  void operator()(const SenderReport& report) const {
    out.begin(report.blocks.size(), kSenderReport);
    out.u32(report.ssrc);
    out.u32(static_cast<std::uint32_t>(report.ntp >> 32));
    out.u32(static_cast<std::uint32_t>(report.ntp));
    out.u32(report.rtp_timestamp);
    out.u32(report.packets);
    out.u32(report.octets);
    for (const auto& block : report.blocks) write_block(out, block);
    out.end();
  }
  void operator()(const ReceiverReport& report) const {
    out.begin(report.blocks.size(), kReceiverReport);
    out.u32(report.ssrc);
    for (const auto& block : report.blocks) write_block(out, block);
    out.end();
  }
  void operator()(const SourceDescription& chunk) const {
    out.begin(1, kSourceDescription);
    out.u32(chunk.ssrc);
    out.u8(kCname);
    out.text(chunk.cname);
    out.u8(0);  // at least one; end() pads to the boundary
    out.end();
  }
  void operator()(const Bye& bye) const {
    out.begin(bye.ssrcs.size(), kBye);
    for (const auto ssrc : bye.ssrcs) out.u32(ssrc);
    if (!bye.reason.empty()) out.text(bye.reason);
    out.end();
  }
};

}  // namespace

std::optional<std::vector<Packet>> parse(std::span<const std::uint8_t> datagram) {
  std::vector<Packet> packets;
  Reader in(datagram);
  if (in.left() == 0) return std::nullopt;
  while (in.left() > 0) {
    if (in.left() < 4) return std::nullopt;
    const auto first = in.u8();
    const auto type = in.u8();
    const std::size_t high = in.u8();
    const std::size_t body_bytes = (high << 8 | in.u8()) * 4;
    if (first >> 6 != 2 || in.left() < body_bytes) return std::nullopt;
    auto body = in.take(body_bytes);
    if ((first & 0x20U) != 0) {  // padding: on the last packet only (RFC 3550 §6.4.1)
      if (in.left() > 0 || body.empty()) return std::nullopt;
      const std::size_t padding = body.back();
      if (padding == 0 || padding % 4 != 0 || padding > body.size()) return std::nullopt;
      body = body.first(body.size() - padding);
    }
    const std::size_t count = first & 31U;
    bool fits = true;
    switch (type) {
      case kSenderReport: fits = read_report(Reader(body), count, true, packets); break;
      case kReceiverReport: fits = read_report(Reader(body), count, false, packets); break;
      case kSourceDescription: fits = read_descriptions(Reader(body), count, packets); break;
      case kBye: fits = read_bye(Reader(body), count, packets); break;
      default: break;  // APP, XR, feedback: not ours
    }
    if (!fits) return std::nullopt;
  }
  return packets;
}

std::vector<std::uint8_t> write(std::span<const Packet> packets) {
  Writer out;
  for (const auto& packet : packets) std::visit(PacketWriter{out}, packet);
  return out.take();
}

}  // namespace media::rtcp
