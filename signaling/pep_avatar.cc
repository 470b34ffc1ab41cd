// User Avatar (XEP-0084).
#include <algorithm>
#include <cctype>
#include <pugixml.hpp>

#include "signaling/attributes.h"
#include "signaling/digest.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"
#include "signaling/pep_codec.h"
#include "signaling/pubsub.h"
#include "signaling/stanza.h"

namespace jingle::pep {
namespace {

constexpr std::uint32_t kMostShort = 65535;

// SHA-1 in hex, in lower case; empty: it is none.
std::string hash_in(std::string text) {
  constexpr std::size_t kDigits = 40;
  const bool hex = std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (text.size() != kDigits || !hex) return {};
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

Result<AvatarInfo> parse_info(const pugi::xml_node& node) {
  AttributeReader in(node);
  AvatarInfo info;
  info.id = hash_in(in.required("id"));
  if (info.id.empty()) in.fail("id", "not a SHA-1 hash");
  info.type = in.required("type");
  info.bytes = in.number("bytes", 0, 0xffffffff);
  info.height = in.optional_number("height", kMostShort);
  info.width = in.optional_number("width", kMostShort);
  info.url = in.optional("url");
  if (in.has("url") && !is_uri_reference(info.url)) in.fail("url", "not a URI");
  if (in.ok()) return info;
  return tl::unexpected(pubsub::invalid_payload(in.error().value().text));
}

}  // namespace

std::string avatar_id(std::string_view image) { return hex(sha1(image)); }

Result<Payload> parse_avatar_metadata(const pugi::xml_node& root) {
  AvatarMetadata out;
  for (const auto& node : root.children()) {
    if (!is(node, ns::kAvatarMetadata, "info")) continue;  // <stop/> of old, pointers
    if (out.infos.size() == limits::kMaxAvatarInfos) {
      return tl::unexpected(pubsub::invalid_payload("too many images"));
    }
    auto info = parse_info(node);
    if (!info) return tl::unexpected(std::move(info.error()));
    out.infos.push_back(std::move(*info));
  }
  return out;
}

Result<Payload> parse_avatar_data(const pugi::xml_node& root, std::string_view item_id) {
  auto image = from_base64(text_of(root));
  if (!image) return tl::unexpected(pubsub::invalid_payload("not base64"));
  if (image->size() > limits::kMaxAvatarBytes) return tl::unexpected(pubsub::payload_too_big());
  if (!image->empty() && avatar_id(*image) != hash_in(std::string(item_id))) {
    return tl::unexpected(pubsub::invalid_payload("the image is not that of its id"));
  }
  return AvatarData{std::move(*image)};
}

void write_avatar(pugi::xml_node& root, const Payload& payload) {
  if (const auto* data = std::get_if<AvatarData>(&payload)) {
    if (!data->image.empty()) root.text().set(base64(data->image).c_str());
    return;
  }
  for (const AvatarInfo& info : std::get<AvatarMetadata>(payload).infos) {
    auto node = add_child(root, "info");
    add_attribute(node, "bytes", info.bytes);
    if (info.height) add_attribute(node, "height", *info.height);
    add_attribute(node, "id", info.id);
    add_attribute(node, "type", info.type);
    if (!info.url.empty()) add_attribute(node, "url", info.url);
    if (info.width) add_attribute(node, "width", *info.width);
  }
}

}  // namespace jingle::pep
