#include "media/icy_stream.h"

#include <algorithm>
#include <utility>

namespace media {
namespace {

constexpr std::size_t kBlock_bytes = 16;

// A title may have apostrophes in it, and they end it only before a semicolon.
std::string_view title_of(std::string_view words) {
  constexpr std::string_view kBefore = "StreamTitle='";
  const std::size_t begin = words.find(kBefore);
  if (begin == words.npos) return {};
  words.remove_prefix(begin + kBefore.size());
  return words.substr(0, words.find("';"));
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0x80                   ? 0
                     : lead >= 0xC2 && lead < 0xE0 ? 1
                     : lead >= 0xE0 && lead < 0xF0 ? 2
                     : lead >= 0xF0 && lead < 0xF5 ? 3
                                                   : -1;
    if (more < 0) return false;
    for (int k = 0; k < more; ++k, ++i) {
      if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return false;
    }
  }
  return true;
}

}  // namespace

std::string as_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string utf8;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      utf8 += c;
    } else {
      utf8 += static_cast<char>(0xC0 | byte >> 6);
      utf8 += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return utf8;
}

void IcyStream::feed(std::string_view bytes, const std::function<void(std::string_view)>& body,
                     const std::function<void(std::string)>& title) {
  if (interval_ == 0) return body(bytes);
  while (!bytes.empty()) {
    if (!in_title_ && left_ == 0) {
      left_ = static_cast<unsigned char>(bytes.front()) * kBlock_bytes;
      bytes.remove_prefix(1);
      in_title_ = left_ > 0;
      if (!in_title_) left_ = interval_;
      continue;
    }
    const std::string_view part = bytes.substr(0, std::min(left_, bytes.size()));
    bytes.remove_prefix(part.size());
    left_ -= part.size();
    if (!in_title_) {
      body(part);
      continue;
    }
    words_ += part;
    if (left_ > 0) continue;
    if (const auto found = title_of(words_); !found.empty()) title(as_utf8(found));
    words_.clear();
    in_title_ = false;
    left_ = interval_;
  }
}

}  // namespace media
