#include "signaling/attributes.h"

#include <charconv>
#include <pugixml.hpp>

#include "signaling/stanza.h"

namespace jingle {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

std::optional<std::uint32_t> parse_unsigned(std::string_view text) {
  text = trim(text);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_bool(std::string_view text) {
  text = trim(text);
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

bool AttributeReader::has(const char* name) const { return !node_.attribute(name).empty(); }

void AttributeReader::fail(const char* name, std::string_view what) {
  constexpr std::size_t kMost = 64;  // of what is the peer's and goes back to it
  if (error_) return;
  error_ = bad_request(std::string(local_name(node_)) + "/@" + name + ": " +
                       std::string(what.substr(0, kMost)));
}

std::string AttributeReader::required(const char* name) {
  std::string value = node_.attribute(name).value();
  if (value.empty()) fail(name, "missing");
  return value;
}

std::string AttributeReader::optional(const char* name) const {
  return node_.attribute(name).value();
}

std::uint32_t AttributeReader::number(const char* name, std::uint32_t min, std::uint32_t max) {
  const std::string text = required(name);
  const auto value = parse_unsigned(text);
  if (value && *value >= min && *value <= max) return *value;
  fail(name, "not a number from " + std::to_string(min) + " to " + std::to_string(max));
  return min;
}

std::optional<std::uint32_t> AttributeReader::optional_number(const char* name, std::uint32_t max) {
  if (!has(name)) return std::nullopt;
  return number(name, 0, max);
}

pugi::xml_node add_child(pugi::xml_node& parent, const char* name, std::string_view ns) {
  auto node = parent.append_child(name);
  if (!ns.empty()) add_attribute(node, "xmlns", ns);
  return node;
}

void add_attribute(pugi::xml_node& node, const char* name, std::string_view value) {
  node.append_attribute(name).set_value(value.data(), value.size());
}

void add_attribute(pugi::xml_node& node, const char* name, std::uint32_t value) {
  node.append_attribute(name).set_value(value);
}

}  // namespace jingle
