// mixer/display_name.h: names of people as others may see them. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mixer/limits.h"
#include "signaling/jid.h"

namespace mixer {

// The first of a text that is not empty; what is no UTF-8 (RFC 3629 §3: overlong forms and
// surrogates, too) is one invalid byte after the other.
struct CodePoint {
  char32_t value = 0xfffd;
  std::size_t bytes = 1;
  bool valid = false;
};
CodePoint first_code_point(std::string_view text);

// `text` without controls and bidirectional formatting (a name must not reorder its line), a space
// for a tab or a line's end, no invalid UTF-8, at most so many code points, no outer spaces.
std::string displayable(std::string_view text,
                        std::size_t code_points = limits::kMaxDisplayCodePoints);

// "ann", "ann, bob", "ann, bob and 3 others": the first `most` of them by name.
std::string name_list(const std::vector<std::string>& names, std::size_t most);

// The unescaped localpart, never the resource; the domain if there is no localpart.
std::string display_name(const jingle::Jid& who);

}  // namespace mixer
