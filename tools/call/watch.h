// tools/call/watch.h: what happens to callers, as lines to print. Pure.
#pragma once

#include <optional>
#include <string>

#include "tools/call/events.h"

namespace call {

// {"caller":1,"t":0.52,"clock":5210.78,"event":"connected","detail":"..."}; `t`: seconds since the
// caller started, `clock`: the machine's monotonic clock, the same for all processes.
std::string event_line(int caller, double t, TimePoint clock, const Tell& tell);
// For people; nullopt: not of interest to them. `caller` 0: there is only one.
std::optional<std::string> event_text(int caller, double t, const Tell& tell);

}  // namespace call
