// coin/xml_foreign.h: namespaces, which pugixml leaves to its user, and what the schema lets others
// add (xs:any, xs:anyAttribute) in a form that stands by itself. Inside coin only. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "coin/conference_info.h"

namespace pugi {
class xml_attribute;
class xml_node;
}  // namespace pugi

namespace coin {

inline constexpr std::string_view kXmlNamespace = "http://www.w3.org/XML/1998/namespace";

// Namespaces in XML §6: views into the tree. `ns` is empty without namespace.
struct ExpandedName {
  std::string_view ns, local;
  bool operator==(const ExpandedName&) const = default;
};

// Declarations are looked for on the element and its ancestors; who goes down a tree may say which
// default namespace holds around the element. nullopt: the prefix is not declared or the name is
// none.
std::optional<ExpandedName> expanded_name(
    const pugi::xml_node& element, const std::optional<std::string_view>& around = std::nullopt);
std::optional<ExpandedName> expanded_name(const pugi::xml_node& element,
                                          const pugi::xml_attribute& attribute);
// The one inside of `element`, for its children; without `around` the ancestors are asked.
std::string_view default_namespace(const pugi::xml_node& element, std::string_view around);
std::string_view default_namespace(const pugi::xml_node& element);
bool is_namespace_declaration(const pugi::xml_attribute& attribute);
std::size_t attribute_count(const pugi::xml_node& element);

// The element in canonical form, self-contained: no prefixes on elements, xmlns first and only
// where it changes, attributes sorted by (namespace, name) with prefixes n0, n1 … declared where
// they are used, no comments, no CDATA, text as it was. Two elements with the same infoset give the
// same bytes. Prefixes inside of values (QNames in content) lose their meaning, as on any XMPP
// stream. Error: what is wrong.
tl::expected<std::string, std::string> canonical(const pugi::xml_node& element,
                                                 std::size_t max_bytes);

// ` xmlns:n0="…" n0:a="…"` for each, in order; without namespace: ` a="…"`.
void append_attributes(std::string& out, const std::vector<ForeignAttribute>& attributes);

// What tells one canonical element from another among its siblings: its expanded name.
std::string_view name_of_canonical(std::string_view element);

}  // namespace coin
