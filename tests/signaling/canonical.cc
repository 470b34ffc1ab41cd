#include "tests/signaling/canonical.h"

#include <algorithm>
#include <pugixml.hpp>
#include <string>
#include <vector>

namespace jingle {
namespace {

void set(pugi::xml_node node, const char* name, const std::string& value) {
  if (!node.attribute(name)) node.append_attribute(name);
  node.attribute(name).set_value(value.c_str());
}

// Understood by nobody here, or read and never repeated.
bool is_ignored(const pugi::xml_node& node) {
  static const char* const kNames[] = {
      "stream",   "rtcp-reduced-size",  "crypto",    "bandwidth", "ssrc-group",
      "security", "extmap-allow-mixed", "zrtp-hash", "stanza-id", "remote-candidate",
      "store"};
  const std::string name = node.name();
  if (name == "candidate" && std::string(node.attribute("protocol").value()) == "tcp") return true;
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](const char* ignored) { return name == ignored; });
}

int rank(const std::string& name) {
  static const char* const kOrder[] = {"content",      "reason",
                                       "payload-type", "parameter",
                                       "rtcp-fb",      "rtcp-mux",
                                       "encryption",   "rtp-hdrext",
                                       "source",       "description",
                                       "fingerprint",  "candidate",
                                       "transport",    "gathering-complete",
                                       "group"};
  const auto* found = std::find(std::begin(kOrder), std::end(kOrder), name);
  return static_cast<int>(found - std::begin(kOrder));
}

void sort_children(pugi::xml_node node) {
  std::vector<pugi::xml_node> elements;
  for (const auto& child : node.children()) {
    if (child.type() == pugi::node_element) elements.push_back(child);
  }
  std::stable_sort(elements.begin(), elements.end(),
                   [](const auto& a, const auto& b) { return rank(a.name()) < rank(b.name()); });
  for (const auto& element : elements) node.append_move(element);
}

void number_candidates(pugi::xml_node transport) {
  int index = 0;
  for (auto candidate : transport.children("candidate")) {
    ++index;
    if (!candidate.attribute("id")) set(candidate, "id", "c" + std::to_string(index));
    if (!candidate.attribute("generation")) set(candidate, "generation", "0");
  }
}

void spell_out(pugi::xml_node node) {
  const std::string name = node.name();
  const std::string action = node.attribute("action").value();
  if (name == "jingle") {
    if (action != "session-initiate") node.remove_attribute("initiator");
    if (action != "session-accept") node.remove_attribute("responder");
    // A session-info, transport-info or security-info that is not understood has only a name.
    if (action == "security-info") node.remove_children();
  }
  if (name == "content" && std::string(node.parent().name()) == "jingle") {
    if (!node.attribute("creator")) set(node, "creator", "initiator");
    if (!node.attribute("senders")) set(node, "senders", "both");
  }
  if (name == "parameter" && !node.attribute("value")) set(node, "value", "");
  if (name == "encryption" && std::string(node.attribute("required").value()) == "1") {
    set(node, "required", "true");
  }
  if (name == "fingerprint") {
    std::string text = text_of(node);
    text.erase(std::remove_if(text.begin(), text.end(),
                              [](char c) { return c == ' ' || c == '\n' || c == '\t'; }),
               text.end());
    node.remove_children();
    node.append_child(pugi::node_pcdata).set_value(text.c_str());
  }
  if (name == "transport") number_candidates(node);
  if (name == "candidate") {
    for (const char* attribute : {"network-id", "network-cost"})
      node.remove_attribute(attribute);  // libwebrtc's
  }
  // Read in any of the namespaces seen, written in the one of XEP-0298.
  if (name == "conference-info") set(node, "xmlns", "urn:xmpp:coin:1");
}

void reduce(pugi::xml_node node) {
  spell_out(node);
  for (auto child = node.first_child(); child;) {
    const auto next = child.next_sibling();
    if (is_ignored(child)) node.remove_child(child);
    child = next;
  }
  for (auto child : node.children()) {
    if (child.type() == pugi::node_element) reduce(child);
  }
  sort_children(node);
}

}  // namespace

Xml canonical(const Xml& xml) {
  Xml out = xml;
  reduce(out.root());
  return out;
}

}  // namespace jingle
