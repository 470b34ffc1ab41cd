// media/byte_range.h: what servers say about parts of a resource (RFC 9110 §13, §14). Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace media {

// §14.4: `bytes FIRST-LAST/SIZE`, of which all is known.
struct ContentRange {
  std::uint64_t first = 0, last = 0, size = 0;
  bool operator==(const ContentRange&) const = default;
};
// nullopt: another unit, an unknown size, or nonsense. Law: first <= last < size.
std::optional<ContentRange> parse_content_range(std::string_view value);

// §8.8.3: an entity-tag, and not a weak one: two with the same are the same to the byte.
bool is_strong_etag(std::string_view value);

}  // namespace media
