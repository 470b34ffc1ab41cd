#include "tools/call/visible.h"

#include <algorithm>
#include <cstdio>

#include "mixer/display_name.h"

namespace call {
namespace {

constexpr std::string_view kEllipsis = "…";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool is_harmful(char32_t code) {
  const auto within = [code](char32_t from, char32_t to) { return code >= from && code <= to; };
  return code < 0x20 || within(0x7f, 0x9f) || code == 0xad || code == 0x61c ||
         within(0x200b, 0x200f) || within(0x2028, 0x202e) || within(0x2060, 0x206f) ||
         within(0xfff9, 0xfffb) || code == 0xfeff || (code & 0xfffe) == 0xfffe ||
         within(0xe0000, 0xe007f);
}

}  // namespace

std::string visible(std::string_view text, std::size_t most) {
  std::string out;
  std::size_t length = 0, end = 0;  // code points so far; where "…" may stand
  while (!text.empty()) {
    const mixer::CodePoint character = mixer::first_code_point(text);
    std::string shown(character.valid ? text.substr(0, character.bytes) : kReplacement);
    if (character.valid && is_harmful(character.value)) {
      char reference[16];
      std::snprintf(reference, sizeof reference, "&#x%x;", static_cast<unsigned>(character.value));
      shown = reference;
    }
    length += code_points(shown);
    if (length > most) return out.substr(0, end).append(kEllipsis);
    out += shown;
    if (length < most) end = out.size();
    text.remove_prefix(character.bytes);
  }
  return out;
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace call
