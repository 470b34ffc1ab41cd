#include "signaling/jingle_reason.h"

#include <pugixml.hpp>

#include "signaling/attributes.h"
#include "signaling/namespaces.h"

namespace jingle {

std::optional<Reason> parse_reason(const pugi::xml_node& parent) {
  const auto reason = child(parent, ns::kJingle, "reason");
  if (!reason) return std::nullopt;
  Reason out = no_reason();
  for (const auto& node : reason.children()) {
    if (node.type() != pugi::node_element) continue;
    const auto ns = effective_ns(node);
    const auto name = local_name(node);
    if (ns == ns::kRtpErrors) {
      out.rtp_error = name;
    } else if (ns != ns::kJingle) {
      continue;
    } else if (name == "text") {
      out.text = text_of(node);
    } else if (out.condition.empty()) {
      out.condition = name;
      if (name == "alternative-session") {
        out.alternative_sid = text_of(child(node, ns::kJingle, "sid"));
      }
    }
  }
  return out;
}

void write_reason(pugi::xml_node& parent, const Reason& reason) {
  const bool inherits = effective_ns(parent) == ns::kJingle;
  auto node = add_child(parent, "reason", inherits ? std::string_view() : ns::kJingle);
  if (!reason.condition.empty()) {
    auto condition = add_child(node, reason.condition.c_str());
    if (!reason.alternative_sid.empty()) {
      auto sid = add_child(condition, "sid");
      sid.append_child(pugi::node_pcdata).set_value(reason.alternative_sid.c_str());
    }
  }
  if (!reason.text.empty()) {
    auto text = add_child(node, "text");
    text.append_child(pugi::node_pcdata).set_value(reason.text.c_str());
  }
  if (!reason.rtp_error.empty()) add_child(node, reason.rtp_error.c_str(), ns::kRtpErrors);
}

}  // namespace jingle
