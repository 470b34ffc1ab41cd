#include "signaling/stanza_error.h"

#include <algorithm>
#include <array>
#include <pugixml.hpp>
#include <string_view>
#include <utility>

#include "signaling/namespaces.h"
#include "signaling/stanza.h"

namespace jingle {
namespace {

constexpr std::array<std::string_view, 5> kTypes{"auth", "cancel", "continue", "modify", "wait"};

// RFC 6120 §8.3.3.
constexpr std::array<std::string_view, 22> kConditions{"bad-request",
                                                       "conflict",
                                                       "feature-not-implemented",
                                                       "forbidden",
                                                       "gone",
                                                       "internal-server-error",
                                                       "item-not-found",
                                                       "jid-malformed",
                                                       "not-acceptable",
                                                       "not-allowed",
                                                       "not-authorized",
                                                       "policy-violation",
                                                       "recipient-unavailable",
                                                       "redirect",
                                                       "registration-required",
                                                       "remote-server-not-found",
                                                       "remote-server-timeout",
                                                       "resource-constraint",
                                                       "service-unavailable",
                                                       "subscription-required",
                                                       "undefined-condition",
                                                       "unexpected-request"};

template <typename Table>
bool contains(const Table& table, std::string_view word) {
  return std::find(table.begin(), table.end(), word) != table.end();
}

StanzaError plain(const char* type, const char* condition, std::string text = {}) {
  StanzaError error;
  error.type = type;
  error.condition = condition;
  error.text = std::move(text);
  return error;
}

StanzaError with_jingle(const char* type, const char* condition, const char* name) {
  StanzaError error = plain(type, condition);
  error.app_ns = ns::kJingleErrors;
  error.app_name = name;
  return error;
}

}  // namespace

std::string StanzaError::xml() const {
  std::string out =
      "<error type='" + escape(type) + "'><" + condition + " xmlns='" + ns::kStanzas + "'";
  out += address.empty() ? "/>" : ">" + escape(address) + "</" + condition + ">";
  if (!text.empty()) {
    out += "<text xmlns='";
    out += ns::kStanzas;
    out += "' xml:lang='en'>" + escape(text) + "</text>";
  }
  if (!app_name.empty()) {
    out += "<" + app_name + " xmlns='" + escape(app_ns) + "'";
    if (!feature.empty()) out += " feature='" + escape(feature) + "'";
    out += "/>";
  }
  out += "</error>";
  return out;
}

StanzaError StanzaError::parse(const pugi::xml_node& iq) {
  StanzaError out = plain("cancel", "undefined-condition");
  pugi::xml_node error;
  for (const auto& node : iq.children()) {
    if (local_name(node) == "error") error = node;
  }
  if (const std::string_view type = error.attribute("type").value(); contains(kTypes, type)) {
    out.type = type;
  }
  for (const auto& node : error.children()) {
    if (node.type() != pugi::node_element) continue;
    const auto name = local_name(node);
    const auto ns = effective_ns(node);
    if (ns != ns::kStanzas) {
      out.app_ns = ns;
      out.app_name = name;
      out.feature = node.attribute("feature").value();
    } else if (name == "text") {
      out.text = text_of(node);
    } else if (contains(kConditions, name)) {
      out.condition = name;
      if (name != "gone" && name != "redirect") continue;
      out.address = text_of(node);
      std::erase_if(out.address, [](unsigned char c) { return c <= ' '; });  // an IRI has none
    }
  }
  return out;
}

StanzaError bad_request(std::string text) {
  return plain("modify", "bad-request", std::move(text));
}
StanzaError service_unavailable() { return plain("cancel", "service-unavailable"); }
StanzaError item_not_found() { return plain("cancel", "item-not-found"); }
StanzaError feature_not_implemented() { return plain("cancel", "feature-not-implemented"); }
StanzaError not_allowed() { return plain("cancel", "not-allowed"); }
StanzaError forbidden() { return plain("auth", "forbidden"); }
StanzaError unknown_session() { return with_jingle("cancel", "item-not-found", "unknown-session"); }
StanzaError out_of_order() { return with_jingle("wait", "unexpected-request", "out-of-order"); }
StanzaError tie_break() { return with_jingle("cancel", "conflict", "tie-break"); }
StanzaError unsupported_info() {
  return with_jingle("modify", "feature-not-implemented", "unsupported-info");
}
StanzaError security_required() {
  return with_jingle("cancel", "not-acceptable", "security-required");
}
StanzaError resource_constraint(std::string text) {
  return plain("wait", "resource-constraint", std::move(text));
}

}  // namespace jingle
