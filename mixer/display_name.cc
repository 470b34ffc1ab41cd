#include "mixer/display_name.h"

#include <algorithm>
#include <span>

namespace mixer {
namespace {

bool is_break(char32_t c) {
  return (c >= '\t' && c <= '\r') || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_unwanted(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) ||  // controls
         c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) ||  // bidirectional (UAX #9 §2)
         c == 0xfeff || (c & 0xfffe) == 0xfffe;
}

}  // namespace

CodePoint first_code_point(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t value = lead & (0x7f >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    value = value << 6 | (next & 0x3f);
  }
  static constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool valid =
      value >= kLeast[bytes] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  return valid ? CodePoint{value, bytes, true} : CodePoint{};
}

std::string displayable(std::string_view text, std::size_t code_points) {
  std::string out;
  std::size_t count = 0;
  while (!text.empty() && count < code_points) {
    const CodePoint c = first_code_point(text);
    const bool breaks = is_break(c.value);
    const bool is_space = breaks || c.value == ' ';
    const bool is_shown = is_space ? !out.empty() && !(breaks && out.back() == ' ')
                                   : c.valid && !is_unwanted(c.value);
    if (is_shown) {
      out += is_space ? " " : text.substr(0, c.bytes);
      ++count;
    }
    text.remove_prefix(c.bytes);
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string name_list(const std::vector<std::string>& names, std::size_t most) {
  std::string list;
  for (const std::string& name : std::span(names).first(std::min(names.size(), most))) {
    list += (list.empty() ? "" : ", ") + name;
  }
  if (names.size() > most) {
    const std::size_t more = names.size() - most;
    list += " and " + std::to_string(more) + (more == 1 ? " other" : " others");
  }
  return list;
}

std::string display_name(const jingle::Jid& who) {
  std::string name = displayable(who.unescaped_local());
  return name.empty() ? displayable(who.domain()) : name;
}

}  // namespace mixer
