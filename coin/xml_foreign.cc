#include "coin/xml_foreign.h"

#include <algorithm>
#include <pugixml.hpp>
#include <tuple>

#include "coin/limits.h"
#include "coin/xml_text.h"

namespace coin {
namespace {

constexpr std::string_view kXmlnsNamespace = "http://www.w3.org/2000/xmlns/";

// Namespaces in XML §3: bound for ever, no declaration may name them.
bool is_reserved(std::string_view ns) { return ns == kXmlNamespace || ns == kXmlnsNamespace; }

struct QName {
  std::string_view prefix, local;
};

std::optional<QName> split(std::string_view name) {
  const std::size_t colon = name.find(':');
  QName result{{}, name};
  if (colon != std::string_view::npos) {
    result = {name.substr(0, colon), name.substr(colon + 1)};
    if (!is_ncname(result.prefix)) return std::nullopt;
  }
  if (!is_ncname(result.local)) return std::nullopt;
  return result;
}

bool declares(const pugi::xml_attribute& attribute, std::string_view prefix) {
  const std::string_view name = attribute.name();
  if (prefix.empty()) return name == "xmlns";
  return name.size() == prefix.size() + 6 && name.substr(0, 6) == "xmlns:" &&
         name.substr(6) == prefix;
}

// nullopt: not declared, or undone by an empty declaration, which only the default may be (§2.2).
std::optional<std::string_view> namespace_of(pugi::xml_node element, std::string_view prefix) {
  if (prefix == "xml") return kXmlNamespace;
  if (prefix == "xmlns") return std::nullopt;
  for (; element; element = element.parent()) {
    for (auto attribute = element.first_attribute(); attribute;
         attribute = attribute.next_attribute()) {
      if (!declares(attribute, prefix)) continue;
      const std::string_view value = attribute.value();
      if (value.empty() && !prefix.empty()) return std::nullopt;
      if (is_reserved(value)) return std::nullopt;
      return value;
    }
  }
  if (prefix.empty()) return std::string_view{};
  return std::nullopt;
}

class Canonical {
 public:
  explicit Canonical(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // False: error() says why.
  bool element(const pugi::xml_node& node, const std::optional<std::string_view>& around,
               std::size_t depth) {
    if (depth > limits::kForeignDepth) return fail("nested too deeply");
    const std::optional<ExpandedName> name = expanded_name(node);
    if (!name || !is_carriable(name->ns)) return fail("element name or prefix is not right");
    out_.append("<").append(name->local);
    if (name->ns != around) {
      out_.append(" xmlns=\"");
      append_attribute_value(out_, name->ns);
      out_.append("\"");
    }
    if (!attributes(node)) return false;
    const std::size_t tag_end = out_.size();
    out_.append(">");
    if (!children(node, name->ns, depth)) return false;
    if (out_.size() == tag_end + 1) {
      out_.replace(tag_end, 1, "/>");
    } else {
      out_.append("</").append(name->local).append(">");
    }
    return fits();
  }

  std::string& out() { return out_; }
  std::string& error() { return error_; }

 private:
  bool children(const pugi::xml_node& node, std::string_view ns, std::size_t depth) {
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() == pugi::node_element) {
        if (!element(child, ns, depth + 1)) return false;
      } else if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
        if (!is_carriable(child.value())) return fail("character that XML cannot carry");
        append_text(out_, child.value());
      }
      if (!fits()) return false;
    }
    return true;
  }

  bool attributes(const pugi::xml_node& node) {
    if (attribute_count(node) > limits::kAttributes) return fail("too many attributes");
    std::vector<ForeignAttribute> found;
    std::size_t bytes = 0;
    for (const pugi::xml_attribute& attribute : node.attributes()) {
      if (is_namespace_declaration(attribute)) continue;
      const std::optional<ExpandedName> name = expanded_name(node, attribute);
      if (!name) return fail("attribute name or prefix is not right");
      if (!is_carriable(name->ns) || !is_carriable(attribute.value())) {
        return fail("character that XML cannot carry");
      }
      found.push_back({std::string(name->ns), std::string(name->local), attribute.value()});
      bytes += name->ns.size() + name->local.size() + found.back().value.size();
      if (bytes > max_bytes_) return fail("too long");
    }
    const auto key = [](const ForeignAttribute& a) { return std::tie(a.ns, a.name); };
    std::sort(found.begin(), found.end(),
              [key](const auto& a, const auto& b) { return key(a) < key(b); });
    const auto same = [key](const auto& a, const auto& b) { return key(a) == key(b); };
    if (std::adjacent_find(found.begin(), found.end(), same) != found.end()) {
      return fail("attribute given twice");
    }
    append_attributes(out_, found);
    return fits();
  }

  bool fits() { return out_.size() <= max_bytes_ || fail("too long"); }

  bool fail(std::string_view what) {
    if (error_.empty()) error_ = what;
    return false;
  }

  const std::size_t max_bytes_;
  std::string out_;
  std::string error_;
};

}  // namespace

bool is_namespace_declaration(const pugi::xml_attribute& attribute) {
  const std::string_view name = attribute.name();
  return name == "xmlns" || name.substr(0, 6) == "xmlns:";
}

std::size_t attribute_count(const pugi::xml_node& element) {
  std::size_t count = 0;
  for (auto a = element.first_attribute(); a; a = a.next_attribute()) ++count;
  return count;
}

std::string_view default_namespace(const pugi::xml_node& element, std::string_view around) {
  const pugi::xml_attribute declaration = element.attribute("xmlns");
  return declaration ? declaration.value() : around;
}

std::string_view default_namespace(const pugi::xml_node& element) {
  return namespace_of(element, {}).value_or(std::string_view{});
}

std::optional<ExpandedName> expanded_name(const pugi::xml_node& element,
                                          const std::optional<std::string_view>& around) {
  const std::optional<QName> name = split(element.name());
  if (!name) return std::nullopt;
  std::optional<std::string_view> ns;
  if (around && name->prefix.empty()) {
    ns = default_namespace(element, *around);
    if (is_reserved(*ns)) return std::nullopt;
  } else {
    ns = namespace_of(element, name->prefix);
  }
  if (!ns || *ns == kXmlNamespace) return std::nullopt;
  return ExpandedName{*ns, name->local};
}

std::optional<ExpandedName> expanded_name(const pugi::xml_node& element,
                                          const pugi::xml_attribute& attribute) {
  const std::optional<QName> name = split(attribute.name());
  if (!name) return std::nullopt;
  if (name->prefix.empty()) return ExpandedName{{}, name->local};  // §6.2: no default here
  const std::optional<std::string_view> ns = namespace_of(element, name->prefix);
  if (!ns) return std::nullopt;
  return ExpandedName{*ns, name->local};
}

tl::expected<std::string, std::string> canonical(const pugi::xml_node& element,
                                                 std::size_t max_bytes) {
  Canonical writer(max_bytes);
  if (!writer.element(element, std::nullopt, 1)) return tl::make_unexpected(writer.error());
  return std::move(writer.out());
}

void append_attributes(std::string& out, const std::vector<ForeignAttribute>& attributes) {
  std::vector<std::string_view> declared;  // position: the number in the prefix
  for (const ForeignAttribute& attribute : attributes) {
    std::string prefix;
    if (attribute.ns == kXmlNamespace) {
      prefix = "xml:";
    } else if (!attribute.ns.empty()) {
      const auto known = std::find(declared.begin(), declared.end(), attribute.ns);
      prefix = "n" + std::to_string(known - declared.begin());
      if (known == declared.end()) {
        declared.push_back(attribute.ns);
        out.append(" xmlns:").append(prefix).append("=\"");
        append_attribute_value(out, attribute.ns);
        out.append("\"");
      }
      prefix += ':';
    }
    out.append(" ").append(prefix).append(attribute.name).append("=\"");
    append_attribute_value(out, attribute.value);
    out.append("\"");
  }
}

std::string_view name_of_canonical(std::string_view element) {
  const std::size_t open = element.find('"');
  if (open == std::string_view::npos) return element;
  return element.substr(0, element.find('"', open + 1));
}

}  // namespace coin
