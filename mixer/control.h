// mixer/control.h: what people may tell a conference to do: one typed set of commands, whatever
// they come through (chat so far). Pure; any thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "mixer/jukebox.h"
#include "mixer/recording.h"
#include "mixer/sharing.h"
#include "signaling/jid.h"

namespace mixer {

// Each may do what those before it may. Who may not dial is not even anybody.
enum class Role { anybody, participant, moderator };

namespace control {

struct Help {
  std::string about;  // a command's name; empty: all
};
struct Who {};
struct Topic {
  std::optional<std::string> text;  // nullopt: which is it? Empty: none from now on
};
struct Status {
  std::optional<std::string> text;  // nullopt: which is it? Empty: the configured one
};
struct Invite {
  jingle::Jid whom;
  std::string reason;
};
// `whom`: a display-text of the roster, or a bare JID.
struct Mute {
  std::string whom;
};
struct Unmute {
  std::string whom;
};
struct Kick {
  std::string whom;
};
struct Playing {};  // what is it?

}  // namespace control

using Control = std::variant<control::Help, control::Who, control::Topic, control::Status,
                             control::Invite, control::Mute, control::Unmute, control::Kick,
                             control::Playing, ShareWish, PlayOrder, RecordOrder>;

Role needed_for(const Control& control);

// One as it is typed: its name in any case, a slash or an exclamation mark before it or none, then
// what it is about. nullopt: no command.
struct Told {
  std::string_view name;
  std::optional<Control> control;  // nullopt: that is not how it is used
};
std::optional<Told> parse_control(std::string_view text);
// For the log: its name and whom it is about, but nothing that people say to each other.
std::string describe(const Told& told);

// What somebody in that role may say, a line each, but for the commands that are off; or how that
// one command is used. Empty: there is none.
std::string help_for(Role role, std::string_view about, const std::set<std::string_view>& off = {});

}  // namespace mixer
