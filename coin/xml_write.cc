#include <charconv>

#include "coin/xml.h"
#include "coin/xml_foreign.h"
#include "coin/xml_schema.h"
#include "coin/xml_text.h"
#include "coin/xml_words.h"

namespace coin {
namespace {

constexpr std::string_view kRoot = "conference-info";

std::string decimal(std::uint32_t number) {
  char digits[10];
  return {digits, std::to_chars(std::begin(digits), std::end(digits), number).ptr};
}

// One element being written; its start tag stays open until the first content. The verbs are
// explained in xml_schema.h.
class Writer {
 public:
  template <class T>
  using Ref = const T&;

  Writer(std::string& out, std::string_view name) : out_(out), name_(name) {}

  void begin() { out_.append("<").append(name_); }
  void finish() {
    if (tag_open_) {
      out_.append("/>");
    } else {
      out_.append("</").append(name_).append(">");
    }
  }

  void attribute(std::string_view name, std::string_view value) {
    out_.append(" ").append(name).append("=\"");
    append_attribute_value(out_, value);
    out_.append("\"");
  }
  void key(std::string_view name, const std::string& value) { attribute(name, value); }
  void uri_key(std::string_view name, const std::string& value) { attribute(name, value); }
  void state(State value) { attribute("state", word_of(value)); }
  void version(const std::optional<std::uint32_t>& value) {
    if (value) attribute("version", decimal(*value));
  }
  void any_attribute(const Foreign& foreign) { append_attributes(out_, foreign.attributes); }

  void required_text(std::string_view name, std::string_view value) {
    content();
    out_.append("<").append(name);
    if (value.empty()) {
      out_.append("/>");
      return;
    }
    out_.append(">");
    append_text(out_, value);
    out_.append("</").append(name).append(">");
  }
  void key_token(std::string_view name, const std::string& value) { required_text(name, value); }
  void text(std::string_view name, const std::optional<std::string>& value) {
    if (value) required_text(name, *value);
  }
  void token(std::string_view name, const std::optional<std::string>& value) { text(name, value); }
  void texts(std::string_view name, const std::vector<std::string>& values, std::size_t) {
    for (const std::string& value : values) required_text(name, value);
  }
  void list(std::string_view name, const std::vector<std::string>& items) {
    if (items.empty()) return;
    std::string value;
    for (const std::string& item : items) value.append(value.empty() ? "" : " ").append(item);
    required_text(name, value);
  }
  void number(std::string_view name, const std::optional<std::uint32_t>& value) {
    if (value) required_text(name, decimal(*value));
  }
  void boolean(std::string_view name, const std::optional<bool>& value) {
    if (value) required_text(name, *value ? "true" : "false");
  }
  template <class E>
  void word(std::string_view name, const std::optional<E>& value) {
    if (value) required_text(name, word_of(*value));
  }

  template <class T>
  void element(std::string_view name, const std::optional<T>& value) {
    if (value) child(name, *value);
  }
  template <class T>
  void each(std::string_view name, const std::vector<T>& values, std::size_t) {
    for (const T& value : values) child(name, value);
  }
  void any(const Foreign& foreign) {
    for (const std::string& element : foreign.elements) {
      content();
      out_.append(element);
    }
  }

 private:
  void content() {
    if (tag_open_) out_.append(">");
    tag_open_ = false;
  }
  template <class T>
  void child(std::string_view name, const T& value) {
    content();
    Writer writer(out_, name);
    writer.begin();
    describe(writer, value);
    writer.finish();
  }

  std::string& out_;
  const std::string_view name_;
  bool tag_open_ = true;
};

void append_head(std::string& out, const ConferenceInfo& info,
                 const std::optional<std::string_view>& sid) {
  Writer writer(out, kRoot);
  writer.begin();
  writer.attribute("xmlns", kNamespace);
  if (sid) writer.attribute("sid", *sid);
  describe_head(writer, info);
}

void append_body(std::string& out, const ConferenceInfo& info) {
  Writer writer(out, kRoot);  // the head has begun it
  describe_body(writer, info);
  writer.finish();
}

}  // namespace

std::string write(const ConferenceInfo& info) {
  std::string out;
  append_head(out, info, info.sid);
  append_body(out, info);
  return out;
}

std::string write_body(const ConferenceInfo& info) {
  std::string out;
  append_body(out, info);
  return out;
}

std::size_t size_of(const User& user) {
  std::string out;
  Writer writer(out, "user");
  writer.begin();
  describe(writer, user);
  writer.finish();
  return out.size();
}

std::string write_head(const ConferenceInfo& info, std::string_view sid, std::uint32_t version) {
  ConferenceInfo head;
  head.entity = info.entity;
  head.state = info.state;
  head.version = version;
  std::string out;
  append_head(out, head, sid.empty() ? std::nullopt : std::optional(sid));
  return out;
}

std::string_view to_string(State value) { return word_of(value); }
std::string_view to_string(EndpointStatus value) { return word_of(value); }
std::string_view to_string(MediaStatus value) { return word_of(value); }
std::string_view to_string(JoiningMethod value) { return word_of(value); }
std::string_view to_string(DisconnectionMethod value) { return word_of(value); }

}  // namespace coin
