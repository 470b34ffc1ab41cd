// signaling/strophe_reserved_namespace.h: repairs what Prosody makes of attributes and elements in
// the namespace of xml:lang. Pure; one thread.
#pragma once

#include <cstddef>
#include <string>

namespace jingle {

// From a client's <message xml:x=''/> Prosody 0.12.3 makes <message
// xmlns:ns1='http://www.w3.org/XML/1998/namespace' ns1:x=''/>, and from <xml:x/> an <x xmlns='…'/>.
// No other prefix may be bound to that namespace (Namespaces in XML §3), so expat gives up: any
// stranger could end a component's stream with one message. Here such a declaration gets its last
// letter changed, which makes it a namespace like any other, of nobody's interest.
class ReservedNamespaceFilter {
 public:
  // In place, byte for byte, across chunks.
  void filter(std::string& chunk);
  void reset() { *this = {}; }

 private:
  enum class Part { word, after_word, prefix, quote, uri };
  // What comes after `part_` when `c` is next; true when c completes the reserved name.
  bool next(char c);
  bool restart(char c);

  Part part_ = Part::word;
  std::size_t matched_ = 0;  // characters of the current part
};

}  // namespace jingle
