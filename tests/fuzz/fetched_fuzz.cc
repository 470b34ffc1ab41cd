// Fuzz target: what servers say of things to play: Content-Range, ETag, lists, titles of stations.
// The input's first three bytes say how the rest comes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "media/byte_range.h"
#include "media/icy_stream.h"
#include "media/limits.h"
#include "media/play_list.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_range(std::string_view text) {
  const auto range = media::parse_content_range(text);
  if (!range) return;
  require(range->first <= range->last && range->last < range->size);
  require(media::parse_content_range("bytes " + std::to_string(range->first) + "-" +
                                     std::to_string(range->last) + "/" +
                                     std::to_string(range->size)) == range);
}

void check_list(std::string_view text) {
  const auto entries = media::parse_play_list(text);
  if (!entries) return;
  require(entries->size() <= media::limits::kMaxListEntries);
  for (const std::string& entry : *entries) {
    require(!entry.empty() && entry.find('\n') == entry.npos);
  }
}

struct Station {
  std::string body;
  std::vector<std::string> titles;
  bool operator==(const Station&) const = default;
};

// However it is cut to pieces on its way, it says the same.
Station received(std::string_view text, std::size_t interval, std::size_t piece) {
  Station station;
  media::IcyStream stream(interval);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    stream.feed(
        text.substr(at, piece), [&](std::string_view bytes) { station.body += bytes; },
        [&](std::string title) { station.titles.push_back(std::move(title)); });
  }
  return station;
}

void check_station(std::string_view text, std::size_t interval, std::size_t piece) {
  const Station whole = received(text, interval, text.size() + 1);
  require(received(text, interval, piece) == whole);
  require(whole.body.size() <= text.size());
  if (interval == 0) require(whole.body == text && whole.titles.empty());
  for (const std::string& title : whole.titles) require(media::as_utf8(title) == title);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t interval = data[0] + 256U * (data[1] % 4), piece = 1 + data[2] % 64;
  const std::string_view text(reinterpret_cast<const char*>(data) + 3, size - 3);
  check_range(text);
  (void)media::is_strong_etag(text);
  const std::size_t line = std::min(text.find('\n'), text.size());
  (void)media::is_play_list(text.substr(0, line), text.substr(line));
  (void)media::is_play_list({}, text);
  check_list(text);
  check_station(text, interval, piece);
  require(media::as_utf8(media::as_utf8(text)) == media::as_utf8(text));
  return 0;
}
