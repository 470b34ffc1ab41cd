// mixer/display_name.h: names of people as others may see them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "mixer/limits.h"
#include "signaling/jid.h"

namespace mixer {

// `text` without control and bidirectional formatting characters (a name must not reorder the line
// it stands in), invalid UTF-8 left out, at most so many code points, no outer spaces.
std::string displayable(std::string_view text,
                        std::size_t code_points = limits::kMaxDisplayCodePoints);

// The unescaped localpart, never the resource; the domain if there is no localpart.
std::string display_name(const jingle::Jid& who);

}  // namespace mixer
