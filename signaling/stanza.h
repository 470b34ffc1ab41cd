// signaling/stanza.h: stanza envelopes (RFC 6120 §8) around an XML tree with value semantics.
// Values; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "signaling/jid.h"

namespace pugi {
class xml_document;
class xml_node;
}  // namespace pugi

namespace jingle {

// One XML element and all below it. Copying copies the tree; comparing compares names, namespaces,
// attributes (in any order), text and children (in order). Namespaces are explicit: ask
// effective_ns(), never a prefix.
class Xml {
 public:
  Xml();
  Xml(const Xml&);
  Xml(Xml&&) noexcept;
  Xml& operator=(Xml) noexcept;
  ~Xml();

  // nullopt when malformed, with a DTD, processing instruction or comment, or beyond limits.h.
  static std::optional<Xml> parse(std::string_view text);

  pugi::xml_node root() const;     // the element; null node when empty
  pugi::xml_document& document();  // to build in place
  std::string str() const;  // canonical enough for the wire: no control characters, no indentation

  bool operator==(const Xml& other) const;

 private:
  std::unique_ptr<pugi::xml_document> document_;
};

// Namespace of an element: its own xmlns (or that of its prefix), else its nearest ancestor's.
std::string_view effective_ns(const pugi::xml_node& node);
// Name without a prefix.
std::string_view local_name(const pugi::xml_node& node);
bool is(const pugi::xml_node& node, std::string_view ns, std::string_view name);
// First child element with that namespace and name; null node if none.
pugi::xml_node child(const pugi::xml_node& parent, std::string_view ns, std::string_view name);
// Number of child elements, whatever they are.
int count_elements(const pugi::xml_node& parent);
// First child element; null node if none.
pugi::xml_node first_element(const pugi::xml_node& parent);
// Its own text, CDATA included, without that of its children.
std::string text_of(const pugi::xml_node& node);
// `text` for use between tags and within single or double quotes; what XML 1.0 cannot carry is left
// out.
std::string escape(std::string_view text);

struct Iq {
  enum class Type { get, set, result, error };
  Type type = Type::get;
  std::string id;
  Jid from, to;
  Xml xml;  // the whole <iq/>
  bool operator==(const Iq&) const = default;
};

struct Message {
  std::string type;  // empty on the wire means normal
  std::string id;
  Jid from, to;
  Xml xml;
  bool operator==(const Message&) const = default;
};

struct Presence {
  std::string type;  // empty: available
  std::string id;
  Jid from, to;
  Xml xml;
  bool operator==(const Presence&) const = default;
};

using Stanza = std::variant<Iq, Message, Presence>;

// nullopt for what can be neither routed nor answered: another root, an invalid from or to, an IQ
// without id or with an unknown type.
std::optional<Stanza> read_stanza(Xml xml);

}  // namespace jingle
