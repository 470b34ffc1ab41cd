// coin/xml.h: conference documents <-> XML (RFC 4575 §5, §6). Reader and writer walk one
// description of the schema (xml_schema.h), so that neither can know more than the other. Pure; any
// thread.
#pragma once

#include <cstddef>
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
// declarations and prefixes, its ancestors' included. Strict where a receiver acts: required
// attributes and children are there and not empty where they are keys, nothing is given twice,
// enumerations, integers and booleans are the schema's, characters are XML's. Lenient where nothing
// is lost: child order, missing entries, unknown elements of the namespace (left out). Foreign
// elements and attributes are kept where the schema has room for them; without a namespace they are
// not ##other and are left out. A <conference-info/> nested directly in the root (Jitsi desktop) is
// unwrapped. A key given twice is kept twice; merge() and diff() say what becomes of it. Bounds:
// coin/limits.h.
tl::expected<ConferenceInfo, ParseError> parse(const pugi::xml_node& root);
tl::expected<ConferenceInfo, ParseError> parse(std::string_view text);

// Canonical: schema order, no white space between elements, `state` always explicit, attributes in
// the order sid, entity, state, version; characters XML 1.0 cannot carry are left out.
// Requires: Foreign::elements are foreign_element()'s or parse()'s; their text is copied as it is.
// Law: parse(write(x)) == x, for x within limits and sayable in XML: no such characters, no white
// space inside of list items nor around URIs, nothing foreign where the schema has no room, `sid`
// on the root only. Valid against the schema, if x has no sid and each Uris, AvailableMedia and
// Roles has an entry.
std::string write(const ConferenceInfo& info);

// The same in two parts, so that one body serves every receiver: head(info, sid, version) +
// body(info) is write() of info with that sid and version. An empty sid: no such attribute (the
// schema has none). The head ends inside the root's start tag.
std::string write_body(const ConferenceInfo& info);
std::string write_head(const ConferenceInfo& info, std::string_view sid, std::uint32_t version);

// The bytes of one entry of <users/>.
std::size_t size_of(const User& user);

// What may stand in Foreign::elements (a published mood or tune, say): the element in canonical
// form, self-contained. Error: no namespace, ours, or not well-formed.
tl::expected<std::string, ParseError> foreign_element(const pugi::xml_node& element);

// The words of the schema's enumerations, both ways from one table.
std::string_view to_string(State);
std::string_view to_string(EndpointStatus);
std::string_view to_string(MediaStatus);
std::string_view to_string(JoiningMethod);
std::string_view to_string(DisconnectionMethod);

}  // namespace coin
