#include "signaling/stanza.h"

#include <array>
#include <pugixml.hpp>
#include <utility>

#include "signaling/namespaces.h"

namespace jingle {
namespace {

constexpr std::array<std::pair<std::string_view, Iq::Type>, 4> kIqTypes{{
    {"get", Iq::Type::get},
    {"set", Iq::Type::set},
    {"result", Iq::Type::result},
    {"error", Iq::Type::error},
}};

// Absent: the empty JID. False: there, and no JID.
bool read_jid(const pugi::xml_node& node, const char* name, Jid& out) {
  const auto attribute = node.attribute(name);
  if (!attribute) return true;
  auto jid = Jid::parse(attribute.value());
  if (!jid) return false;
  out = std::move(*jid);
  return true;
}

std::optional<Stanza> read_iq(const pugi::xml_node& root, Jid from, Jid to, Xml xml) {
  const std::string_view type = root.attribute("type").value();
  std::string id = root.attribute("id").value();
  if (id.empty()) return std::nullopt;  // RFC 6120 §8.2.3: nothing to answer to
  for (const auto& [word, value] : kIqTypes) {
    if (word == type) {
      return Iq{.type = value,
                .id = std::move(id),
                .from = std::move(from),
                .to = std::move(to),
                .xml = std::move(xml)};
    }
  }
  return std::nullopt;
}

template <typename T>
T read_envelope(const pugi::xml_node& root, Jid from, Jid to, Xml xml) {
  std::string type = root.attribute("type").value();
  std::string id = root.attribute("id").value();
  return T{.type = std::move(type),
           .id = std::move(id),
           .from = std::move(from),
           .to = std::move(to),
           .xml = std::move(xml)};
}

}  // namespace

std::optional<Stanza> read_stanza(Xml xml) {
  const auto root = xml.root();
  const auto ns = effective_ns(root);
  if (ns != ns::kClient && ns != ns::kComponent && !ns.empty()) return std::nullopt;
  Jid from, to;
  if (!root || !read_jid(root, "from", from) || !read_jid(root, "to", to)) return std::nullopt;
  const auto name = local_name(root);
  if (name == "iq") return read_iq(root, std::move(from), std::move(to), std::move(xml));
  if (name == "message") {
    return read_envelope<Message>(root, std::move(from), std::move(to), std::move(xml));
  }
  if (name == "presence") {
    return read_envelope<Presence>(root, std::move(from), std::move(to), std::move(xml));
  }
  return std::nullopt;
}

}  // namespace jingle
