#include "media/byte_range.h"

#include <charconv>

namespace media {

std::optional<ContentRange> parse_content_range(std::string_view value) {
  const auto number = [&value](std::string_view after) -> std::optional<std::uint64_t> {
    if (!value.starts_with(after)) return {};
    value.remove_prefix(after.size());
    std::uint64_t result = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (error != std::errc()) return {};
    value.remove_prefix(static_cast<std::size_t>(end - value.data()));
    return result;
  };
  const auto first = number("bytes "), last = number("-"), size = number("/");
  if (!first || !last || !size || !value.empty()) return {};
  if (*first > *last || *last >= *size) return {};
  return ContentRange{*first, *last, *size};
}

bool is_strong_etag(std::string_view value) {
  return value.size() >= 2 && value.front() == '"' && value.back() == '"';
}

}  // namespace media
