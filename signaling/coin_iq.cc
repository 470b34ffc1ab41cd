#include "signaling/coin_iq.h"

#include <algorithm>
#include <array>
#include <pugixml.hpp>

#include "signaling/attributes.h"
#include "signaling/namespaces.h"

namespace jingle {
namespace {

// What has been seen around isfocus: XEP-0298 §7; Jitsi; SylkServer, which writes none and reads
// another; and the element left in Jingle's own namespace.
constexpr std::array<std::string_view, 5> kNamespaces{ns::kCoin, ns::kCoinJitsi, "", ns::kJingle,
                                                      "urn:xmpp:jingle:apps:coin:1"};

}  // namespace

std::optional<bool> parse_isfocus(const pugi::xml_node& jingle) {
  for (const auto& node : jingle.children()) {
    if (node.type() != pugi::node_element || local_name(node) != "conference-info") continue;
    const auto ns = effective_ns(node);
    if (std::find(kNamespaces.begin(), kNamespaces.end(), ns) == kNamespaces.end()) continue;
    if (const auto value = parse_bool(node.attribute("isfocus").value())) return value;
  }
  return std::nullopt;
}

void write_isfocus(pugi::xml_node& jingle, bool isfocus) {
  auto node = add_child(jingle, "conference-info", ns::kCoin);
  add_attribute(node, "isfocus", isfocus ? "true" : "false");
}

}  // namespace jingle
