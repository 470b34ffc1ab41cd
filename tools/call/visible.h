// tools/call/visible.h: what others wrote, harmless on a terminal. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace call {

// Characters that move the cursor, turn the direction of writing (UAX #9 §2) or cannot be seen
// become character references ("&#x202e;"), bytes that are no UTF-8 U+FFFD. More than `most` code
// points are cut and end in "…", never within a character or a new reference. Requires: most > 0.
// Law: the result is UTF-8 of at most `most` code points, and its own visible().
std::string visible(std::string_view text, std::size_t most = std::string_view::npos);

// Of UTF-8.
std::size_t code_points(std::string_view text);

}  // namespace call
