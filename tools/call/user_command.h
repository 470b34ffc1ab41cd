// tools/call/user_command.h: what can be said to running callers on standard input. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "tools/call/events.h"

namespace call {

struct UserCommand {
  int caller = 0;  // 0: all
  UserAsked asked;
};

// "[N] mute | unmute | hold | unhold | dtmf KEY | focus | nofocus | document FILE | restart |
// restart ADDRESS | hangup | quit"; nullopt: something else. The file is yet to be read.
std::optional<UserCommand> parse_command(std::string_view line);

}  // namespace call
