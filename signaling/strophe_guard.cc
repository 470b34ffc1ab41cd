#include "signaling/strophe_guard.h"

#include <dlfcn.h>
#include <expat.h>

#include <algorithm>
#include <pugixml.hpp>

#include "signaling/limits.h"
#include "signaling/namespaces.h"

namespace jingle {
namespace {

constexpr char kStreamErrors[] = "urn:ietf:params:xml:ns:xmpp-streams";  // RFC 6120 §4.9.3
constexpr char kSasl[] = "urn:ietf:params:xml:ns:xmpp-sasl";             // RFC 6120 §6
constexpr char kSm[] = "urn:xmpp:sm:3";                                  // XEP-0198
constexpr char kXmlNamespace[] = "http://www.w3.org/XML/1998/namespace";
constexpr char kSeparator = '\x1f';  // libstrophe's choice (parser_expat.c)
// expat keeps an incomplete token whole; no tag or attribute we can use is longer.
constexpr long kMaxTokenBytes = 2 * static_cast<long>(limits::kMaxStanzaBytes);
// expat keeps each name of an element, an attribute or a prefix that it has ever read, with 60 to
// 300 bytes beside it; of so much XML at most.
constexpr long kMaxNamesBytes = static_cast<long>(limits::kMaxStanzaBytes);

thread_local StropheGuard* current_guard = nullptr;

struct Name {
  std::string_view ns, local;
};
Name split(const char* name) {
  const std::string_view text = name;
  const std::size_t at = text.find(kSeparator);
  if (at == std::string_view::npos) return {{}, text};
  return {text.substr(0, at), text.substr(at + 1)};
}

// A component's stanzas differ from a client's in nothing but this (XEP-0114 §3).
std::string_view normalised(std::string_view ns) {
  return ns == ns::kComponent ? std::string_view(ns::kClient) : ns;
}

std::string attribute(const char** attributes, std::string_view name) {
  for (; *attributes; attributes += 2) {
    if (*attributes == name) return attributes[1];
  }
  return {};
}

}  // namespace

struct StropheGuard::Expat {
  XML_StartElementHandler start = nullptr;
  XML_EndElementHandler end = nullptr;
  XML_CharacterDataHandler characters = nullptr;
  void* user_data = nullptr;
};

StropheGuard::StropheGuard(std::function<void()> on_closed)
    : on_closed_(std::move(on_closed)), expat_(std::make_unique<Expat>()) {}
StropheGuard::~StropheGuard() = default;

StropheGuard::Scope::Scope(StropheGuard& guard) : outer_(current_guard) { current_guard = &guard; }
StropheGuard::Scope::~Scope() { current_guard = outer_; }

void StropheGuard::reset() {
  facts_ = {};
  filter_.reset();
  taking_ = false;
  depth_ = 0;
  mode_ = Mode::pass;
  text_.clear();
  path_.clear();
  namespaces_.clear();
  building_ = Xml();
}

void StropheGuard::start(const char* name, const char** attributes) {
  if (renewing_) return;
  last_event_ = XML_GetCurrentByteIndex(static_cast<XML_Parser>(parser_));
  if (depth_ == 0) {
    opening_ = opening_.substr(
        static_cast<std::size_t>(last_event_),
        static_cast<std::size_t>(XML_GetCurrentByteCount(static_cast<XML_Parser>(parser_))));
  }
  const auto [ns, local] = split(name);
  if (depth_ == 1) begin_top(ns, local, attributes);
  if (depth_ > 1) check_size();
  if (depth_ > limits::kMaxDepth) refuse("nested too deeply");
  switch (mode_) {
    case Mode::pass:
      observe(ns, local, attributes);
      pass_start(name, attributes);
      break;
    case Mode::take:
      if (depth_ == 1) {
        const char* none[] = {nullptr};
        expat_->start(expat_->user_data, name, none);
      }
      take_start(ns, local, attributes);
      break;
    case Mode::drop: break;
  }
  ++depth_;
}

void StropheGuard::begin_top(std::string_view ns, std::string_view name, const char** attributes) {
  top_start_ = last_event_;
  path_.clear();
  const bool stanza = (ns == ns::kClient || ns == ns::kComponent) &&
                      (name == "iq" || name == "message" || name == "presence");
  mode_ = taking_ && stanza ? Mode::take : Mode::pass;
  if (mode_ != Mode::take) return;
  building_ = Xml();
  namespaces_.clear();
  const auto shortened = [&](const char* key) {
    return attribute(attributes, key).substr(0, 3 * limits::kMaxJidPart + 2);
  };
  envelope_ = {std::string(name), shortened("type"), shortened("id"),
               shortened("from"), shortened("to"),   ""};
}

void StropheGuard::pass_start(const char* name, const char** attributes) {
  flush_text();
  // Only what has no namespace, as libstrophe would not see the difference; xml:lang keeps its
  // prefix by losing its namespace.
  std::vector<const char*> kept;
  for (; *attributes; attributes += 2) {
    const auto [ns, local] = split(attributes[0]);
    if (!ns.empty() && !(ns == kXmlNamespace && local == "lang")) continue;
    kept.push_back(ns.empty() ? attributes[0] : "xml:lang");
    kept.push_back(attributes[1]);
  }
  kept.push_back(nullptr);
  expat_->start(expat_->user_data, name, kept.data());
}

void StropheGuard::take_start(std::string_view ns, std::string_view name, const char** attributes) {
  flush_text();
  pugi::xml_node parent = building_.document();
  for (std::size_t i = 0; i < namespaces_.size(); ++i) parent = parent.last_child();
  pugi::xml_node node = parent.append_child(std::string(name).c_str());
  const std::string_view space = normalised(ns);
  if (namespaces_.empty() || namespaces_.back() != space) {
    node.append_attribute("xmlns").set_value(std::string(space).c_str());
  }
  namespaces_.emplace_back(space);
  std::size_t count = 0;
  for (; *attributes; attributes += 2) {
    const auto [attribute_ns, local] = split(attributes[0]);
    const bool lang = attribute_ns == kXmlNamespace && local == "lang";
    if (!attribute_ns.empty() && !lang) continue;
    if (++count > limits::kMaxAttributes) return refuse("too many attributes");
    node.append_attribute(lang ? "xml:lang" : attributes[0]).set_value(attributes[1]);
  }
}

void StropheGuard::end(const char* name) {
  last_event_ = XML_GetCurrentByteIndex(static_cast<XML_Parser>(parser_));
  if (depth_ > 1) check_size();
  if (mode_ != Mode::drop) flush_text();
  --depth_;
  if (!path_.empty()) path_.pop_back();
  if (depth_ == 0) {
    facts_.closed = true;
    on_closed_();
  }
  const bool top = depth_ == 1;
  switch (mode_) {
    case Mode::pass: expat_->end(expat_->user_data, name); break;
    case Mode::take:
      namespaces_.pop_back();
      if (top) stanzas_.push_back(std::exchange(building_, Xml()));
      if (top) expat_->end(expat_->user_data, name);
      break;
    case Mode::drop:
      if (top && !envelope_.name.empty()) refused_.push_back(std::exchange(envelope_, {}));
      if (top) expat_->end(expat_->user_data, name);
      break;
  }
  if (top) mode_ = Mode::pass;
  if (!top || !taking_) return;
  last_event_ += XML_GetCurrentByteCount(static_cast<XML_Parser>(parser_));
  if (last_event_ < kMaxNamesBytes || !facts_.fatal.empty()) return;
  renew_ = true;
  XML_StopParser(static_cast<XML_Parser>(parser_), XML_FALSE);
}

void StropheGuard::characters(std::string_view text) {
  last_event_ = XML_GetCurrentByteIndex(static_cast<XML_Parser>(parser_));
  if (depth_ < 2 || mode_ == Mode::drop) return;  // between stanzas: keep-alives
  check_size();
  if (mode_ != Mode::drop) text_ += text;
}

// One call for a run of characters: expat reports every line feed and every entity by itself.
void StropheGuard::flush_text() {
  if (text_.empty()) return;
  if (mode_ == Mode::pass) {
    if (facts_.fatal.empty() && path_.size() == 2 && path_[0] == "error" && path_[1] == "text") {
      facts_.stream_error_text = text_.substr(0, 200);
    }
    expat_->characters(expat_->user_data, text_.data(), static_cast<int>(text_.size()));
  } else if (mode_ == Mode::take) {
    pugi::xml_node parent = building_.document();
    for (std::size_t i = 0; i < namespaces_.size(); ++i) parent = parent.last_child();
    parent.append_child(pugi::node_pcdata).set_value(text_.c_str());
  }
  text_.clear();
}

// The few things libstrophe hears and does not pass on.
void StropheGuard::observe(std::string_view ns, std::string_view name, const char** attributes) {
  if (depth_ == 0) return;
  path_.emplace_back(name);
  const std::string_view top = path_.front();
  if (depth_ == 1 && ns == kSm) {
    const std::string resume = attribute(attributes, "resume");
    facts_.sm_answered |= name == "enabled" || name == "failed";
    facts_.sm_resumable |= name == "enabled" && (resume == "true" || resume == "1");
    facts_.sm_resumed |= name == "resumed";
    facts_.sm_acked |= name == "a";
  }
  if (depth_ != 2 || name == "text") return;
  if (top == "features" && ns == kSm) facts_.sm_offered = true;
  if (top == "failure" && ns == kSasl) facts_.sasl_failure = name;
  if (top == "error" && ns == kStreamErrors) facts_.stream_error = name;
}

void StropheGuard::check_size() {
  if (last_event_ - top_start_ > static_cast<long>(limits::kMaxStanzaBytes)) refuse("too big");
}

void StropheGuard::refuse(const char* why) {
  if (mode_ == Mode::drop) return;
  // The stream's own elements are small; one that is not comes from no XMPP server.
  if (mode_ == Mode::pass) return fail(std::string("element of the stream ") + why);
  mode_ = Mode::drop;
  text_.clear();
  building_ = Xml();
  namespaces_.clear();
  envelope_.why = why;
}

void StropheGuard::fail(std::string why) {
  if (facts_.fatal.empty()) facts_.fatal = std::move(why);
  mode_ = Mode::drop;
  XML_StopParser(static_cast<XML_Parser>(parser_), XML_FALSE);
}

namespace {

template <typename Function>
Function* next_definition(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
// expat's own, behind what stands in their place below.
struct Real {
  decltype(XML_Parse)* parse = next_definition<decltype(XML_Parse)>("XML_Parse");
  decltype(XML_SetElementHandler)* set_element_handler =
      next_definition<decltype(XML_SetElementHandler)>("XML_SetElementHandler");
  decltype(XML_SetCharacterDataHandler)* set_character_data_handler =
      next_definition<decltype(XML_SetCharacterDataHandler)>("XML_SetCharacterDataHandler");
};
const Real& real() {
  static const Real found;
  return found;
}

}  // namespace

// What expat calls, and what libstrophe calls instead of expat.
struct StropheGuardHooks {
  static void start(void*, const XML_Char* name, const XML_Char** attributes) noexcept {
    current_guard->start(name, attributes);
  }
  static void end(void*, const XML_Char* name) noexcept { current_guard->end(name); }
  static void characters(void*, const XML_Char* text, int size) noexcept {
    current_guard->characters({text, static_cast<std::size_t>(size)});
  }
  static void doctype(void*, const XML_Char*, const XML_Char*, const XML_Char*, int) noexcept {
    current_guard->fail("restricted XML: a document type declaration");  // RFC 6120 §11.1
  }

  // libstrophe calls these after creating a parser and after every XML_ParserReset.
  static void adopt(StropheGuard& guard, XML_Parser parser, XML_StartElementHandler start,
                    XML_EndElementHandler end) {
    guard.parser_ = parser;
    guard.expat_->start = start;
    guard.expat_->end = end;
    guard.expat_->user_data = XML_GetUserData(parser);
    guard.depth_ = 0;
    guard.fed_ = guard.last_event_ = 0;
    guard.mode_ = StropheGuard::Mode::pass;
    guard.text_.clear();
    guard.path_.clear();
    guard.opening_.clear();
    set_handlers(parser);
  }
  static void adopt(StropheGuard& guard, XML_CharacterDataHandler characters) {
    guard.expat_->characters = characters;
  }
  static bool admit(StropheGuard& guard, const char* text, int size) {
    ++guard.chunks_;
    guard.fed_ += size;
    guard.chunk_.assign(text, static_cast<std::size_t>(size));
    guard.filter_.filter(guard.chunk_);
    if (guard.depth_ == 0) guard.opening_ += guard.chunk_;
    if (guard.fed_ - guard.last_event_ > kMaxTokenBytes) guard.facts_.fatal = "oversized XML token";
    return guard.facts_.fatal.empty();
  }
  // The chunk that was admitted, with a parser that may have to begin anew in its midst.
  static XML_Status parse(StropheGuard& guard, XML_Parser parser, int is_final) {
    std::string_view rest = guard.chunk_;
    for (;;) {
      const XML_Status status = feed(parser, rest, is_final);
      if (!std::exchange(guard.renew_, false)) {
        if (status == XML_STATUS_ERROR) report(guard, parser);
        return status;
      }
      rest = rest.substr(rest.size() - static_cast<std::size_t>(guard.fed_ - guard.last_event_));
      renew(guard, parser);
      guard.fed_ += static_cast<long>(rest.size());
    }
  }
  static void report(StropheGuard& guard, XML_Parser parser) {
    if (!guard.facts_.fatal.empty()) return;
    guard.facts_.fatal = std::string("not well-formed XML from the server: ") +
                         XML_ErrorString(XML_GetErrorCode(parser));
  }

 private:
  static XML_Status feed(XML_Parser parser, std::string_view text, int is_final) {
    return real().parse(parser, text.data(), static_cast<int>(text.size()), is_final);
  }
  static void set_handlers(XML_Parser parser) {
    real().set_element_handler(parser, start, end);
    real().set_character_data_handler(parser, characters);
    XML_SetStartDoctypeDeclHandler(parser, doctype);
    // Part of 2.6.0 and of distributions' 2.5.0 with the remedy of CVE-2023-52425.
    using Defer = XML_Bool (*)(XML_Parser, XML_Bool);
    static const auto defer =
        reinterpret_cast<Defer>(::dlsym(RTLD_DEFAULT, "XML_SetReparseDeferralEnabled"));
    if (defer) defer(parser, XML_FALSE);
  }
  // Between two stanzas: all names are forgotten, and what opened the stream is said again.
  static void renew(StropheGuard& guard, XML_Parser parser) {
    XML_ParserReset(parser, nullptr);
    XML_SetUserData(parser, guard.expat_->user_data);
    set_handlers(parser);
    guard.renewing_ = true;
    feed(parser, guard.opening_, XML_FALSE);
    guard.renewing_ = false;
    guard.fed_ = guard.last_event_ = static_cast<long>(guard.opening_.size());
  }
};

}  // namespace jingle

// ELF interposition: libstrophe's calls land here; those of others pass through.
extern "C" {

using jingle::StropheGuardHooks;

void XML_SetElementHandler(XML_Parser parser, XML_StartElementHandler start,
                           XML_EndElementHandler end) {
  if (!jingle::current_guard) return jingle::real().set_element_handler(parser, start, end);
  StropheGuardHooks::adopt(*jingle::current_guard, parser, start, end);
}

void XML_SetCharacterDataHandler(XML_Parser parser, XML_CharacterDataHandler handler) {
  if (!jingle::current_guard) return jingle::real().set_character_data_handler(parser, handler);
  StropheGuardHooks::adopt(*jingle::current_guard, handler);
}

XML_Status XML_Parse(XML_Parser parser, const char* text, int size, int is_final) {
  jingle::StropheGuard* const guard = jingle::current_guard;
  if (!guard) return jingle::real().parse(parser, text, size, is_final);
  if (!StropheGuardHooks::admit(*guard, text, size)) return XML_STATUS_ERROR;
  return StropheGuardHooks::parse(*guard, parser, is_final);
}

}  // extern "C"
