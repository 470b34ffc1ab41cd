#include "signaling/pep.h"

#include <array>
#include <pugixml.hpp>

#include "signaling/attributes.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"
#include "signaling/pep_codec.h"
#include "signaling/pubsub.h"
#include "signaling/stanza.h"

namespace jingle::pep {
namespace {

struct NodeRow {
  std::string_view id, name;
  const char* root;
};

// By Node.
constexpr std::array<NodeRow, kNodes> kTable{{{ns::kTune, "tune", "tune"},
                                              {ns::kViewing, "viewing", "video"},
                                              {ns::kUserStatus, "status", "status"},
                                              {ns::kActivity, "activity", "activity"},
                                              {ns::kMood, "mood", "mood"},
                                              {ns::kGeoloc, "geoloc", "geoloc"},
                                              {ns::kPhysloc, "location", "physloc"},
                                              {ns::kAvatarMetadata, "avatar", "metadata"},
                                              {ns::kAvatarData, "", "data"},
                                              {ns::kNick, "nick", "nick"}}};

const NodeRow& row_of(Node node) { return kTable[static_cast<std::size_t>(node)]; }

template <typename Predicate>
std::optional<Node> find(Predicate fits) {
  for (std::size_t i = 0; i < kNodes; ++i) {
    if (fits(kTable[i])) return static_cast<Node>(i);
  }
  return std::nullopt;
}

template <std::size_t I = 0>
Payload default_of(std::size_t index) {
  if constexpr (I + 1 < kNodes) {
    if (index != I) return default_of<I + 1>(index);
  }
  return Payload(std::in_place_index<I>);
}

// Stops counting beyond `most`.
std::size_t bytes_of(const pugi::xml_node& node, std::size_t most) {
  std::size_t bytes = std::string_view(node.name()).size() + std::string_view(node.value()).size();
  for (const auto& attribute : node.attributes()) {
    bytes += std::string_view(attribute.name()).size() + std::string_view(attribute.value()).size();
  }
  for (auto child = node.first_child(); child && bytes <= most; child = child.next_sibling()) {
    bytes += bytes_of(child, most - bytes);
  }
  return bytes;
}

}  // namespace

std::string_view id_of(Node node) { return row_of(node).id; }

std::optional<Node> node_of(std::string_view id) {
  return find([id](const NodeRow& row) { return row.id == id; });
}

std::string_view name_of(Node node) { return row_of(node).name; }

std::optional<Node> node_named(std::string_view name) {
  if (name.empty()) return std::nullopt;
  return find([name](const NodeRow& row) { return row.name == name; });
}

Payload stop_of(Node node) { return default_of(static_cast<std::size_t>(node)); }

Result<Payload> parse(Node node, const pugi::xml_node& element, std::string_view item_id) {
  const std::size_t most =
      node == Node::avatar_data ? limits::kMaxAvatarBytes * 3 / 2 : limits::kMaxPayloadBytes;
  if (bytes_of(element, most) > most) return tl::unexpected(pubsub::payload_too_big());
  if (!is(element, id_of(node), row_of(node).root)) {
    return tl::unexpected(pubsub::invalid_payload("another element"));
  }
  switch (node) {
    case Node::status: return parse_status(element);
    case Node::activity: return parse_activity(element);
    case Node::mood: return parse_mood(element);
    case Node::avatar: return parse_avatar_metadata(element);
    case Node::avatar_data: return parse_avatar_data(element, item_id);
    case Node::nick: return Nick{trimmed_text(element)};
    default: return parse_fields(node, element);
  }
}

std::string write(const Payload& payload) {
  const Node node = node_of(payload);
  Xml xml;
  auto root = add_child(xml.document(), row_of(node).root, id_of(node));
  switch (node) {
    case Node::status:
    case Node::activity:
    case Node::mood: write_words(root, payload); break;
    case Node::avatar:
    case Node::avatar_data: write_avatar(root, payload); break;
    case Node::nick: root.text().set(std::get<Nick>(payload).text.c_str()); break;
    default: write_fields(root, payload);
  }
  return xml.str();
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

std::string trimmed_text(const pugi::xml_node& node) { return trimmed(text_of(node)); }

}  // namespace jingle::pep
