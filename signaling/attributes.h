// signaling/attributes.h: typed reading of one element's attributes, for the codecs of this layer.
// The first thing wrong is kept as the error to answer with, all after it reads as a default: a
// codec reads everything and asks ok() once. Not thread-safe; lives no longer than the element.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "signaling/stanza_error.h"

namespace jingle {

// One table for both directions of an enumeration's spelling.
template <typename E, std::size_t N>
using Words = std::array<std::pair<std::string_view, E>, N>;

template <typename E, std::size_t N>
constexpr std::optional<E> value_of(const Words<E, N>& words, std::string_view word) {
  for (const auto& [spelling, value] : words) {
    if (spelling == word) return value;
  }
  return std::nullopt;
}

// Requires: the table is complete.
template <typename E, std::size_t N>
constexpr std::string_view word_of(const Words<E, N>& words, E value) {
  for (const auto& [spelling, candidate] : words) {
    if (candidate == value) return spelling;
  }
  return {};
}

// Decimal, unsigned, white space around it allowed (XML Schema collapses it); nothing else.
std::optional<std::uint32_t> parse_unsigned(std::string_view text);
// xs:boolean: true, false, 1, 0.
std::optional<bool> parse_bool(std::string_view text);

class AttributeReader {
 public:
  explicit AttributeReader(const pugi::xml_node& node) : node_(node) {}

  // Present and not empty.
  std::string required(const char* name);
  // "" when absent.
  std::string optional(const char* name) const;
  std::uint32_t number(const char* name, std::uint32_t min, std::uint32_t max);
  std::optional<std::uint32_t> optional_number(const char* name, std::uint32_t max);

  // `fallback` when absent; without one it is required.
  template <typename E, std::size_t N>
  E word(const char* name, const Words<E, N>& words, std::optional<E> fallback = std::nullopt) {
    if (fallback && !has(name)) return *fallback;
    const std::string text = required(name);
    if (const auto value = value_of(words, text)) return *value;
    fail(name, "unknown '" + text + "'");
    return words.front().second;
  }

  bool has(const char* name) const;
  void fail(const char* name, std::string_view what);
  bool ok() const { return !error_; }
  // Requires: !ok().
  tl::unexpected<StanzaError> error() const { return tl::unexpected(*error_); }

 private:
  const pugi::xml_node& node_;
  std::optional<StanzaError> error_;
};

// Writing: a child element, in `ns` when given; an attribute.
pugi::xml_node add_child(pugi::xml_node& parent, const char* name, std::string_view ns = {});
void add_attribute(pugi::xml_node& node, const char* name, std::string_view value);
void add_attribute(pugi::xml_node& node, const char* name, std::uint32_t value);

}  // namespace jingle
