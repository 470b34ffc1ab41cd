// media/play_list.h: lists of other things to play, as radio stations hand them out: M3U and PLS.
// Neither has a standard. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace media {

// What is taken for a list: by its media type, or by how it begins.
bool is_play_list(std::string_view content_type, std::string_view beginning);

// What it names, in its order, as it names it: URLs, or references relative to its own; at most
// limits::kMaxListEntries. nullopt: HLS (RFC 8216), which is one thing in many pieces.
std::optional<std::vector<std::string>> parse_play_list(std::string_view text);

}  // namespace media
