#include "mixer/sharing.h"

#include <pugixml.hpp>

#include "coin/xml.h"
#include "mixer/display_name.h"
#include "mixer/limits.h"

namespace mixer {

namespace pep = jingle::pep;

namespace {

constexpr std::string_view kSpace = " \t\r\n,";

std::string next_word(std::string_view& text) {
  const auto begin = std::min(text.find_first_not_of(kSpace), text.size());
  text.remove_prefix(begin);
  const auto end = std::min(text.find_first_of(kSpace), text.size());
  std::string word(text.substr(0, end));
  text.remove_prefix(end);
  for (char& c : word) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return word;
}

// XEP-0112 is obsolete: its fields are some of XEP-0080's.
pep::Geoloc geoloc_of(const pep::PhysicalLocation& place) {
  pep::Geoloc geoloc;
  geoloc.area = place.area;
  geoloc.building = place.building;
  geoloc.country = place.country;
  geoloc.floor = place.floor;
  geoloc.locality = place.locality;
  geoloc.postalcode = place.postalcode;
  geoloc.region = place.region;
  geoloc.room = place.room;
  geoloc.street = place.street;
  geoloc.text = place.text;
  return geoloc;
}

// As the others see it: an element, but of a nick its text; empty: nothing.
std::string shown_as(const pep::Payload& payload) {
  if (const auto* nick = std::get_if<pep::Nick>(&payload)) return displayable(nick->text);
  if (pep::is_stop(payload)) return {};
  const auto* place = std::get_if<pep::PhysicalLocation>(&payload);
  const auto xml = jingle::Xml::parse(place ? pep::write(geoloc_of(*place)) : pep::write(payload));
  return coin::foreign_element(xml->root()).value_or(std::string());
}

}  // namespace

ShareWish parse_share(std::string_view text, bool share) {
  ShareWish wish{.share = share, .nodes = {}};
  for (std::string word = next_word(text); !word.empty(); word = next_word(text)) {
    if (const auto node = pep::node_named(word)) {
      wish.nodes.insert(*node);
    } else {
      wish.unknown.push_back(std::move(word));
    }
  }
  return wish;
}

std::set<pep::Node> Sharing::apply(const jingle::Jid& user, const ShareWish& wish) {
  std::set<pep::Node> added;
  if (!wish.share) {
    const auto found = users_.find(user);
    if (found == users_.end()) return added;
    for (const pep::Node node : wish.nodes) found->second.shown.erase(node);
    const bool everything = wish.nodes.empty() && wish.unknown.empty();
    if (everything || found->second.shown.empty()) users_.erase(found);
    return added;
  }
  for (const pep::Node node : wish.nodes) {
    if (relay_.contains(node) && users_[user].shown.try_emplace(node).second) added.insert(node);
  }
  return added;
}

std::string Sharing::listed(const std::set<pep::Node>& nodes) {
  std::string out;
  for (const pep::Node node : nodes) {
    out.append(out.empty() ? "" : ", ").append(pep::name_of(node));
  }
  return out;
}

std::set<pep::Node> Sharing::nodes(const jingle::Jid& user) const {
  const auto found = users_.find(user);
  std::set<pep::Node> nodes;
  if (found != users_.end()) {
    for (const auto& [node, element] : found->second.shown) nodes.insert(node);
  }
  return nodes;
}

std::string Sharing::refused(const ShareWish& wish) const {
  std::string out;
  const auto add = [&out](std::string_view word) {
    out.append(out.empty() ? "" : ", ").append(word);
  };
  for (const pep::Node node : wish.nodes) {
    if (!relay_.contains(node)) add(pep::name_of(node));
  }
  for (const std::string& word : wish.unknown) add(word);
  return displayable(out);
}

void Sharing::set_unseen(const jingle::Jid& user, bool unseen) {
  const auto found = users_.find(user);
  if (found != users_.end()) found->second.unseen = unseen;
}

bool Sharing::is_unseen(const jingle::Jid& user) const {
  const auto found = users_.find(user);
  return found != users_.end() && found->second.unseen;
}

Sharing::Taken Sharing::take(const jingle::Jid& user, const jingle::pubsub::Event& event) {
  const auto found = users_.find(user);
  const auto node = pep::node_of(event.node);
  if (found == users_.end() || !node) return {};
  const bool image = *node == pep::Node::avatar_data;  // only its metadata are shown
  const auto shared = found->second.shown.find(image ? pep::Node::avatar : *node);
  if (shared == found->second.shown.end()) return {};
  Taken taken;
  std::string element;
  if (!event.items.empty()) {
    const auto& item = event.items.back();
    const auto payload = pep::parse(*node, item.payload.root(), item.id);
    if (!payload) {
      if (!std::exchange(found->second.complained, true)) taken.error = payload.error();
    } else if (!image) {
      element = shown_as(*payload);
    }
  } else if (!event.emptied && event.retracted.empty()) {
    return {};
  }
  if (image) return taken;
  taken.changed = shared->second != element;
  shared->second = std::move(element);
  return taken;
}

std::string Sharing::nick(const jingle::Jid& user) const {
  const auto found = users_.find(user);
  if (found == users_.end()) return {};
  const auto shown = found->second.shown.find(pep::Node::nick);
  return shown == found->second.shown.end() ? std::string() : shown->second;
}

std::vector<std::string> Sharing::elements(const jingle::Jid& user) const {
  std::vector<std::string> out;
  const auto found = users_.find(user);
  if (found == users_.end()) return out;
  std::size_t bytes = 0;
  bool placed = false;  // by one of two
  for (const auto& [node, element] : found->second.shown) {
    const bool place = node == pep::Node::geoloc || node == pep::Node::location;
    if (node == pep::Node::nick || element.empty() || (place && placed) ||
        bytes + element.size() > limits::kMaxUserBytes) {
      continue;
    }
    placed = placed || place;
    bytes += element.size();
    out.push_back(element);
  }
  return out;
}

}  // namespace mixer
