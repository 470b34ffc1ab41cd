#include "signaling/strophe_reserved_namespace.h"

#include <string_view>

namespace jingle {
namespace {

constexpr std::string_view kWord = "xmlns";
constexpr std::string_view kPrefix = ":ns";  // and digits: the prefixes Prosody makes up
constexpr std::string_view kReserved = "http://www.w3.org/XML/1998/namespace";

}  // namespace

void ReservedNamespaceFilter::filter(std::string& chunk) {
  for (char& c : chunk) {
    if (next(c)) c = 'X';
  }
}

bool ReservedNamespaceFilter::restart(char c) {
  part_ = Part::word;
  matched_ = c == kWord[0] ? 1 : 0;
  return false;
}

bool ReservedNamespaceFilter::next(char c) {
  const auto go = [&](Part part, std::size_t matched) {
    part_ = part;
    matched_ = matched;
    return false;
  };
  switch (part_) {
    case Part::word:
      if (c != kWord[matched_]) return restart(c);
      return ++matched_ == kWord.size() ? go(Part::after_word, 0) : false;
    case Part::after_word:
      if (c == '=') return go(Part::quote, 0);
      return c == kPrefix[0] ? go(Part::prefix, 1) : restart(c);
    case Part::prefix:
      if (matched_ < kPrefix.size()) return c == kPrefix[matched_] ? ++matched_, false : restart(c);
      if (c >= '0' && c <= '9') return false;
      return c == '=' ? go(Part::quote, 0) : restart(c);
    case Part::quote: return c == '\'' || c == '"' ? go(Part::uri, 0) : restart(c);
    case Part::uri:
      if (c != kReserved[matched_]) return restart(c);
      if (++matched_ < kReserved.size()) return false;
      restart(c);
      return true;
  }
  return false;
}

}  // namespace jingle
