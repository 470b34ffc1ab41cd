#include "media/play_list.h"

#include <algorithm>
#include <array>

#include "media/limits.h"

namespace media {
namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";  // what UTF-8 may begin with

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool begins(std::string_view text, std::string_view with) {
  return text.size() >= with.size() &&
         std::ranges::equal(text.substr(0, with.size()), with, {}, lower);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// What a line of a PLS file names: "File1=…".
std::string_view named_by(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (!begins(line, "file") || equals == line.npos) return {};
  return trimmed(line.substr(equals + 1));
}

}  // namespace

bool is_play_list(std::string_view content_type, std::string_view beginning) {
  constexpr std::array<std::string_view, 8> kTypes{
      "audio/mpegurl",       "audio/x-mpegurl",
      "application/mpegurl", "application/x-mpegurl",
      "audio/x-scpls",       "application/pls+xml",
      "audio/scpls",         "application/vnd.apple.mpegurl"};
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  if (std::ranges::any_of(kTypes, [&](std::string_view list) {
        return type.size() == list.size() && begins(type, list);
      })) {
    return true;
  }
  if (beginning.starts_with(kMark)) beginning.remove_prefix(kMark.size());
  return begins(beginning, "#extm3u") || begins(beginning, "[playlist]") ||
         begins(beginning, "https://") || begins(beginning, "http://");
}

std::optional<std::vector<std::string>> parse_play_list(std::string_view text) {
  if (text.find("#EXT-X-") != text.npos) return std::nullopt;
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  const bool pls = begins(trimmed(text), "[playlist]");
  std::vector<std::string> entries;
  while (!text.empty() && entries.size() < limits::kMaxListEntries) {
    const std::string_view line = trimmed(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    const std::string_view entry = pls ? named_by(line) : line.starts_with('#') ? "" : line;
    if (!entry.empty()) entries.emplace_back(entry);
  }
  return entries;
}

}  // namespace media
