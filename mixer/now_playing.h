// mixer/now_playing.h: what a room plays, for those who tell others of it (XEP-0118, XEP-0197).
// Values; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "signaling/pep.h"

namespace mixer {

// A URL without its user, and without its query and fragment: they are often keys. What is none
// stays as it is.
std::string without_user(std::string url);
std::string without_keys(std::string url);

// By its tags; what is unknown is empty.
struct NowPlaying {
  std::string title{}, artist{}, source{}, track{}, genre{};  // source: the album
  std::string composer{}, date{}, language{}, performer{};
  std::optional<std::chrono::seconds> length{};  // nullopt: unknown, or without end
  std::string uri{};  // where it comes from; without a scheme, or file:, it is local
  // As it was asked for: a path, or a URL whose query may be a key. For moderators, never
  // published.
  std::string name{};
  bool video = false, broadcast = false;
  bool paused = false;
  jingle::pep::Viewing said{};  // by whoever plays it: goes before the tags
  // What others may call it; empty: nobody has said.
  std::string_view called() const { return said.program_name.empty() ? title : said.program_name; }
  bool operator==(const NowPlaying&) const = default;
};

}  // namespace mixer
