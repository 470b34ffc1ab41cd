// mixer/room_picture.h: the picture of a room that has none of its own (XEP-0084), and what is one.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace mixer {

// The first letters or digits of at most two words of `name`, "Tea-time, daily" -> "TT", of those
// that can be drawn: A to Z, in capitals, and 0 to 9.
std::string initials(std::string_view name);

// A PNG of 64 x 64 pixels, as XEP-0084 §5 recommends, well under its 8 KiB: the initials, or a
// pattern where there are none, on a dark ground; both chosen by the name.
// Law: the same for the same name (tests/mixer/room_picture_test.cc).
std::string room_picture(std::string_view name);

// Whether it can be drawn to its last line.
bool is_png(std::string_view image);

}  // namespace mixer
