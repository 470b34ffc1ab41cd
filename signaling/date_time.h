// signaling/date_time.h: the DateTime profile of XMPP (XEP-0082 §3.2). Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace jingle {

// Only UTC, as XEP-0203 §3 and XEP-0215 §2 want it; fractions of a second are left out. nullopt:
// anything else.
std::optional<std::chrono::sys_seconds> parse_date_time(std::string_view text);

}  // namespace jingle
