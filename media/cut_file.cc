#include "media/cut_file.h"

#include <ogg/ogg.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace media {
namespace {

// Written where the length was not known yet, and left where nobody could go back to it.
constexpr std::uint64_t kUnknown = 0x7F000000;
// A page has 65,307 bytes at most; some files have tags after their last.
constexpr std::size_t kOggEnd_bytes = 131072;
// In fragments there are thousands, each of which may cost a request.
constexpr int kMostBoxes = 8;

using Head = std::array<char, 16>;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

bool lacks(std::uint64_t whole, std::uint64_t size) {
  return whole > size && whole - size > whole / 100;
}

bool riff_is_cut(std::uint64_t declared, std::uint64_t size) {
  return declared < kUnknown && lacks(declared + 8, size);
}

// Its last whole page, if there is one, does not say that it is the last, and something else
// follows: what was taken from a station has no last page (RFC 7845 §3), and is whole.
bool ogg_is_cut(std::span<const char> end) {
  ogg_sync_state pages;
  ogg_sync_init(&pages);
  bool last = false, something = true;
  if (char* const buffer = ogg_sync_buffer(&pages, static_cast<long>(end.size()))) {
    std::memcpy(buffer, end.data(), end.size());
    ogg_sync_wrote(&pages, static_cast<long>(end.size()));
    ogg_page page;
    for (long got = 0; (got = ogg_sync_pageseek(&pages, &page)) != 0;) {
      if (got > 0) last = ogg_page_eos(&page) != 0;
      something = got < 0;
    }
    something = something || pages.returned < pages.fill;
  }
  ogg_sync_clear(&pages);
  return !last && something;
}

constexpr std::string_view kBoxes[] = {"ftyp", "styp", "moov", "moof", "mdat", "sidx",
                                       "mfra", "meta", "free", "skip", "wide", "uuid"};

// What is appended to the last is no box.
bool boxes_are_cut(std::uint64_t size, const ReadAt& read) {
  std::uint64_t at = 0;
  for (int i = 0; i < kMostBoxes && at < size; ++i) {
    Head head{};
    const std::size_t got = read(at, head);
    const std::string_view box(head.data(), got);
    if (box.size() < 8 || std::ranges::find(kBoxes, box.substr(4, 4)) == std::end(kBoxes)) break;
    std::uint64_t bytes = big_endian(box.substr(0, 4));
    if (bytes == 1 && box.size() == head.size()) bytes = big_endian(box.substr(8));
    if (bytes < 8 || bytes > INT64_MAX) return false;  // to its end, or nonsense
    at += bytes;
  }
  return lacks(at, size);
}

// The header, and then a segment of known size.
bool matroska_is_cut(std::uint64_t size, const ReadAt& read) {
  constexpr std::uint64_t kHeader = 0x1A45DFA3, kSegment = 0x18538067;
  std::uint64_t at = 0;
  for (const std::uint64_t id : {kHeader, kSegment}) {
    Head head{};
    if (read(at, head) < head.size()) return false;
    const std::string_view element(head.data(), head.size());
    const int length = std::countl_zero(static_cast<unsigned char>(element[4])) + 1;
    if (big_endian(element.substr(0, 4)) != id || length > 8) return false;
    const std::uint64_t unknown = (std::uint64_t{1} << (7 * length)) - 1;
    const std::uint64_t bytes =
        big_endian(element.substr(4, static_cast<std::size_t>(length))) & unknown;
    if (bytes == unknown) return false;
    at += 4 + static_cast<std::uint64_t>(length) + bytes;
  }
  return lacks(at, size);
}

// The bytes of the first frame's Xing header, or Info, after an ID3v2 tag; some count that, too.
bool mp3_is_cut(std::uint64_t size, const ReadAt& read) {
  constexpr std::uint64_t kHasFrames = 1, kHasBytes = 2;
  Head head{};
  read(0, head);
  const std::string_view tag(head.data(), head.size());
  std::uint64_t begin = 0;
  if (tag.starts_with("ID3")) {
    begin = 10;
    for (int i = 0; i < 4; ++i) begin += (std::uint64_t{tag[6 + i] & 0x7FU}) << 7 * (3 - i);
  }
  std::array<char, 64> frame{};
  if (read(begin, frame) < frame.size()) return false;
  const std::string_view first(frame.data(), frame.size());
  if (static_cast<unsigned char>(first[0]) != 0xFF || (first[1] & 0xE0) != 0xE0) return false;
  const std::size_t at = std::min(first.find("Xing"), first.find("Info"));
  if (at > 40) return false;
  const std::uint64_t flags = big_endian(first.substr(at + 4, 4));
  if ((flags & kHasBytes) == 0) return false;
  const std::size_t bytes = at + 8 + ((flags & kHasFrames) != 0 ? 4 : 0);
  return lacks(big_endian(first.substr(bytes, 4)), size);
}

}  // namespace

bool is_cut(std::uint64_t size, const ReadAt& read) {
  Head head{};
  if (read(0, head) < head.size()) return false;
  const std::string_view header(head.data(), head.size());
  const std::string_view kind = header.substr(0, 4), form = header.substr(8, 4);
  const std::string_view box = header.substr(4, 4);
  if (kind == "RIFF" && (form == "WAVE" || form == "AVI ")) {
    const std::string little_endian(box.rbegin(), box.rend());
    return riff_is_cut(big_endian(little_endian), size);
  }
  if (kind == "FORM" && (form == "AIFF" || form == "AIFC")) {
    return riff_is_cut(big_endian(box), size);
  }
  if (kind == ".snd") {
    const std::uint64_t bytes = big_endian(form);
    return bytes < kUnknown && lacks(big_endian(box) + bytes, size);
  }
  if (kind == "OggS") {
    std::vector<char> end(std::min<std::uint64_t>(size, kOggEnd_bytes));
    return read(size - end.size(), end) == end.size() && ogg_is_cut(end);
  }
  if (kind == "\x1A\x45\xDF\xA3") return matroska_is_cut(size, read);
  if (std::ranges::find(kBoxes, box) != std::end(kBoxes)) return boxes_are_cut(size, read);
  return mp3_is_cut(size, read);
}

}  // namespace media
