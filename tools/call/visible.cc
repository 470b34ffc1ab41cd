#include "tools/call/visible.h"

#include <algorithm>
#include <cstdio>

namespace call {
namespace {

constexpr std::string_view kEllipsis = "…";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct Character {
  char32_t code = 0xfffd;
  std::size_t bytes = 1;
  bool valid = false;
};

// RFC 3629 §3: no overlong forms, no surrogates.
Character first(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t code = lead & (0x7f >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    code = code << 6 | (next & 0x3f);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool valid = code >= kLeast[bytes] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? Character{code, bytes, true} : Character{};
}

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
    const Character character = first(text);
    std::string shown(character.valid ? text.substr(0, character.bytes) : kReplacement);
    if (character.valid && is_harmful(character.code)) {
      char reference[16];
      std::snprintf(reference, sizeof reference, "&#x%x;", static_cast<unsigned>(character.code));
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
