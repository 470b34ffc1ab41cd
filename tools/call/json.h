// tools/call/json.h: JSON (RFC 8259) as a value: what jingle-call prints and what its tests read.
// Objects keep the order of their members. Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace call {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  Json(bool value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(int value) : value_(static_cast<double>(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  // nullopt: not exactly one JSON value, or nested deeper than 64.
  static std::optional<Json> parse(std::string_view text);
  // On one line. Numbers keep six decimals; invalid UTF-8 is passed through.
  std::string str() const;

  // A member of an object, an element of an array; null where there is none.
  const Json& operator[](std::string_view name) const;
  const Json& operator[](std::size_t index) const;
  std::size_t size() const;  // of an array or object, else 0
  const Array& array() const;

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool boolean() const;        // false unless true
  double number() const;       // 0 unless a number
  std::string string() const;  // empty unless a string

  bool operator==(const Json&) const = default;

 private:
  void write(std::string& out) const;
  std::variant<std::monostate, bool, double, std::string, Array, Object> value_;
};

}  // namespace call
