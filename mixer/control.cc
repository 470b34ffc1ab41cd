#include "mixer/control.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mixer/overloaded.h"

namespace mixer {
namespace {

using Parsed = tl::expected<Control, std::string>;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// The first word, and what follows it.
std::pair<std::string_view, std::string_view> split(std::string_view text) {
  const std::size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
  return {text.substr(0, end), trimmed(text.substr(end))};
}

std::optional<Control> topic(std::string_view text) {
  if (text.empty()) return control::Topic{};
  return control::Topic{text == "-" ? "" : std::string(text)};
}

std::optional<Control> invite(std::string_view text) {
  const auto [whom, reason] = split(text);
  const auto jid = jingle::Jid::parse(std::string(whom));
  // Nobody means the server itself: "invite ann" is a name, not an address.
  if (!jid || jid->local().empty()) return std::nullopt;
  return control::Invite{*jid, std::string(reason)};
}

template <typename Named>
std::optional<Control> named(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return Named{std::string(text)};
}

template <typename Bare>
std::optional<Control> bare(std::string_view text) {
  if (!text.empty()) return std::nullopt;
  return Bare{};
}

struct Row {
  std::string_view name, usage, does;
  Role least;  // for some form of it
  std::optional<Control> (*parse)(std::string_view rest);
};
// In the order of Control.
constexpr std::array<Row, 7> kRows{{
    {"help", "help [COMMAND]", "what you can say here", Role::anybody,
     [](std::string_view rest) {
       return std::optional<Control>(control::Help{std::string(rest)});
     }},
    {"who", "who", "who is in the call", Role::participant, bare<control::Who>},
    {"topic", "topic [TEXT]", "what the call is about; moderators set it, \"topic -\" clears it",
     Role::participant, topic},
    {"invite", "invite JID [WHY]", "call somebody into the conference", Role::moderator, invite},
    {"mute", "mute NAME", "let nobody hear that participant", Role::moderator,
     named<control::Mute>},
    {"unmute", "unmute NAME", "let the others hear that participant again", Role::moderator,
     named<control::Unmute>},
    {"kick", "kick NAME", "end that participant's call", Role::moderator, named<control::Kick>},
}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

const Row* row_of(std::string_view word) {
  if (word.starts_with('/') || word.starts_with('!')) word.remove_prefix(1);
  const auto row = std::ranges::find_if(kRows, [word](const Row& candidate) {
    return std::ranges::equal(word, candidate.name, {}, lower);
  });
  return row == kRows.end() ? nullptr : &*row;
}

std::string line_of(const Row& row) {
  return std::string(row.usage) + ": " + std::string(row.does);
}

}  // namespace

Role needed_for(const Control& control) {
  return std::visit(Overloaded{
                        [](const control::Help&) { return Role::anybody; },
                        [](const control::Who&) { return Role::participant; },
                        [](const control::Topic& topic) {
                          return topic.text ? Role::moderator : Role::participant;
                        },
                        [](const auto&) { return Role::moderator; },
                    },
                    control);
}

std::optional<Parsed> parse_control(std::string_view text) {
  const auto [word, rest] = split(trimmed(text));
  const Row* row = row_of(word);
  if (!row) return std::nullopt;
  if (auto control = row->parse(rest)) return Parsed(std::move(*control));
  return Parsed(tl::unexpected(line_of(*row)));
}

std::string describe(const Control& control) {
  static_assert(std::variant_size_v<Control> == kRows.size());
  const auto about = [](const auto& each) -> std::string {
    if constexpr (requires { each.whom.str(); }) return ' ' + each.whom.str();
    if constexpr (requires { each.whom.size(); }) return ' ' + each.whom;
    return {};
  };
  return std::string(kRows.at(control.index()).name) + std::visit(about, control);
}

std::string help_for(Role role, std::string_view about) {
  const Row* one = about.empty() ? nullptr : row_of(about);
  if (!about.empty() && !one) return {};
  std::string lines;
  for (const Row& row : kRows) {
    if (one ? &row != one : row.least > role) continue;
    lines += (lines.empty() ? "" : "\n") + line_of(row);
  }
  return lines;
}

}  // namespace mixer
