// coin/xml.h: conference documents <-> XML (RFC 4575 §5, §6), parse and write side by side in
// xml.cc. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "coin/conference_info.h"

namespace pugi {
class xml_node;
}

namespace coin {

// Where a document breaks RFC 4575, for a log line: "users/user[2]: no entity".
struct ParseError {
  std::string where, what;
};

// `root` is the <conference-info/> element, namespaces explicit on each element or by xmlns
// declarations. Strict on what a receiver acts on (required attributes and children, enumerations,
// integers, child order is NOT required of others); foreign elements and attributes are kept. A
// <conference-info/> nested directly in the root (Jitsi desktop) is unwrapped. Bounds:
// coin/limits.h.
tl::expected<ConferenceInfo, ParseError> parse(const pugi::xml_node& root);
tl::expected<ConferenceInfo, ParseError> parse(std::string_view text);

// Canonical: schema order, no white space between elements, `state` always explicit, attributes in
// the order sid, entity, state, version; characters XML 1.0 cannot carry are left out. Law:
// parse(write(x)) == x for x within limits and without such characters.
std::string write(const ConferenceInfo& info);

// The same in two parts, so that one body serves every receiver: head(sid, version) + body(info) is
// the document.
std::string write_body(const ConferenceInfo& info);
std::string write_head(const ConferenceInfo& info, std::string_view sid, std::uint32_t version);

// The words of the schema's enumerations, both ways from one table.
std::string_view to_string(State);
std::string_view to_string(EndpointStatus);
std::string_view to_string(MediaStatus);
std::string_view to_string(JoiningMethod);
std::string_view to_string(DisconnectionMethod);

}  // namespace coin
