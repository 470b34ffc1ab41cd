#include "tools/call/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace call {
namespace {

constexpr int kMaxDepth = 64;

void quote(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char escaped[8];
          std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
          out += escaped;
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<Json> document() {
    auto value = this->value(0);
    skip_space();
    return at_ == text_.size() ? value : std::nullopt;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }
  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  bool take_after_space(std::string_view word) {
    skip_space();
    return take(word);
  }

  std::optional<Json> value(int depth) {
    skip_space();
    if (depth > kMaxDepth) return std::nullopt;
    if (take("null")) return Json();
    if (take("true")) return Json(true);
    if (take("false")) return Json(false);
    if (take("[")) return array(depth);
    if (take("{")) return object(depth);
    if (take("\"")) {
      auto text = string();
      if (!text) return std::nullopt;
      return Json(std::move(*text));
    }
    double number = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), number);
    if (error != std::errc() || end == begin) return std::nullopt;
    at_ += static_cast<std::size_t>(end - begin);
    return Json(number);
  }

  std::optional<Json> array(int depth) {
    Json::Array elements;
    if (take_after_space("]")) return Json(std::move(elements));
    do {
      auto element = value(depth + 1);
      if (!element) return std::nullopt;
      elements.push_back(std::move(*element));
    } while (take_after_space(","));
    if (!take("]")) return std::nullopt;
    return Json(std::move(elements));
  }

  std::optional<Json> object(int depth) {
    Json::Object members;
    if (take_after_space("}")) return Json(std::move(members));
    do {
      if (!take_after_space("\"")) return std::nullopt;
      auto name = string();
      if (!name || !take_after_space(":")) return std::nullopt;
      auto member = value(depth + 1);
      if (!member) return std::nullopt;
      members.emplace_back(std::move(*name), std::move(*member));
    } while (take_after_space(","));
    if (!take("}")) return std::nullopt;
    return Json(std::move(members));
  }

  std::optional<std::string> string() {
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return out;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ == text_.size()) return std::nullopt;
      const char escaped = text_[at_++];
      constexpr std::string_view kEscapes = "\"\\/bfnrt";
      constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
      if (const auto which = kEscapes.find(escaped); which != kEscapes.npos) {
        out += kMeanings[which];
      } else if (escaped == 'u' && at_ + 4 <= text_.size()) {
        unsigned code = 0;
        const char* begin = text_.data() + at_;
        if (std::from_chars(begin, begin + 4, code, 16).ptr != begin + 4) return std::nullopt;
        at_ += 4;
        append_utf8(out, code);
      } else {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void write_number(std::string& out, double value) {
  char text[64];
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    std::snprintf(text, sizeof text, "%.0f", value);
  } else {
    std::snprintf(text, sizeof text, "%.6f", value);
  }
  out += text;
}

}  // namespace

std::optional<Json> Json::parse(std::string_view text) { return Parser(text).document(); }

std::string Json::str() const {
  std::string out;
  write(out);
  return out;
}

void Json::write(std::string& out) const {
  if (const auto* boolean = std::get_if<bool>(&value_)) {
    out += *boolean ? "true" : "false";
  } else if (const auto* number = std::get_if<double>(&value_)) {
    write_number(out, *number);
  } else if (const auto* text = std::get_if<std::string>(&value_)) {
    quote(out, *text);
  } else if (const auto* elements = std::get_if<Array>(&value_)) {
    out += '[';
    for (std::size_t i = 0; i < elements->size(); ++i) {
      if (i > 0) out += ',';
      (*elements)[i].write(out);
    }
    out += ']';
  } else if (const auto* members = std::get_if<Object>(&value_)) {
    out += '{';
    for (std::size_t i = 0; i < members->size(); ++i) {
      if (i > 0) out += ',';
      quote(out, (*members)[i].first);
      out += ':';
      (*members)[i].second.write(out);
    }
    out += '}';
  } else {
    out += "null";
  }
}

namespace {
const Json& null_value() {
  static const Json null;
  return null;
}
}  // namespace

const Json& Json::operator[](std::string_view name) const {
  if (const auto* members = std::get_if<Object>(&value_)) {
    for (const auto& [key, value] : *members) {
      if (key == name) return value;
    }
  }
  return null_value();
}

const Json& Json::operator[](std::size_t index) const {
  return index < array().size() ? array()[index] : null_value();
}

std::size_t Json::size() const {
  if (const auto* members = std::get_if<Object>(&value_)) return members->size();
  return array().size();
}

const Json::Array& Json::array() const {
  static const Array empty;
  const auto* elements = std::get_if<Array>(&value_);
  return elements != nullptr ? *elements : empty;
}

bool Json::boolean() const {
  const auto* value = std::get_if<bool>(&value_);
  return value != nullptr && *value;
}

double Json::number() const {
  const auto* value = std::get_if<double>(&value_);
  return value != nullptr ? *value : 0;
}

std::string Json::string() const {
  const auto* value = std::get_if<std::string>(&value_);
  return value != nullptr ? *value : std::string();
}

}  // namespace call
