#include "tests/support/ogg_reader.h"

#include <opus.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace test_support {
namespace {

using Bytes = std::span<const std::uint8_t>;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("Ogg: " + what); }

void require(bool holds, const char* what) {
  if (!holds) fail(what);
}

std::uint64_t le(Bytes bytes, std::size_t at, std::size_t count) {
  require(at + count <= bytes.size(), "a number beyond the end");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value |= std::uint64_t{bytes[at + i]} << 8 * i;
  return value;
}

// RFC 3533 §6: polynomial 0x04C11DB7, the field itself taken for zero.
std::uint32_t checksum(Bytes page) {
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < page.size(); ++i) {
    const std::uint32_t byte = i >= 22 && i < 26 ? 0 : page[i];
    crc ^= byte << 24;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc & 0x80000000U) != 0 ? 0x04C11DB7U : 0);
  }
  return crc;
}

std::string text(Bytes bytes, std::size_t& at) {
  const auto length = static_cast<std::size_t>(le(bytes, at, 4));
  at += 4;
  require(at + length <= bytes.size(), "a comment beyond the end");
  const std::string said(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                         bytes.begin() + static_cast<std::ptrdiff_t>(at + length));
  at += length;
  return said;
}

void read_header(OggOpusFile& file, int number, Bytes packet) {
  require(packet.size() >= 8, "a short header");
  const std::string magic(packet.begin(), packet.begin() + 8);
  if (number == 0) {
    require(magic == "OpusHead" && packet.size() == 19 && packet[8] == 1, "no OpusHead");
    file.channels = packet[9];
    file.pre_skip = static_cast<int>(le(packet, 10, 2));
    require(packet[18] == 0, "a channel mapping");
    return;
  }
  require(magic == "OpusTags", "no OpusTags");
  std::size_t at = 8;
  file.vendor = text(packet, at);
  const std::uint64_t count = le(packet, at, 4);
  at += 4;
  for (std::uint64_t i = 0; i < count; ++i) file.comments.push_back(text(packet, at));
}

void read_sound(OggOpusFile& file, Bytes bytes) {
  OggOpusFile::Packet packet{.bytes = {bytes.begin(), bytes.end()}};
  opus_int16 sizes[48];
  const int frames = opus_packet_parse(bytes.data(), static_cast<opus_int32>(bytes.size()), nullptr,
                                       nullptr, sizes, nullptr);
  require(frames > 0, "no Opus packet");
  packet.samples = frames * opus_packet_get_samples_per_frame(bytes.data(), 48000);
  packet.conceals = std::all_of(sizes, sizes + frames, [](opus_int16 size) { return size == 0; });
  if (!file.packets.empty()) {
    const auto& before = file.packets.back();
    packet.at_samples = before.at_samples + static_cast<std::uint64_t>(before.samples);
  }
  file.packets.push_back(std::move(packet));
}

// How long the page at the front is; 0: it is not whole.
std::size_t page_bytes(Bytes bytes) {
  if (bytes.size() < 27 || bytes.size() < 27U + bytes[26]) return 0;
  std::size_t length = 27U + bytes[26];
  for (std::size_t i = 0; i < bytes[26]; ++i) length += bytes[27 + i];
  return length <= bytes.size() ? length : 0;
}

}  // namespace

OggOpusFile read_ogg_opus(Bytes bytes) {
  OggOpusFile file;
  int packets = 0;
  std::vector<std::uint8_t> open;  // a packet that goes on in the next page
  for (std::uint64_t number = 0;; ++number) {
    const std::size_t length = page_bytes(bytes.subspan(file.whole_bytes));
    if (length == 0) return file;
    const Bytes page = bytes.subspan(file.whole_bytes, length);
    require(std::equal(page.begin(), page.begin() + 5, "OggS\0"), "no page");
    require(checksum(page) == le(page, 22, 4), "a wrong checksum");
    require(le(page, 18, 4) == number, "a page is missing");
    require(!file.ended, "something after the end");
    if (number == 0) file.serial = static_cast<std::uint32_t>(le(page, 14, 4));
    require(file.serial == le(page, 14, 4), "another stream");
    require(((page[5] & 2) != 0) == (number == 0), "the first page is not the first");
    require(((page[5] & 1) != 0) == !open.empty(), "a packet goes on, or does not");
    file.ended = (page[5] & 4) != 0;
    std::size_t at = 27U + page[26];
    for (std::size_t i = 0; i < page[26]; ++i) {
      const std::size_t lace = page[27 + i];
      open.insert(open.end(), page.begin() + static_cast<std::ptrdiff_t>(at),
                  page.begin() + static_cast<std::ptrdiff_t>(at + lace));
      at += lace;
      if (lace == 255) continue;
      packets < 2 ? read_header(file, packets, open) : read_sound(file, open);
      ++packets;
      open.clear();
    }
    file.whole_bytes += length;
    const std::uint64_t granule = le(page, 6, 8);
    if (number < 2) {
      require(granule == 0 && packets == static_cast<int>(number) + 1 && open.empty(),
              "a header has a page of its own");
      continue;
    }
    if (granule == UINT64_MAX) continue;  // no packet ends here
    require(!file.packets.empty(), "a page without sound");
    const auto& last = file.packets.back();
    // RFC 7845 §4: what can be decoded up to here; only the end may be cut.
    const std::uint64_t end = last.at_samples + static_cast<std::uint64_t>(last.samples);
    require(granule == end, "a granule position that is not the time");
    file.pages.push_back(granule);
    file.page_ends.push_back(file.whole_bytes);
  }
}

OggOpusFile read_ogg_opus(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  return read_ogg_opus(Bytes(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

Samples decode(const OggOpusFile& file) {
  int error = OPUS_OK;
  const std::unique_ptr<OpusDecoder, decltype(&opus_decoder_destroy)> decoder(
      opus_decoder_create(48000, 1, &error), opus_decoder_destroy);
  Samples sound;
  for (const OggOpusFile::Packet& packet : file.packets) {
    Samples samples(5760);
    const int decoded =
        opus_decode(decoder.get(), packet.bytes.data(),
                    static_cast<opus_int32>(packet.bytes.size()), samples.data(), 5760, 0);
    if (decoded != packet.samples) fail("a packet is shorter than it says");
    sound.insert(sound.end(), samples.begin(), samples.begin() + decoded);
  }
  sound.erase(sound.begin(),
              sound.begin() + std::min<std::ptrdiff_t>(file.pre_skip, std::ssize(sound)));
  return sound;
}

}  // namespace test_support
