#include "signaling/jingle_content.h"

#include <algorithm>
#include <pugixml.hpp>

#include "signaling/attributes.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"

namespace jingle {
namespace {

constexpr Words<Creator, 2> kCreators{{
    {"initiator", Creator::initiator},
    {"responder", Creator::responder},
}};

constexpr Words<Senders, 4> kSenders{{
    {"both", Senders::both},
    {"initiator", Senders::initiator},
    {"none", Senders::none},
    {"responder", Senders::responder},
}};

// A <description/> or <transport/>: ours by its namespace, or kept as unsupported.
template <typename Ours, typename Variant>
std::optional<StanzaError> parse_part(const pugi::xml_node& node, std::string_view ours,
                                      Result<Ours> (*parse)(const pugi::xml_node&), Variant& out) {
  if (!std::holds_alternative<std::monostate>(out)) {
    return bad_request("content with two of " + std::string(local_name(node)).substr(0, 64));
  }
  const auto ns = effective_ns(node);
  if (ns != ours) {
    out = Unsupported{std::string(ns)};
    return std::nullopt;
  }
  auto parsed = parse(node);
  if (!parsed) return parsed.error();
  out = std::move(*parsed);
  return std::nullopt;
}

Result<Content> parse_content(const pugi::xml_node& node) {
  AttributeReader read(node);
  Content out;
  out.creator = read.word("creator", kCreators, std::optional(Creator::initiator));
  out.name = read.required("name");
  out.senders = read.word("senders", kSenders, std::optional(Senders::both));
  if (read.has("disposition")) out.disposition = read.required("disposition");
  if (!read.ok()) return read.error();
  for (const auto& part : node.children()) {
    if (part.type() != pugi::node_element) continue;
    std::optional<StanzaError> error;
    if (local_name(part) == "description") {
      error = parse_part(part, ns::kRtp, parse_rtp_description, out.description);
    } else if (local_name(part) == "transport") {
      error = parse_part(part, ns::kIceUdp, parse_ice_udp, out.transport);
    }
    if (error) return tl::unexpected(std::move(*error));
  }
  return out;
}

template <typename Variant>
void write_part(pugi::xml_node& content, const char* name, const Variant& part) {
  if (const auto* unsupported = std::get_if<Unsupported>(&part)) {
    auto node = content.append_child(name);
    add_attribute(node, "xmlns", unsupported->ns);
  }
}

}  // namespace

Result<std::vector<Content>> parse_contents(const pugi::xml_node& jingle) {
  std::vector<Content> out;
  for (const auto& node : jingle.children()) {
    if (!is(node, ns::kJingle, "content")) continue;
    if (out.size() >= limits::kMaxContents) return tl::unexpected(bad_request("too many contents"));
    auto content = parse_content(node);
    if (!content) return tl::unexpected(std::move(content.error()));
    const bool repeated = std::any_of(out.begin(), out.end(), [&](const Content& other) {
      return other.creator == content->creator && other.name == content->name;
    });
    if (repeated) return tl::unexpected(bad_request("two contents of one name"));
    out.push_back(std::move(*content));
  }
  return out;
}

void write_content(pugi::xml_node& jingle, const Content& content, bool with_senders) {
  auto node = add_child(jingle, "content");
  add_attribute(node, "creator", word_of(kCreators, content.creator));
  if (content.disposition != "session") add_attribute(node, "disposition", content.disposition);
  add_attribute(node, "name", content.name);
  if (with_senders || content.senders != Senders::both) {
    add_attribute(node, "senders", word_of(kSenders, content.senders));
  }
  if (const auto* rtp = content.rtp()) write(node, *rtp);
  write_part(node, "description", content.description);
  if (const auto* ice = content.ice()) write(node, *ice);
  write_part(node, "transport", content.transport);
}

Result<std::vector<Group>> parse_groups(const pugi::xml_node& jingle) {
  std::vector<Group> out;
  for (const auto& node : jingle.children()) {
    if (!is(node, ns::kGrouping, "group")) continue;
    if (out.size() >= limits::kMaxContents) return tl::unexpected(bad_request("too many groups"));
    AttributeReader read(node);
    Group group;
    group.semantics = read.required("semantics");
    if (!read.ok()) return read.error();
    for (const auto& member : node.children()) {
      if (!is(member, ns::kGrouping, "content")) continue;
      AttributeReader name(member);
      group.names.push_back(name.required("name"));
      if (!name.ok()) return name.error();
      if (group.names.size() > limits::kMaxContents) {
        return tl::unexpected(bad_request("too many contents in a group"));
      }
    }
    out.push_back(std::move(group));
  }
  return out;
}

void write_group(pugi::xml_node& jingle, const Group& group) {
  auto node = add_child(jingle, "group", ns::kGrouping);
  add_attribute(node, "semantics", group.semantics);
  for (const auto& name : group.names) {
    auto member = add_child(node, "content");
    add_attribute(member, "name", name);
  }
}

}  // namespace jingle
