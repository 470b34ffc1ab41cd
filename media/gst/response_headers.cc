#include "media/gst/response_headers.h"

#include <strings.h>

#include <algorithm>
#include <cstdlib>

#include "media/icy_stream.h"

namespace media::gst {
namespace {

constexpr std::size_t kMaxHeaderBytes = 4096;

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

void ResponseHeaders::take(std::string_view line) {
  if (line.starts_with("HTTP/")) *this = {};  // after 103, for one
  const std::size_t colon = line.find(':');
  if (colon == line.npos || line.size() > kMaxHeaderBytes) return;
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  value = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
  if (same_word(name, "location")) location = value;
  if (same_word(name, "content-type")) content_type = value;
  if (same_word(name, "etag")) etag = value;
  if (same_word(name, "last-modified")) last_modified = value;
  if (same_word(name, "date")) date = value;
  if (same_word(name, "content-range")) content_range = value;
  if (same_word(name, "accept-ranges")) takes_ranges = same_word(value, "bytes");
  // SHOUTcast's and Icecast's; that a length is missing says nothing.
  if (same_word(name.substr(0, 4), "icy-")) is_station = true;
  if (same_word(name, "icy-name")) station = as_utf8(value);
  if (same_word(name, "icy-metaint")) {
    icy_interval = std::strtoul(std::string(value).c_str(), nullptr, 10);
  }
}

}  // namespace media::gst
