// tools/call/watch.h: what happens to callers, as lines to print. Pure.
#pragma once

#include <optional>
#include <string>

#include "tools/call/caller.h"

namespace call {

// {"caller":1,"t":0.52,"event":"connected","detail":"..."}
std::string event_line(int caller, double t, const Tell& tell);
// For people; nullopt: not of interest to them.
std::optional<std::string> event_text(int caller, double t, const Tell& tell);

}  // namespace call
