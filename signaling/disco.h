// signaling/disco.h: service discovery (XEP-0030) and entity capabilities (XEP-0115). Values; any
// thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "signaling/jid.h"
#include "signaling/stanza_error.h"

namespace jingle {

struct Identity {
  std::string category, type, name, lang;
  auto operator<=>(const Identity&) const = default;
};

struct DiscoInfo {
  std::vector<Identity> identities;
  std::set<std::string> features;
  bool operator==(const DiscoInfo&) const = default;

  // <query/>, `node` echoed when not empty.
  std::string xml(const std::string& node = {}) const;
  // `query` is the <query/> element of a result. Forms are not kept.
  static std::optional<DiscoInfo> parse(const pugi::xml_node& query);
  // XEP-0115 §5.1, sha-1, base64. Forms are not part of it.
  std::string caps_ver() const;
  // <c/> for presence.
  std::string caps_xml(const std::string& node) const;
};

struct DiscoItem {
  Jid jid;
  std::string name, node;
  bool operator==(const DiscoItem&) const = default;
};
std::string disco_items_xml(const std::vector<DiscoItem>& items, const std::string& node = {});

struct DiscoInfoQuery {
  std::string node;
  bool operator==(const DiscoInfoQuery&) const = default;
};
struct DiscoItemsQuery {
  std::string node;
  bool operator==(const DiscoItemsQuery&) const = default;
};

}  // namespace jingle
