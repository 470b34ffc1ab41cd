#include "tools/call/user_command.h"

#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "tools/call/rtp_sender.h"

namespace call {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(" \t\r"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

}  // namespace

std::optional<UserCommand> parse_command(std::string_view line) {
  using What = UserAsked::What;
  static constexpr std::array<std::pair<std::string_view, What>, 9> kWords{
      {{"mute", What::mute},
       {"unmute", What::unmute},
       {"hold", What::hold},
       {"unhold", What::unhold},
       {"focus", What::focus},
       {"nofocus", What::no_focus},
       {"restart", What::restart},
       {"hangup", What::hang_up},
       {"quit", What::hang_up}}};
  auto words = words_of(line);
  UserCommand command;
  if (!words.empty() && words[0][0] >= '0' && words[0][0] <= '9') {
    const auto* end = words[0].data() + words[0].size();
    const auto [read_to, error] = std::from_chars(words[0].data(), end, command.caller);
    if (read_to != end || error != std::errc()) return std::nullopt;
    words.erase(words.begin());
  }
  if (words.size() == 2 && words[0] == "dtmf" && words[1].size() == 1 && dtmf_event(words[1][0])) {
    command.asked = {.what = What::digit, .digit = words[1][0]};
    return command;
  }
  if (words.size() == 2 && words[0] == "document") {
    command.asked = {.what = What::document, .text = std::string(words[1])};
    return command;
  }
  if (words.size() == 2 && words[0] == "restart") {
    command.asked = {.what = What::restart, .text = std::string(words[1])};
    return command;
  }
  if (words.size() != 1) return std::nullopt;
  for (const auto& [word, what] : kWords) {
    if (word != words[0]) continue;
    command.asked.what = what;
    return command;
  }
  return std::nullopt;
}

}  // namespace call
