#include <algorithm>
#include <charconv>
#include <pugixml.hpp>
#include <type_traits>

#include "coin/xml.h"
#include "coin/xml_foreign.h"
#include "coin/xml_schema.h"
#include "coin/xml_text.h"
#include "coin/xml_words.h"

namespace coin {
namespace {

// What all readers of one document share.
struct Document {
  std::optional<ParseError> error;  // the first one
  std::size_t foreign_bytes = 0;
};

// One element being read: its children sorted into ours, foreign ones, and those without a
// namespace, which no schema component allows and which are left out. After the first error nothing
// more is read. The verbs are explained in xml_schema.h.
class Reader {
 public:
  template <class T>
  using Ref = T&;

  Reader(Document& document, const pugi::xml_node& root, std::string_view name)
      : Reader(document, nullptr, root, name, 0, 0) {}
  Reader(const Reader& parent, const pugi::xml_node& node, std::string_view name, std::size_t index,
         std::size_t sidebars)
      : Reader(parent.document_, &parent, node, name, index, sidebars) {}

  void key(const char* name, std::string& value) {
    optional_key(name, value);
    if (value.empty()) fail(std::string("no ") + name);
  }
  void uri_key(const char* name, std::string& value) {
    optional_key(name, value);
    value = collapse(value);
    if (value.empty()) fail(std::string("no ") + name);
  }
  void state(State& value) {
    const std::optional<std::string> word = attribute("state");
    const std::optional<State> state = word ? enumerator_of<State>(*word) : State::full;
    if (!state) return fail("state is none of full, partial, deleted");
    value = *state;
  }
  void version(std::optional<std::uint32_t>& value) {
    if (const auto digits = attribute("version")) value = unsigned_int("version", *digits);
  }
  void sid(std::optional<std::string>& value) { value = attribute("sid"); }

  void any_attribute(Foreign& foreign) {
    std::size_t bytes = 0;
    for (auto attribute = node_.first_attribute(); attribute;
         attribute = attribute.next_attribute()) {
      if (is_namespace_declaration(attribute)) continue;
      const std::optional<ExpandedName> name = expanded_name(node_, attribute);
      if (!name) return fail("attribute with a wrong name or prefix");
      if (name->ns.empty() || name->ns == kNamespace) continue;
      if (!is_carriable(name->ns) || !is_carriable(attribute.value()))
        return fail("character that XML cannot carry");
      bytes += name->ns.size() + name->local.size() + std::string_view(attribute.value()).size();
      if (!spend(bytes)) return;
      foreign.attributes.push_back(
          {std::string(name->ns), std::string(name->local), attribute.value()});
    }
    for (auto a = foreign.attributes.begin(); a != foreign.attributes.end(); ++a) {
      if (std::any_of(foreign.attributes.begin(), a, [a](const ForeignAttribute& b) {
            return a->ns == b.ns && a->name == b.name;
          })) {
        return fail("attribute given twice");
      }
    }
    document_.foreign_bytes += bytes;
  }
  void any(Foreign& foreign) {
    std::size_t bytes = 0;
    for (const pugi::xml_node& child : foreign_) {
      if (failed()) return;
      auto element = canonical(child, limits::kForeignBytes);
      if (!element) return fail("foreign element: " + element.error());
      bytes += element->size();
      if (!spend(bytes)) return;
      foreign.elements.push_back(std::move(*element));
    }
    document_.foreign_bytes += bytes;
  }

  void text(const char* name, std::optional<std::string>& value) {
    if (const pugi::xml_node child = only(name)) value = text_of(child, name);
  }
  void token(const char* name, std::optional<std::string>& value) {
    text(name, value);
    if (value) value = collapse(*value);
  }
  void required_text(const char* name, std::string& value) {
    std::optional<std::string> found;
    text(name, found);
    if (!found) return fail(std::string("no ") + name);
    value = std::move(*found);
  }
  void key_token(const char* name, std::string& value) {
    required_text(name, value);
    value = collapse(value);
    if (value.empty()) fail(std::string("no ") + name);
  }
  void texts(const char* name, std::vector<std::string>& values, std::size_t most) {
    for (const Child& child : children_) {
      if (child.name != name) continue;
      if (values.size() == most) return fail(std::string("too many ") + name);
      values.push_back(text_of(child.node, name));
    }
  }
  void list(const char* name, std::vector<std::string>& items) {
    std::optional<std::string> value;
    token(name, value);
    if (!value) return;
    for (std::string_view rest = *value; !rest.empty();) {
      if (items.size() == limits::kListItems) return fail(std::string("too many ") + name);
      const std::size_t end = std::min(rest.find(' '), rest.size());
      items.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  void number(const char* name, std::optional<std::uint32_t>& value) {
    std::optional<std::string> digits;
    text(name, digits);
    if (digits) value = unsigned_int(name, *digits);
  }
  void boolean(const char* name, std::optional<bool>& value) {
    std::optional<std::string> word;
    token(name, word);
    if (!word) return;
    if (*word != "true" && *word != "1" && *word != "false" && *word != "0") {
      return fail(std::string(name) + " is no boolean");
    }
    value = *word == "true" || *word == "1";
  }
  template <class E>
  void word(const char* name, std::optional<E>& value) {
    std::optional<std::string> text_value;
    text(name, text_value);
    if (!text_value) return;
    value = enumerator_of<E>(*text_value);
    if (!value) fail(std::string(name) + " is none of the schema's words");
  }

  template <class T>
  void element(const char* name, std::optional<T>& value) {
    const pugi::xml_node child = only(name);
    if (!child) return;
    Reader reader(*this, child, name, 0, sidebars_);
    describe(reader, value.emplace());
  }
  template <class T>
  void each(const char* name, std::vector<T>& values, std::size_t most) {
    const std::size_t sidebars = sidebars_ + std::is_same_v<T, ConferenceInfo>;
    for (const Child& child : children_) {
      if (failed()) return;
      if (child.name != name) continue;
      if (values.size() == most) return fail(std::string("too many ") + name);
      if (sidebars > limits::kSidebarDepth) return fail("sidebars nested too deeply");
      Reader reader(*this, child.node, name, values.size() + 1, sidebars);
      describe(reader, values.emplace_back());
    }
  }

  // The element itself, or the one that Jitsi puts directly into it.
  pugi::xml_node inner(const char* name) { return only(name); }

  void fail(std::string what) const {
    if (!failed()) document_.error = ParseError{path(), std::move(what)};
  }

 private:
  struct Child {
    std::string_view name;
    pugi::xml_node node;
  };

  Reader(Document& document, const Reader* parent, const pugi::xml_node& node,
         std::string_view name, std::size_t index, std::size_t sidebars)
      : document_(document),
        parent_(parent),
        node_(node),
        name_(name),
        index_(index),
        sidebars_(sidebars),
        default_ns_(parent ? default_namespace(node, parent->default_ns_)
                           : default_namespace(node)) {
    if (attribute_count(node) > limits::kAttributes) fail("too many attributes");
    for (auto child = node.first_child(); child && !failed(); child = child.next_sibling()) {
      if (child.type() != pugi::node_element) continue;
      const std::optional<ExpandedName> name = expanded_name(child, default_ns_);
      if (!name) {
        fail("child element with a wrong name or prefix");
      } else if (name->ns == kNamespace) {
        children_.push_back({name->local, child});
      } else if (!name->ns.empty()) {
        foreign_.push_back(child);
      }
    }
  }

  bool failed() const { return document_.error.has_value(); }

  std::string path() const {
    if (parent_ == nullptr) return std::string(name_);
    std::string here(name_);
    if (index_ != 0) here += "[" + std::to_string(index_) + "]";
    return parent_->parent_ == nullptr ? here : parent_->path() + "/" + here;
  }

  bool spend(std::size_t bytes) {
    const bool fits = bytes <= limits::kForeignBytes &&
                      document_.foreign_bytes + bytes <= limits::kForeignTotalBytes;
    if (!fits) fail("foreign content is too long");
    return fits;
  }

  std::optional<std::string> attribute(std::string_view name) {
    std::optional<std::string> value;
    for (auto attribute = node_.first_attribute(); attribute;
         attribute = attribute.next_attribute()) {
      if (attribute.name() != name) continue;
      if (value) fail(std::string(name) + " given twice");
      value = checked(attribute.value(), name);
    }
    return value;
  }
  void optional_key(const char* name, std::string& value) {
    if (auto found = attribute(name)) value = std::move(*found);
  }

  pugi::xml_node only(std::string_view name) {
    pugi::xml_node found;
    if (failed()) return found;
    for (const Child& child : children_) {
      if (child.name != name) continue;
      if (found) fail(std::string(name) + " given twice");
      found = child.node;
    }
    return found;
  }

  std::string text_of(const pugi::xml_node& element, std::string_view name) {
    std::string text;
    for (auto child = element.first_child(); child; child = child.next_sibling()) {
      if (child.type() == pugi::node_element) fail(std::string(name) + " holds an element");
      if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
        text += child.value();
      }
    }
    return checked(std::move(text), name);
  }
  std::string checked(std::string text, std::string_view name) {
    if (text.size() > limits::kTextBytes) {
      fail(std::string(name) + " is too long");
    } else if (!is_carriable(text)) {
      fail(std::string(name) + " has a character that XML cannot carry");
    }
    return text;
  }

  std::optional<std::uint32_t> unsigned_int(std::string_view name, std::string_view text) {
    const std::string digits = collapse(text);
    const char* const end = digits.data() + digits.size();
    std::uint32_t value = 0;
    const auto [rest, error] = std::from_chars(digits.data(), end, value);
    if (error == std::errc() && rest == end) return value;
    fail(std::string(name) + " is no unsigned 32-bit integer");
    return std::nullopt;
  }

  Document& document_;
  const Reader* const parent_;
  const pugi::xml_node node_;
  const std::string_view name_;
  const std::size_t index_;     // from 1; 0: not one of several
  const std::size_t sidebars_;  // how many sidebars we are in
  const std::string_view default_ns_;
  std::vector<Child> children_;
  std::vector<pugi::xml_node> foreign_;
};

constexpr char kRoot[] = "conference-info";

tl::expected<ConferenceInfo, ParseError> error(std::string what) {
  return tl::make_unexpected(ParseError{kRoot, std::move(what)});
}

}  // namespace

tl::expected<ConferenceInfo, ParseError> parse(const pugi::xml_node& root) {
  const std::optional<ExpandedName> name = expanded_name(root);
  if (name != ExpandedName{kNamespace, kRoot}) return error("the root is not RFC 4575's");

  // What stands around the root is searched for namespaces again and again.
  for (pugi::xml_node around = root.parent(); around; around = around.parent()) {
    if (attribute_count(around) > limits::kAttributes) return error("too many attributes around");
  }
  Document document;
  ConferenceInfo info;
  Reader outer(document, root, kRoot);
  outer.sid(info.sid);
  if (const pugi::xml_node nested = outer.inner(kRoot)) {
    Reader inner(document, nested, kRoot);
    if (inner.inner(kRoot)) inner.fail("nested more than once");
    std::optional<std::string> sid;
    inner.sid(sid);
    if (sid) info.sid = std::move(sid);
    describe(inner, info);
  } else {
    describe(outer, info);
  }
  if (document.error) return tl::make_unexpected(std::move(*document.error));
  return info;
}

tl::expected<ConferenceInfo, ParseError> parse(std::string_view text) {
  if (text.size() > limits::kDocumentBytes) return error("the document is too long");
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_buffer(
      text.data(), text.size(), pugi::parse_default | pugi::parse_ws_pcdata, pugi::encoding_utf8);
  if (!result) return error(std::string("not well-formed: ") + result.description());
  const auto roots = document.children();
  const auto is_element = [](const pugi::xml_node& n) { return n.type() == pugi::node_element; };
  if (std::count_if(roots.begin(), roots.end(), is_element) != 1) {
    return error("not well-formed: one root it must have");
  }
  return parse(document.document_element());
}

tl::expected<std::string, ParseError> foreign_element(const pugi::xml_node& element) {
  const std::optional<ExpandedName> name = expanded_name(element);
  if (!name || name->ns.empty() || name->ns == kNamespace) {
    return tl::make_unexpected(ParseError{element.name(), "has no namespace of its own"});
  }
  auto text = canonical(element, limits::kForeignBytes);
  if (!text) return tl::make_unexpected(ParseError{element.name(), std::move(text.error())});
  return std::move(*text);
}

}  // namespace coin
