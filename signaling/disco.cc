#include "signaling/disco.h"

#include <algorithm>
#include <pugixml.hpp>
#include <string_view>
#include <tuple>

#include "signaling/digest.h"
#include "signaling/namespaces.h"
#include "signaling/stanza.h"

namespace jingle {
namespace {

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  out += name;
  out += "='";
  out += escape(value);
  out += '\'';
}

std::string open_query(const char* ns, const std::string& node) {
  std::string out = "<query";
  append_attribute(out, "xmlns", ns);
  if (!node.empty()) append_attribute(out, "node", node);
  out += '>';
  return out;
}

}  // namespace

std::string DiscoInfo::xml(const std::string& node) const {
  std::string out = open_query(ns::kDiscoInfo, node);
  for (const auto& identity : identities) {
    out += "<identity";
    append_attribute(out, "category", identity.category);
    append_attribute(out, "type", identity.type);
    if (!identity.name.empty()) append_attribute(out, "name", identity.name);
    if (!identity.lang.empty()) append_attribute(out, "xml:lang", identity.lang);
    out += "/>";
  }
  for (const auto& feature : features) {
    out += "<feature";
    append_attribute(out, "var", feature);
    out += "/>";
  }
  out += "</query>";
  return out;
}

std::optional<DiscoInfo> DiscoInfo::parse(const pugi::xml_node& query) {
  if (!is(query, ns::kDiscoInfo, "query")) return std::nullopt;
  DiscoInfo info;
  for (const auto& node : query.children()) {
    if (is(node, ns::kDiscoInfo, "identity")) {
      Identity identity{.category = node.attribute("category").value(),
                        .type = node.attribute("type").value(),
                        .name = node.attribute("name").value(),
                        .lang = node.attribute("xml:lang").value()};
      if (identity.category.empty() || identity.type.empty()) return std::nullopt;
      info.identities.push_back(std::move(identity));
    } else if (is(node, ns::kDiscoInfo, "feature")) {
      const auto var = node.attribute("var");
      if (*var.value() == '\0') return std::nullopt;
      info.features.insert(var.value());
    }
  }
  return info;
}

std::string DiscoInfo::caps_ver() const {
  auto sorted = identities;
  std::sort(sorted.begin(), sorted.end(), [](const Identity& a, const Identity& b) {
    return std::tie(a.category, a.type, a.lang, a.name) <
           std::tie(b.category, b.type, b.lang, b.name);
  });
  std::string text;
  for (const auto& identity : sorted) {
    text +=
        identity.category + '/' + identity.type + '/' + identity.lang + '/' + identity.name + '<';
  }
  for (const auto& feature : features) text += feature + '<';
  return base64(sha1(text));
}

std::string DiscoInfo::caps_xml(const std::string& node) const {
  std::string out = "<c";
  append_attribute(out, "xmlns", ns::kCaps);
  append_attribute(out, "hash", "sha-1");
  append_attribute(out, "node", node);
  append_attribute(out, "ver", caps_ver());
  out += "/>";
  return out;
}

std::string disco_items_xml(const std::vector<DiscoItem>& items, const std::string& node) {
  std::string out = open_query(ns::kDiscoItems, node);
  for (const auto& item : items) {
    out += "<item";
    append_attribute(out, "jid", item.jid.str());
    if (!item.name.empty()) append_attribute(out, "name", item.name);
    if (!item.node.empty()) append_attribute(out, "node", item.node);
    out += "/>";
  }
  out += "</query>";
  return out;
}

}  // namespace jingle
