#include <algorithm>
#include <cctype>

#include "signaling/pep.h"

namespace jingle::pep {
namespace {

bool is_alpha(unsigned char c) { return std::isalpha(c) != 0 && c < 0x80; }
bool is_digit(unsigned char c) { return '0' <= c && c <= '9'; }

// Unreserved, reserved but for brackets, and what an IRI has beyond ASCII.
bool is_plain(unsigned char c) {
  constexpr std::string_view kMarks = "-._~:/?#@!$&'()*+,;=";
  return is_alpha(c) || is_digit(c) || c >= 0x80 ||
         kMarks.find(static_cast<char>(c)) != kMarks.npos;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_alpha(static_cast<unsigned char>(text.front())) &&
         std::ranges::all_of(text, [](unsigned char c) {
           return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

// RFC 3986 §3.2: no literal addresses in brackets.
bool is_authority(std::string_view text) {
  if (const auto at = text.find('@'); at != text.npos) text.remove_prefix(at + 1);
  const auto colon = text.find(':');
  return text.find('@') == text.npos &&
         (colon == text.npos || std::ranges::all_of(text.substr(colon + 1), is_digit));
}

}  // namespace

bool is_uri_reference(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto hex = text.substr(i + 1, 2);
      if (hex.size() < 2 ||
          !std::ranges::all_of(hex, [](unsigned char c) { return std::isxdigit(c) != 0; })) {
        return false;
      }
    } else if (!is_plain(static_cast<unsigned char>(text[i]))) {
      return false;
    }
  }
  if (text.empty() || std::ranges::count(text, '#') > 1) return false;
  const auto colon = text.find_first_of(":/?#");
  if (colon != text.npos && text[colon] == ':') {
    if (!is_scheme(text.substr(0, colon))) return false;
    text.remove_prefix(colon + 1);
  }
  if (!text.starts_with("//")) return true;
  text.remove_prefix(2);
  return is_authority(text.substr(0, text.find_first_of("/?#")));
}

}  // namespace jingle::pep
