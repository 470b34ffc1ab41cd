// media/gst/fetcher_messages.h: what a piece's fetcher, a child process, is told and says.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "media/gst/child_process.h"
#include "media/gst/fetch_rules.h"

namespace media::gst {

// argv[1] of such a process. Its input is a FetchRequest; what it fetches goes to the extra fd
// (fetched_body.h).
inline constexpr char kFetcherArgument[] = "--fetch-for-player";

// Not on the command line, which everybody on the machine can read.
struct FetchRequest {
  std::string url;
  FetchRules rules;
  bool operator==(const FetchRequest&) const = default;

  // Law: parse(write()) is the same, where no text has a line's end in it.
  std::string write() const;
  static std::optional<FetchRequest> parse(const std::string& text);
};

// Titles, and the tags that become of them, are told no more often: a station may have one for each
// byte, and nobody reads faster.
inline constexpr std::chrono::seconds kBetweenTitles{1};

enum class FetcherKind : std::uint32_t {
  // First, one of these:
  stream,   // its bytes come
  station,  // the same, without an end, as its server says; its name, if it says one
  entry,    // of a list: a URL
  list,     // that was the last of them; nothing more comes
  error,  // a sentence; nothing more comes. Also after `stream` or `station`, before the bytes end
  // Any time after `station`:
  title,
  // As `error`: a place that was asked for is not to be had. All of it may be.
  no_place,
};

}  // namespace media::gst
