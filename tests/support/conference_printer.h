// tests/support/conference_printer.h: gtest shows conference documents as XML, not as bytes.
#pragma once

#include <ostream>

#include "coin/xml.h"

namespace coin {

inline void PrintTo(const ConferenceInfo& info, std::ostream* out) { *out << write(info); }
inline void PrintTo(const User& user, std::ostream* out) {
  ConferenceInfo info;
  info.users.emplace().users.push_back(user);
  *out << write(info);
}

}  // namespace coin
