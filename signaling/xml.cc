// The XML tree of stanza.h: expat in, pugixml inside, an own writer out.
//
// Why expat and not pugixml's parser: pugixml knows no namespaces and lets pass what XML 1.0 and
// RFC 6120 §11 forbid (undeclared prefixes, repeated attributes, control characters, invalid
// UTF-8). expat is what reads the stream itself, so a text is accepted here exactly if it could
// have come over the wire. Why an own writer: pugixml's drops line ends and tabs from attributes
// when told to write no control characters, and writes invalid UTF-8 as it finds it.
#include <expat.h>

#include <algorithm>
#include <pugixml.hpp>
#include <string>
#include <utility>
#include <vector>

#include "signaling/limits.h"
#include "signaling/stanza.h"

namespace jingle {
namespace {

constexpr char kXmlNs[] = "http://www.w3.org/XML/1998/namespace";
// Between namespace and name in expat's names; no XML document can contain it.
constexpr char kSeparator = '\x01';

std::pair<std::string_view, std::string_view> split(std::string_view expanded) {
  const auto at = expanded.find(kSeparator);
  if (at == std::string_view::npos) return {{}, expanded};
  return {expanded.substr(0, at), expanded.substr(at + 1)};
}

class Builder {
 public:
  explicit Builder(pugi::xml_document& document) : current_(document) {
    parser_ = XML_ParserCreateNS("UTF-8", kSeparator);
    XML_SetUserData(parser_, this);
    // The stream's guard stands before some of expat's functions for libstrophe's sake (not before
    // these two), and lets all others' calls pass outside its own scope.
    XML_SetStartElementHandler(parser_, [](void* self, const char* name, const char** attributes) {
      static_cast<Builder*>(self)->start(name, attributes);
    });
    XML_SetEndElementHandler(parser_,
                             [](void* self, const char*) { static_cast<Builder*>(self)->end(); });
    XML_SetCharacterDataHandler(parser_, [](void* self, const char* text, int size) {
      static_cast<Builder*>(self)->text_.append(text, static_cast<std::size_t>(size));
    });
    // RFC 6120 §11.1: none of these occurs in a stream.
    XML_SetStartDoctypeDeclHandler(
        parser_, [](void* self, const char*, const char*, const char*, int) { refuse(self); });
    XML_SetCommentHandler(parser_, [](void* self, const char*) { refuse(self); });
    XML_SetProcessingInstructionHandler(parser_,
                                        [](void* self, const char*, const char*) { refuse(self); });
    XML_SetXmlDeclHandler(parser_, [](void* self, const char*, const char*, int) { refuse(self); });
  }
  ~Builder() { XML_ParserFree(parser_); }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  bool run(std::string_view text) {
    return XML_Parse(parser_, text.data(), static_cast<int>(text.size()), XML_TRUE) ==
               XML_STATUS_OK &&
           !failed_;
  }

 private:
  static void refuse(void* self) { static_cast<Builder*>(self)->fail(); }
  void fail() {
    failed_ = true;
    XML_StopParser(parser_, XML_FALSE);
  }

  void flush_text() {
    if (!text_.empty()) current_.append_child(pugi::node_pcdata).set_value(text_.c_str());
    text_.clear();
  }

  void start(const char* expanded, const char** attributes) {
    if (failed_) return;
    const auto [ns, name] = split(expanded);
    // An element of the xml: namespace cannot be written without its prefix and is nothing anyway.
    if (static_cast<int>(namespaces_.size()) >= limits::kMaxDepth || ns == kXmlNs) return fail();
    flush_text();
    current_ = current_.append_child(std::string(name).c_str());
    const bool inherited = namespaces_.empty() ? ns.empty() : namespaces_.back() == ns;
    if (!inherited) current_.append_attribute("xmlns").set_value(std::string(ns).c_str());
    namespaces_.emplace_back(ns);

    std::size_t count = 0;
    for (; *attributes != nullptr; attributes += 2) {
      if (++count > limits::kMaxAttributes) return fail();
      add_attribute(attributes[0], attributes[1], count);
    }
  }

  void add_attribute(const char* expanded, const char* value, std::size_t index) {
    const auto [ns, local] = split(expanded);
    std::string name(local);
    if (ns == kXmlNs) {
      name = "xml:" + name;
    } else if (!ns.empty()) {
      // Another's attribute keeps a prefix, of our choice: it must never be taken for ours.
      const std::string prefix = "ns" + std::to_string(index);
      current_.append_attribute(("xmlns:" + prefix).c_str()).set_value(std::string(ns).c_str());
      name = prefix + ":" + name;
    }
    current_.append_attribute(name.c_str()).set_value(value);
  }

  void end() {
    if (failed_) return;
    flush_text();
    current_ = current_.parent();
    namespaces_.pop_back();
  }

  XML_Parser parser_;
  pugi::xml_node current_;
  std::vector<std::string> namespaces_;  // of the open elements
  std::string text_;
  bool failed_ = false;
};

// Length of the UTF-8 sequence at `text[i]` if XML 1.0 §2.2 allows its character, else 0.
std::size_t xml_character(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r' ? 1 : 0;
  const std::size_t length = lead < 0xC2   ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || i + length > text.size()) return 0;
  char32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(k) & 0x3F);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool barred =
      (code >= 0xD800 && code <= 0xDFFF) || code == 0xFFFE || code == 0xFFFF || code > 0x10FFFF;
  return overlong || barred ? 0 : length;
}

// In attributes line ends and tabs become references, or the reader would turn them into spaces
// (XML 1.0 §3.3.3); a carriage return would become a line feed anywhere (§2.11).
void append_escaped(std::string& out, std::string_view text, bool attribute) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = xml_character(text, i);
    if (length != 1) {
      out.append(text.substr(i, length));
      i += std::max<std::size_t>(length, 1);
      continue;
    }
    const char c = text[i++];
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': attribute ? out += "&quot;" : out += c; break;
      case '\'': attribute ? out += "&apos;" : out += c; break;
      case '\t': attribute ? out += "&#9;" : out += c; break;
      case '\n': attribute ? out += "&#10;" : out += c; break;
      case '\r': out += "&#13;"; break;
      default: out += c;
    }
  }
}

bool is_text(const pugi::xml_node& node) {
  return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata;
}

void append_element(std::string& out, const pugi::xml_node& node) {
  out += '<';
  out += node.name();
  for (const auto& attribute : node.attributes()) {
    out += ' ';
    out += attribute.name();
    out += "='";
    append_escaped(out, attribute.value(), true);
    out += '\'';
  }
  const std::size_t opening = out.size();
  out += '>';
  for (const auto& child : node.children()) {
    if (is_text(child)) append_escaped(out, child.value(), false);
    if (child.type() == pugi::node_element) append_element(out, child);
  }
  if (out.size() == opening + 1) {
    out.back() = '/';
    out += '>';
  } else {
    out += "</";
    out += node.name();
    out += '>';
  }
}

std::string_view prefix_of(std::string_view name) {
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? std::string_view() : name.substr(0, colon);
}

// The nearest declaration of `prefix` (empty: the default namespace) at or above `node`.
std::string_view declared(pugi::xml_node node, std::string_view prefix) {
  if (prefix == "xml") return kXmlNs;
  const std::string name = prefix.empty() ? "xmlns" : "xmlns:" + std::string(prefix);
  for (; node.type() == pugi::node_element; node = node.parent()) {
    if (const auto attribute = node.attribute(name.c_str())) return attribute.value();
  }
  return {};
}

struct Attribute {
  std::string_view ns, name, value;
  auto operator<=>(const Attribute&) const = default;
};

std::vector<Attribute> sorted_attributes(const pugi::xml_node& node) {
  std::vector<Attribute> out;
  for (const auto& attribute : node.attributes()) {
    const std::string_view name = attribute.name();
    const auto prefix = prefix_of(name);
    if (name == "xmlns" || prefix == "xmlns") continue;
    if (prefix.empty()) {
      out.push_back({{}, name, attribute.value()});
    } else {
      out.push_back({declared(node, prefix), name.substr(prefix.size() + 1), attribute.value()});
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The run of text that begins at `node`; leaves `node` at what follows it.
std::string take_text(pugi::xml_node& node) {
  std::string out;
  for (; node && node.type() != pugi::node_element; node = node.next_sibling()) {
    if (is_text(node)) out += node.value();
  }
  return out;
}

bool equal(const pugi::xml_node& a, const pugi::xml_node& b) {
  if (local_name(a) != local_name(b) || effective_ns(a) != effective_ns(b) ||
      sorted_attributes(a) != sorted_attributes(b)) {
    return false;
  }
  auto left = a.first_child(), right = b.first_child();
  while (true) {
    if (take_text(left) != take_text(right)) return false;
    if (!left || !right) return !left && !right;
    if (!equal(left, right)) return false;
    left = left.next_sibling();
    right = right.next_sibling();
  }
}

}  // namespace

Xml::Xml() : document_(std::make_unique<pugi::xml_document>()) {}
Xml::Xml(const Xml& other) : Xml() {
  if (other.document_) document_->reset(*other.document_);
}
Xml::Xml(Xml&&) noexcept = default;
Xml& Xml::operator=(Xml other) noexcept {
  document_ = std::move(other.document_);
  return *this;
}
Xml::~Xml() = default;

std::optional<Xml> Xml::parse(std::string_view text) {
  if (text.size() > limits::kMaxStanzaBytes) return std::nullopt;
  Xml xml;
  if (!Builder(*xml.document_).run(text)) return std::nullopt;
  return xml;
}

pugi::xml_node Xml::root() const {
  return document_ ? document_->document_element() : pugi::xml_node();
}

pugi::xml_document& Xml::document() {
  if (!document_) document_ = std::make_unique<pugi::xml_document>();
  return *document_;
}

std::string Xml::str() const {
  std::string out;
  if (const auto element = root()) append_element(out, element);
  return out;
}

bool Xml::operator==(const Xml& other) const {
  const auto mine = root(), theirs = other.root();
  if (!mine || !theirs) return !mine && !theirs;
  return equal(mine, theirs);
}

std::string_view effective_ns(const pugi::xml_node& node) {
  return declared(node, prefix_of(node.name()));
}

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const auto prefix = prefix_of(name);
  return prefix.empty() ? name : name.substr(prefix.size() + 1);
}

bool is(const pugi::xml_node& node, std::string_view ns, std::string_view name) {
  return node.type() == pugi::node_element && local_name(node) == name && effective_ns(node) == ns;
}

pugi::xml_node child(const pugi::xml_node& parent, std::string_view ns, std::string_view name) {
  for (const auto& node : parent.children()) {
    if (is(node, ns, name)) return node;
  }
  return {};
}

int count_elements(const pugi::xml_node& parent) {
  int count = 0;
  for (const auto& node : parent.children()) count += node.type() == pugi::node_element;
  return count;
}

pugi::xml_node first_element(const pugi::xml_node& parent) {
  for (const auto& node : parent.children()) {
    if (node.type() == pugi::node_element) return node;
  }
  return {};
}

std::string text_of(const pugi::xml_node& node) {
  std::string out;
  for (const auto& child : node.children()) {
    if (is_text(child)) out += child.value();
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_escaped(out, text, true);
  return out;
}

}  // namespace jingle
