// mixer/extended_presence.h: what a room tells of itself beyond presence (XEP-0119), of what the
// configuration switches on. Pure; any thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "mixer/config.h"
#include "mixer/now_playing.h"
#include "signaling/pep.h"

namespace mixer {

struct Situation {
  std::size_t users = 0;  // in the call
  std::string topic;
  std::optional<NowPlaying> playing;
  std::string status;  // a moderator's words, in place of the configured ones
  bool operator==(const Situation&) const = default;
};

// By node; those that are not in it show nothing. An avatar comes with its data.
using Shown = std::map<jingle::pep::Node, jingle::pep::Payload>;

// Law: only nodes of config.publish, and of viewing nothing that config.viewing_never names, nor
// what is local unless config.viewing_local; paths of local files are in none
// (tests/mixer/extended_presence_test.cc).
Shown extended_presence(const Config::Presence& config, const Situation& situation);

// The width and height in a PNG; nullopt: it is none.
struct PngSize {
  std::uint32_t width = 0, height = 0;
};
std::optional<PngSize> png_size(std::string_view image);

}  // namespace mixer
