#include "coin/xml_text.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace coin {
namespace {

struct Decoded {
  char32_t code;
  std::size_t length;  // 0: not UTF-8
};

// Shortest forms only, no surrogates, up to U+10FFFF (RFC 3629 §4).
Decoded decode(std::string_view text) {
  const auto byte = [text](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto tail = [&byte](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead >= 0xC2 && lead <= 0xDF && tail(1)) return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead >= 0xE0 && lead <= 0xEF && tail(1) && tail(2)) {
    const char32_t code = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    if (code >= 0x800 && (code < 0xD800 || code > 0xDFFF)) return {code, 3};
  }
  if (lead >= 0xF0 && lead <= 0xF4 && tail(1) && tail(2) && tail(3)) {
    const char32_t code =
        (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    if (code >= 0x10000 && code <= 0x10FFFF) return {code, 4};
  }
  return {0, 0};
}

// After decode() only these are left to refuse.
bool is_char(char32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r';
  return c != 0xFFFE && c != 0xFFFF;
}

struct Range {
  char32_t first, last;
};
constexpr Range kNameStart[] = {
    {'A', 'Z'},       {'_', '_'},       {'a', 'z'},       {0xC0, 0xD6},     {0xD8, 0xF6},
    {0xF8, 0x2FF},    {0x370, 0x37D},   {0x37F, 0x1FFF},  {0x200C, 0x200D}, {0x2070, 0x218F},
    {0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
};
constexpr Range kNameMore[] = {
    {'-', '.'}, {'0', '9'}, {0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040},
};

template <std::size_t N>
bool in(const Range (&ranges)[N], char32_t c) {
  for (const Range& range : ranges) {
    if (c >= range.first && c <= range.last) return true;
  }
  return false;
}

// Bytes that may be copied without a look.
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = true;
  plain['&'] = plain['<'] = plain['>'] = plain['"'] = false;
  return plain;
}();

void append_escaped(std::string& out, std::string_view text, bool attribute) {
  std::size_t copied = 0;  // everything before is in `out`
  const auto replace = [&](std::size_t at, std::size_t length, std::string_view by) {
    out.append(text.substr(copied, at - copied)).append(by);
    copied = at + length;
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (kPlain[c]) {
      ++i;
      continue;
    }
    const Decoded decoded = decode(text.substr(i));
    const std::size_t length = decoded.length == 0 ? 1 : decoded.length;
    if (decoded.length == 0 || !is_char(decoded.code)) {
      replace(i, length, "");
    } else if (c == '&') {
      replace(i, 1, "&amp;");
    } else if (c == '<') {
      replace(i, 1, "&lt;");
    } else if (c == '>') {
      replace(i, 1, "&gt;");
    } else if (c == '\r') {
      replace(i, 1, "&#13;");
    } else if (attribute && c == '"') {
      replace(i, 1, "&quot;");
    } else if (attribute && c == '\n') {
      replace(i, 1, "&#10;");
    } else if (attribute && c == '\t') {
      replace(i, 1, "&#9;");
    }
    i += length;
  }
  out.append(text.substr(copied));
}

}  // namespace

bool is_carriable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (kPlain[static_cast<unsigned char>(text[i])]) {
      ++i;
      continue;
    }
    const Decoded decoded = decode(text.substr(i));
    if (decoded.length == 0 || !is_char(decoded.code)) return false;
    i += decoded.length;
  }
  return true;
}

bool is_ncname(std::string_view name) {
  if (name.empty()) return false;
  for (bool first = true; !name.empty(); first = false) {
    if (name[0] >= 'a' && name[0] <= 'z') {  // nearly all there are
      name.remove_prefix(1);
      continue;
    }
    const Decoded decoded = decode(name);
    if (decoded.length == 0) return false;
    if (!in(kNameStart, decoded.code) && (first || !in(kNameMore, decoded.code))) return false;
    name.remove_prefix(decoded.length);
  }
  return true;
}

void append_text(std::string& out, std::string_view text) { append_escaped(out, text, false); }
void append_attribute_value(std::string& out, std::string_view text) {
  append_escaped(out, text, true);
}

std::string collapse(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool space = false;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      space = !out.empty();
      continue;
    }
    if (space) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

}  // namespace coin
