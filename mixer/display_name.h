// mixer/display_name.h: names of people as others may see them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "signaling/jid.h"

namespace mixer {

// `text` without control and bidirectional formatting characters (a name must not reorder the line
// it stands in), invalid UTF-8 left out, at most limits::kMaxDisplayCodePoints, no outer spaces.
std::string displayable(std::string_view text);

// The unescaped localpart, never the resource; the domain if there is no localpart.
std::string display_name(const jingle::Jid& who);

}  // namespace mixer
