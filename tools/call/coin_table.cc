#include <algorithm>
#include <array>

#include "coin/xml.h"
#include "tools/call/coin_words.h"
#include "tools/call/visible.h"

namespace call {
namespace {

constexpr std::size_t kColumns = 8;
using Row = std::array<std::string, kColumns>;
constexpr std::array<std::size_t, kColumns> kWidest{1, 36, 24, 40, 32, 8, 10, 36};

std::string cell(const std::string& text, std::size_t column) {
  return visible(text, kWidest[column]);
}

Row row(const ShownUser& user, const ShownEndpoint& endpoint,
        const std::set<std::uint32_t>& talking) {
  const bool talks = std::any_of(talking.begin(), talking.end(), [&](std::uint32_t source) {
    return std::to_string(source) == endpoint.src_id;
  });
  std::string status = endpoint.status ? std::string(coin::to_string(*endpoint.status)) : "";
  if (!endpoint.left.empty()) status += (status.empty() ? "" : " ") + endpoint.left;
  return {talks ? "*" : "",  user.entity,
          user.display_text, status,
          endpoint.joined,   endpoint.audio ? std::string(coin::to_string(*endpoint.audio)) : "",
          endpoint.src_id,   user.behind};
}

std::string first_line(const Shown& conference) {
  std::string line = conference.entity;
  if (!conference.display_text.empty()) line += "  \"" + conference.display_text + "\"";
  if (!conference.subject.empty()) line += "  subject \"" + conference.subject + "\"";
  if (conference.user_count) line += "  users " + std::to_string(*conference.user_count);
  if (conference.active == false) line += "  not active";
  if (conference.locked == true) line += "  locked";
  if (conference.over) line += "  over";
  return line;
}

std::string joined(const Row& row, const std::array<std::size_t, kColumns>& widths) {
  std::string line;
  for (std::size_t i = 0; i < kColumns; ++i) {
    line += row[i] + std::string(widths[i] - code_points(row[i]), ' ') + (i > 0 ? "  " : " ");
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string table(const Shown& conference, const std::set<std::uint32_t>& talking,
                  const Page& page) {
  std::vector<Row> rows{
      {"", "user", "display-text", "status", "joined", "audio", "src-id", "behind"}};
  for (const auto& [key, user] : conference.users) {
    if (user.endpoints.empty()) rows.push_back(row(user, {}, talking));
    for (const auto& [entity, endpoint] : user.endpoints) {
      rows.push_back(row(user, endpoint, talking));
    }
  }
  std::array<std::size_t, kColumns> widths{1};
  for (Row& each : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      each[i] = cell(each[i], i);
      widths[i] = std::max(widths[i], code_points(each[i]));
    }
  }
  std::vector<std::string> lines{first_line(conference)};
  for (const Row& each : rows) lines.push_back(joined(each, widths));
  if (lines.size() > page.rows) {
    const auto left_out = lines.size() - page.rows + 1;
    lines.resize(page.rows - 1);
    lines.push_back("  … and " + std::to_string(left_out) + " more");
  }
  std::string text;
  for (const auto& line : lines) text += visible(line, page.columns) + "\n";
  return text;
}

}  // namespace call
