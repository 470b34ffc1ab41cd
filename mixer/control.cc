#include "mixer/control.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "mixer/display_name.h"
#include "mixer/limits.h"
#include "mixer/overloaded.h"

namespace mixer {
namespace {

using What = PlayOrder::What;

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

// Topic or Status.
template <typename Said>
std::optional<Control> said(std::string_view text) {
  if (text.empty()) return Said{};
  return Said{text == "-" ? "" : std::string(text)};
}

template <bool on>
std::optional<Control> share(std::string_view text) {
  return std::optional<Control>(std::in_place, parse_share(text, on));
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

std::string told(std::string_view text) { return displayable(text, limits::kMaxReasonCodePoints); }

// NAME, or NAME as "TITLE"
std::optional<Control> play(std::string_view source) {
  constexpr std::string_view kAs = " as \"";
  PlayOrder order{.what = What::play};
  const std::size_t as = source.find(kAs);
  if (as != source.npos && source.ends_with('"') && source.size() > as + kAs.size()) {
    order.field = "program_name";
    order.text = told(source.substr(as + kAs.size(), source.size() - as - kAs.size() - 1));
    source = trimmed(source.substr(0, as));
  }
  if (source.empty()) return std::nullopt;
  order.source = source;
  return order;
}

std::optional<Control> announce(std::string_view source) {
  if (source.empty()) return std::nullopt;
  return PlayOrder{.what = What::announce, .source = std::string(source)};
}

// "episode 807", "episode -"
std::optional<Control> viewing(std::string_view text) {
  const auto [field, value] = split(text);
  PlayOrder order{.what = What::viewing, .field = std::string(field)};
  if (value != "-") order.text = told(value);
  jingle::pep::Payload probe = jingle::pep::Viewing{};
  if (value.empty() || !set_field(probe, order.field, order.text)) return std::nullopt;
  return order;
}

template <What what>
std::optional<Control> order(std::string_view text) {
  if (!text.empty()) return std::nullopt;
  return PlayOrder{.what = what};
}

// "83", "1:23", "1:02:03"
std::optional<Control> seek(std::string_view text) {
  constexpr int kMostDigits = 5;
  std::chrono::seconds to{0};
  int parts = 0;
  for (std::string_view rest = text;; ++parts) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string_view digits = rest.substr(0, colon);
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0 ||
        digits.size() > kMostDigits || parts == 3) {
      return std::nullopt;
    }
    to = to * 60 + std::chrono::seconds(value);
    if (colon == rest.size()) break;
    rest.remove_prefix(colon + 1);
  }
  return PlayOrder{.what = What::seek, .to = to};
}

std::optional<Control> record(std::string_view text) {
  using Record = RecordOrder::What;
  if (text.empty()) return RecordOrder{Record::begin};
  if (text == "speakers") return RecordOrder{Record::speakers};
  if (text == "stop") return RecordOrder{Record::stop};
  return std::nullopt;
}

struct Row {
  std::string_view name, usage, does;
  Role least;  // for some form of it
  std::optional<Control> (*parse)(std::string_view rest);
};
constexpr std::array<Row, 20> kRows{{
    {"help", "help [COMMAND]", "what you can say here", Role::anybody,
     [](std::string_view rest) {
       return std::optional<Control>(control::Help{std::string(rest)});
     }},
    {"who", "who", "who is in the call", Role::participant, bare<control::Who>},
    {"topic", "topic [TEXT]", "what the call is about; moderators set it, \"topic -\" clears it",
     Role::participant, said<control::Topic>},
    {"status", "status [TEXT]",
     "what contacts of this address read; moderators set it, \"status -\" takes that back",
     Role::participant, said<control::Status>},
    {"share", "share WHAT...", "let the call see what you publish: share tune mood",
     Role::participant, share<true>},
    {"unshare", "unshare [WHAT...]", "let it see that no more; or nothing at all",
     Role::participant, share<false>},
    {"invite", "invite JID [WHY]", "call somebody into the conference", Role::moderator, invite},
    {"mute", "mute NAME", "let nobody hear that participant", Role::moderator,
     named<control::Mute>},
    {"unmute", "unmute NAME", "let the others hear that participant again", Role::moderator,
     named<control::Unmute>},
    {"kick", "kick NAME", "end that participant's call", Role::moderator, named<control::Kick>},
    {"playing", "playing", "what is played, and what comes next", Role::participant,
     bare<control::Playing>},
    {"play", "play NAME|URL [as \"TITLE\"]",
     "play that file or https URL, after what was asked for before", Role::moderator, play},
    {"announce", "announce NAME|URL", "play that at once, over whatever is said and played",
     Role::moderator, announce},
    {"viewing", "viewing FIELD TEXT",
     "tell what is being watched: viewing episode 807; \"viewing episode -\" takes it back",
     Role::moderator, viewing},
    {"pause", "pause", "stand still in what is played", Role::moderator, order<What::pause>},
    {"resume", "resume", "go on with it", Role::moderator, order<What::resume>},
    {"seek", "seek TIME", "go to that time of it: 83 or 1:23", Role::moderator, seek},
    {"skip", "skip", "play what comes next", Role::moderator, order<What::skip>},
    {"stop", "stop", "play nothing more", Role::moderator, order<What::stop>},
    {"record", "record [speakers|stop]",
     "record the call, with a file of each who speaks, too; or end that", Role::moderator, record},
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
                        [](const control::Playing&) { return Role::participant; },
                        [](const ShareWish&) { return Role::participant; },
                        [](const control::Status& status) {
                          return status.text ? Role::moderator : Role::participant;
                        },
                        [](const control::Topic& topic) {
                          return topic.text ? Role::moderator : Role::participant;
                        },
                        [](const auto&) { return Role::moderator; },
                    },
                    control);
}

std::optional<Told> parse_control(std::string_view text) {
  const auto [word, rest] = split(trimmed(text));
  const Row* row = row_of(word);
  if (!row) return std::nullopt;
  return Told{row->name, row->parse(rest)};
}

std::string describe(const Told& told) {
  const auto about = [](const auto& each) -> std::string {
    if constexpr (std::is_same_v<std::decay_t<decltype(each)>, RecordOrder>) {
      if (each.what == RecordOrder::What::speakers) return " speakers";
      if (each.what == RecordOrder::What::stop) return " stop";
    }
    if constexpr (requires { each.whom.str(); }) return ' ' + each.whom.str();
    if constexpr (requires { each.whom.size(); }) return ' ' + each.whom;
    if constexpr (requires { each.source; }) {
      return each.source.empty() ? "" : ' ' + without_keys(each.source);
    }
    return {};
  };
  return std::string(told.name) + (told.control ? std::visit(about, *told.control) : "");
}

std::string help_for(Role role, std::string_view about, const std::set<std::string_view>& off) {
  const Row* one = about.empty() ? nullptr : row_of(about);
  if (!about.empty() && !one) return {};
  std::string lines;
  for (const Row& row : kRows) {
    if (one ? &row != one : row.least > role || off.contains(row.name)) continue;
    lines += (lines.empty() ? "" : "\n") + line_of(row);
  }
  return lines;
}

}  // namespace mixer
