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
  std::string name = {};
  bool operator==(const Situation&) const = default;
};

// By node; those that are not in it show nothing. An avatar comes with its data.
using Shown = std::map<jingle::pep::Node, jingle::pep::Payload>;

// What the configuration says, whoever is there: mood, places, avatar.
// `name`: the room's, for a picture where the configuration has none.
Shown standing_presence(const Config::Presence& config, const std::string& name);
// What comes and goes with a call, or with what is played in it.
Shown call_presence(const Config::Presence& config, const Situation& situation);
bool is_of_a_call(jingle::pep::Node node);
// Both.
// Law: only nodes of config.publish, and no piece that config.viewing_never names; no viewing of
// what is local unless config.viewing_local; paths of local files, and users, queries and fragments
// of URLs that are played, are in none (tests/mixer/extended_presence_test.cc, untold_test.cc).
Shown extended_presence(const Config::Presence& config, const Situation& situation);

// The id of the item that it is published as: the hash of an image (XEP-0084 §3.1), else "current".
std::string item_id(const jingle::pep::Payload& payload);

// The width and height in a PNG; nullopt: it is none.
struct PngSize {
  std::uint32_t width = 0, height = 0;
};
std::optional<PngSize> png_size(std::string_view image);

}  // namespace mixer
