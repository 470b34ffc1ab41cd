// media/gst/response_headers.h: what a server says of what it gives. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace media::gst {

struct ResponseHeaders {
  std::string location, content_type, station;
  std::string etag, last_modified, date, content_range;
  std::size_t icy_interval = 0;
  bool is_station = false, takes_ranges = false;

  // A line of a response, in their order.
  void take(std::string_view line);
};

}  // namespace media::gst
