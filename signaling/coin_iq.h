// signaling/coin_iq.h: Coin on the wire (XEP-0298 §5 isfocus, §6 the conference-info IQ). Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "coin/conference_info.h"
#include "signaling/jingle.h"

namespace jingle {

// The isfocus flag among the children of <jingle/>, in any of the namespaces clients have been seen
// to write; nullopt: none.
std::optional<bool> parse_isfocus(const pugi::xml_node& jingle);
void write_isfocus(pugi::xml_node& jingle, bool isfocus);

struct ConferenceInfoSet {  // §6: a document from a focus
  std::optional<Sid> sid;   // from a sibling <jingle sid=/> or the root's own sid attribute
  coin::ConferenceInfo info;
  bool operator==(const ConferenceInfoSet&) const = default;
};
struct ConferenceInfoGet {  // our extension: XEP-0298 speaks of retrieving and has no way to
  bool operator==(const ConferenceInfoGet&) const = default;
};

}  // namespace jingle
