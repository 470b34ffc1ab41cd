#include "media/ogg_opus_writer.h"

#include <ogg/ogg.h>
#include <opus.h>

#include <algorithm>
#include <array>
#include <utility>

#include "media/check.h"
#include "media/limits.h"

namespace media {
namespace {

// RFC 6716 §3.1, table 2.
constexpr std::uint64_t frame_samples(std::uint8_t toc) {
  const unsigned config = toc >> 3;
  if (config < 12) return std::array<std::uint64_t, 4>{480, 960, 1920, 2880}[config % 4];
  if (config < 16) return config % 2 == 0 ? 480 : 960;
  return std::uint64_t{120} << config % 4;
}
// The same, 10 ms long: in the SILK modes and the hybrid ones it is the shortest.
constexpr std::uint8_t with_10_ms(std::uint8_t toc) {
  const unsigned config = toc >> 3;
  const unsigned shortest = config < 12 ? config - config % 4 : config - config % 2;
  return static_cast<std::uint8_t>(shortest << 3 | (toc & 7));
}
// CELT, 2.5 ms long. It has no medium band: wideband keeps all of it (RFC 7845 §4.1).
constexpr std::uint8_t with_2_5_ms(std::uint8_t toc) {
  constexpr std::array<unsigned, 4> kOfSilk = {16, 20, 20, 20};
  const unsigned config = toc >> 3;
  const unsigned celt = config < 12   ? kOfSilk[config / 4]
                        : config < 14 ? 24
                        : config < 16 ? 28
                                      : config - config % 4;
  return static_cast<std::uint8_t>(celt << 3 | (toc & 7));
}

constexpr std::uint64_t kMostPacket_samples = 5760;  // RFC 6716 §3.2: 120 ms

// Its length; 0: it is none, or its frames do not lie within it.
std::uint64_t samples_of(std::span<const std::uint8_t> packet) {
  if (packet.empty() || packet.size() > limits::kMaxPacketBytes) return 0;
  const auto bytes = static_cast<opus_int32>(packet.size());
  std::array<opus_int16, 48> sizes;
  const int frames =
      opus_packet_parse(packet.data(), bytes, nullptr, nullptr, sizes.data(), nullptr);
  return frames > 0 ? static_cast<std::uint64_t>(frames) * frame_samples(packet[0]) : 0;
}

void append(std::vector<std::uint8_t>& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}
void append_le(std::vector<std::uint8_t>& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

// RFC 7845 §5.1.
std::vector<std::uint8_t> id_header(std::uint8_t channels) {
  std::vector<std::uint8_t> head;
  append(head, "OpusHead");
  head.push_back(1);  // version
  head.push_back(channels);
  append_le(head, OggOpusWriter::kPreSkip_samples, 2);
  append_le(head, 48000, 4);  // of what was encoded; players pay no heed to it
  append_le(head, 0, 2);      // output gain
  head.push_back(0);          // channel mapping family
  return head;
}

// RFC 7845 §5.2.
std::vector<std::uint8_t> comment_header(const std::vector<std::string>& comments) {
  std::vector<std::uint8_t> tags;
  append(tags, "OpusTags");
  const std::string_view vendor = kOpusVendor;
  append_le(tags, vendor.size(), 4);
  append(tags, vendor);
  append_le(tags, comments.size(), 4);
  for (const std::string& comment : comments) {
    append_le(tags, comment.size(), 4);
    append(tags, comment);
  }
  return tags;
}

}  // namespace

struct OggOpusWriter::Stream {
  explicit Stream(std::uint32_t serial) {
    CHECK(ogg_stream_init(&state, static_cast<int>(serial)) == 0);
  }
  ~Stream() { ogg_stream_clear(&state); }
  void put(std::span<const std::uint8_t> bytes, std::uint64_t granule, bool first, bool last) {
    ogg_packet packet{};
    packet.packet = const_cast<std::uint8_t*>(bytes.data());  // it is copied
    packet.bytes = static_cast<long>(bytes.size());
    packet.b_o_s = first ? 1 : 0;
    packet.e_o_s = last ? 1 : 0;
    packet.granulepos = static_cast<ogg_int64_t>(granule);
    packet.packetno = number++;
    CHECK(ogg_stream_packetin(&state, &packet) == 0);
  }
  ogg_stream_state state;
  ogg_int64_t number = 0;
};

OggOpusWriter::OggOpusWriter(Info info)
    : info_(std::move(info)), stream_(std::make_unique<Stream>(info_.serial)) {}

OggOpusWriter::~OggOpusWriter() = default;

// The headers have pages of their own (RFC 7845 §3).
void OggOpusWriter::begin(bool stereo) {
  if (std::exchange(begun_, true)) return;
  const std::uint8_t as_packet = stereo ? 2 : 1;
  stream_->put(id_header(info_.channels != 0 ? info_.channels : as_packet), 0, true, false);
  take_pages(true);
  stream_->put(comment_header(info_.comments), 0, false, false);
  take_pages(true);
}

bool OggOpusWriter::put(std::uint64_t at_samples, std::span<const std::uint8_t> packet) {
  const std::uint64_t samples = samples_of(packet);
  if (samples == 0 || at_samples < samples_) return false;
  begin((packet[0] & 4) != 0);
  // Before the first packet its own mode is as good as any, and saves a change.
  if (samples_ == 0) toc_ = packet[0];
  conceal(at_samples - samples_);
  toc_ = packet[0];
  add(packet, samples);
  return true;
}

void OggOpusWriter::conceal_to(std::uint64_t at_samples) {
  begin(false);
  if (at_samples > samples_) conceal(at_samples - samples_);
}

// RFC 7845 §4.1: in the mode of the last packet as long as possible, then in shorter frames.
void OggOpusWriter::conceal(std::uint64_t samples) {
  const auto fill = [&](std::uint8_t toc) {
    const std::uint64_t each = frame_samples(toc);
    conceal(toc, samples / each, each);
    samples %= each;
  };
  fill(toc_);
  if (toc_ >> 3 < 16) fill(with_10_ms(toc_));
  fill(with_2_5_ms(toc_));
}

// Frames of no bytes (RFC 6716 §3.2.1): "conceal".
void OggOpusWriter::conceal(std::uint8_t toc, std::uint64_t frames, std::uint64_t each) {
  while (frames > 0) {
    const std::uint64_t count = std::min(frames, kMostPacket_samples / each);
    const auto several = static_cast<std::uint8_t>(toc | 3);
    const std::array<std::uint8_t, 2> packet = {several, static_cast<std::uint8_t>(count)};
    add(packet, count * each);
    frames -= count;
  }
}

void OggOpusWriter::add(std::span<const std::uint8_t> packet, std::uint64_t samples) {
  if (!last_.empty()) stream_->put(last_, last_end_, false, false);
  samples_ += samples;
  last_.assign(packet.begin(), packet.end());
  take_pages(last_end_ - paged_samples_ >= kPage_samples - kMostPacket_samples);
  last_end_ = samples_;
}

void OggOpusWriter::take_pages(bool all) {
  ogg_page page;
  while ((all ? ogg_stream_flush(&stream_->state, &page)
              : ogg_stream_pageout(&stream_->state, &page)) != 0) {
    pages_.insert(pages_.end(), page.header, page.header + page.header_len);
    pages_.insert(pages_.end(), page.body, page.body + page.body_len);
    const ogg_int64_t granule = ogg_page_granulepos(&page);
    if (granule > 0) paged_samples_ = static_cast<std::uint64_t>(granule);
  }
}

void OggOpusWriter::finish() {
  // A file that ends before its pre-skip does would be no valid one (RFC 7845 §4.2).
  conceal_to(kPreSkip_samples);
  stream_->put(last_, last_end_, false, true);
  last_.clear();
  take_pages(true);
}

}  // namespace media
