// mixer/log.h: the log, for people and their tools: one event a line, key=value, to stderr. What
// peers say cannot forge a line or a key. The text functions are pure; write_log: any thread.
#pragma once

#include <string>
#include <string_view>

#include "mixer/command.h"

namespace mixer {

// `text` with everything that is not printable on one line as \n or \xNN (bytes): controls (C0, C1,
// line and paragraph separators, what reverses the direction of writing) and invalid UTF-8.
std::string one_line(std::string_view text);

// "value" with \" and \\ inside, on one line.
std::string quoted(std::string_view value);
// "key=value", the value quoted when it is empty or has a space, quote, equals sign or backslash.
std::string field(std::string_view key, std::string_view value);

// "debug", "info", "warning", "error" (Config::log_level); lines below are not written.
void set_log_level(std::string_view level);
// One line; `text` is made of key=value fields, the first says what happened.
void write_log(Log::Level level, std::string_view text);

}  // namespace mixer
