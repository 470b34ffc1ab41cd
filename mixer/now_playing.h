// mixer/now_playing.h: what a room plays, for those who tell others of it (XEP-0118, XEP-0197). A
// value; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "signaling/pep.h"

namespace mixer {

// By its tags; what is unknown is empty.
struct NowPlaying {
  std::string title{}, artist{}, source{}, track{};  // source: the album
  std::optional<std::chrono::seconds> length{};      // nullopt: unknown, or without end
  std::string uri{};  // where it comes from; without a scheme, or file:, it is local
  bool video = false, broadcast = false;
  bool paused = false;
  jingle::pep::Viewing said{};  // by whoever plays it: goes before the tags
  bool operator==(const NowPlaying&) const = default;
};

}  // namespace mixer
