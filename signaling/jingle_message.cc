#include "signaling/jingle_message.h"

#include <pugixml.hpp>

#include "signaling/attributes.h"
#include "signaling/jingle_reason.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"

namespace jingle::jmi {
namespace {

// By position in Payload.
constexpr std::array<const char*, 6> kNames{"propose", "ringing", "proceed",
                                            "reject",  "retract", "finish"};

std::optional<Payload> parse_propose(const pugi::xml_node& node) {
  Propose out;
  for (const auto& description : node.children()) {
    if (!is(description, ns::kRtp, "description")) continue;
    const char* media = description.attribute("media").value();
    if (*media == '\0' || out.media.size() >= limits::kMaxContents) return std::nullopt;
    out.media.emplace_back(media);
  }
  return out;
}

Reason reason_of(const pugi::xml_node& node) { return parse_reason(node).value_or(no_reason()); }

std::optional<Payload> parse_finish(const pugi::xml_node& node) {
  Finish out{.reason = reason_of(node), .migrated_to = {}};
  if (const auto migrated = child(node, ns::kJingleMessage, "migrated")) {
    out.migrated_to = migrated.attribute("to").value();
    if (out.migrated_to.empty() || out.migrated_to.size() > limits::kMaxSidBytes)
      return std::nullopt;
  }
  return out;
}

std::optional<Payload> parse_payload(const pugi::xml_node& node) {
  const auto name = local_name(node);
  const bool tie_break = !child(node, ns::kJingleMessage, "tie-break").empty();
  if (name == "propose") return parse_propose(node);
  if (name == "ringing") return Ringing{};
  if (name == "proceed") return Proceed{};
  if (name == "reject") return Reject{.reason = reason_of(node), .tie_break = tie_break};
  if (name == "retract") return Retract{.reason = reason_of(node), .tie_break = tie_break};
  if (name == "finish") return parse_finish(node);
  return std::nullopt;  // `accept` (before 0.6 one's own other devices were told so), and the rest
}

struct PayloadWriter {
  pugi::xml_node node;

  void operator()(const Propose& propose) {
    for (const auto& media : propose.media) {
      auto description = add_child(node, "description", ns::kRtp);
      add_attribute(description, "media", media);
    }
  }
  void operator()(const Ringing&) {}
  void operator()(const Proceed&) {}
  void operator()(const Reject& reject) { write_end(reject.reason, reject.tie_break); }
  void operator()(const Retract& retract) { write_end(retract.reason, retract.tie_break); }
  void operator()(const Finish& finish) {
    write_end(finish.reason, false);
    if (!finish.migrated_to.empty()) {
      auto migrated = add_child(node, "migrated");
      add_attribute(migrated, "to", finish.migrated_to);
    }
  }
  void write_end(const Reason& reason, bool tie_break) {
    if (reason != no_reason()) write_reason(node, reason);
    if (tie_break) add_child(node, "tie-break");
  }
};

}  // namespace

std::optional<Event> parse(const Message& message) {
  if (message.type == "groupchat" || message.type == "error") return std::nullopt;
  pugi::xml_node found;
  for (const auto& node : message.xml.root().children()) {
    if (node.type() != pugi::node_element || effective_ns(node) != ns::kJingleMessage) continue;
    if (found) return std::nullopt;  // which of the two was meant?
    found = node;
  }
  Event out;
  out.id.value = found.attribute("id").value();
  if (out.id.value.empty() || out.id.value.size() > limits::kMaxSidBytes) return std::nullopt;
  auto payload = parse_payload(found);
  if (!payload) return std::nullopt;
  out.payload = std::move(*payload);
  return out;
}

std::string write(const Event& event) {
  Xml xml;
  auto node = add_child(xml.document(), kNames[event.payload.index()], ns::kJingleMessage);
  add_attribute(node, "id", event.id.value);
  std::visit(PayloadWriter{node}, event.payload);
  return xml.str() + "<store xmlns='" + ns::kHints + "'/>";
}

}  // namespace jingle::jmi
