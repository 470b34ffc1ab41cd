// What documents of other foci say, made fit for ours.
#include <algorithm>
#include <iterator>

#include "coin/limits.h"
#include "coin/xml.h"
#include "mixer/cascade.h"
#include "mixer/display_name.h"
#include "mixer/limits.h"

namespace mixer {
namespace {

constexpr char kCascadeNamespace[] = "urn:x-jingle-mixer:cascade";
constexpr char kTooMany[] = "it lists too many users";
constexpr char kVia[] = "via";  // xmpp: URIs of conferences, separated by spaces

bool is_sip(std::string_view uri) {
  std::string scheme(uri.substr(0, uri.find(':')));
  for (char& c : scheme) c = static_cast<char>(c | 0x20);
  return scheme == "sip" || scheme == "sips";
}

// The address in sip:juliet@capulet.lit;gr=1 (RFC 3261 §19.1), xmpp:romeo@montague.lit?message
// (RFC 5122) or romeo@montague.lit/orchard.
std::optional<jingle::Jid> address_in(std::string_view uri) {
  if (is_sip(uri)) {
    const std::string_view rest = uri.substr(uri.find(':') + 1);
    return jingle::Jid::parse_uri("xmpp:" + std::string(rest.substr(0, rest.find(';'))));
  }
  if (auto address = jingle::Jid::parse_uri(uri)) return address;
  return jingle::Jid::parse(uri);
}

std::string conference_in(const std::string& uri) {
  const auto address = address_in(uri);
  return address ? address->bare().uri() : std::string();
}

bool is_via(const coin::ForeignAttribute& attribute) { return attribute.ns == kCascadeNamespace; }

// nullopt: too long to be true.
std::optional<std::vector<std::string>> way_of(const coin::User& user, const std::string& neighbour,
                                               const std::string& home) {
  std::vector<std::string> way = {neighbour};
  if (home == neighbour) return way;
  const auto via = std::ranges::find_if(user.foreign.attributes, is_via);
  if (via != user.foreign.attributes.end()) {
    for (std::string_view rest = via->value; !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      way.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (way.size() > limits::kMaxCascadeWay) return std::nullopt;
    }
  }
  way.push_back(home);
  return way;
}

std::string joined(const std::vector<std::string>& way) {
  std::string out;
  for (auto at = way.begin(); at + 1 < way.end(); ++at) out += (out.empty() ? "" : " ") + *at;
  return out;
}

bool is_owner(const coin::User& user) {
  return std::ranges::any_of(user.endpoints, [](const coin::Endpoint& endpoint) {
    return endpoint.joining_method == coin::JoiningMethod::focus_owner;
  });
}

// Of the states of a call, what concerns another conference: it is heard there. Jitsi and
// SylkServer say connected and on-hold only.
bool is_there(const coin::Endpoint& endpoint) {
  switch (endpoint.status.value_or(coin::EndpointStatus::connected)) {
    case coin::EndpointStatus::connected:
    case coin::EndpointStatus::on_hold:
    case coin::EndpointStatus::muted_via_focus: return true;
    default: return false;
  }
}

// What a roster needs.
coin::User essential(const coin::User& user) {
  coin::User out;
  out.entity = user.entity;
  out.display_text = user.display_text;
  out.cascaded_focus = user.cascaded_focus;
  std::ranges::copy_if(user.foreign.attributes, std::back_inserter(out.foreign.attributes), is_via);
  for (const coin::Endpoint& endpoint : user.endpoints) {
    coin::Endpoint& kept = out.endpoints.emplace_back();
    kept.entity = endpoint.entity;
    kept.status = endpoint.status;
    for (const coin::Media& media : endpoint.media) {
      kept.media.push_back({media.id, {}, media.type, {}, media.src_id, media.status, {}});
    }
  }
  return out;
}

std::string name_for(const coin::User& user, const std::optional<jingle::Jid>& address) {
  std::string name = displayable(user.display_text.value_or(""));
  if (name.empty() && address) name = display_name(*address);
  return name.empty() ? displayable(user.entity) : name;
}

// nullopt: nobody who is there, or too large even so.
std::optional<coin::User> shown(coin::User user, const std::string& home,
                                const std::vector<std::string>& way) {
  const bool had_endpoints = !user.endpoints.empty();
  std::erase_if(user.endpoints, [](const coin::Endpoint& e) { return !is_there(e); });
  if (had_endpoints && user.endpoints.empty()) return std::nullopt;

  const auto address = address_in(user.entity);
  // Jitsi's users have the entities of their endpoints: the resource is the client's.
  const bool of_client = std::ranges::any_of(
      user.endpoints, [&](const coin::Endpoint& e) { return e.entity == user.entity; });
  user.display_text = name_for(user, address);
  if (address && !is_sip(user.entity)) user.entity = (of_client ? address->bare() : *address).uri();
  user.cascaded_focus = home;
  user.associated_aors.reset();  // whom else to call: that conference's business
  for (coin::Endpoint& endpoint : user.endpoints) {
    if (!endpoint.status) endpoint.status = coin::EndpointStatus::connected;
    if (endpoint.display_text) endpoint.display_text = displayable(*endpoint.display_text);
    endpoint.referred.reset();
    endpoint.disconnection_method.reset();
    endpoint.disconnection_info.reset();
    endpoint.call_info.reset();
  }
  forget_way(user);
  if (way.size() > 1) {
    user.foreign.attributes.push_back({kCascadeNamespace, kVia, joined(way)});
  }
  if (size_of(user) <= limits::kMaxUserBytes) return user;
  user = essential(user);
  if (size_of(user) > limits::kMaxUserBytes) return std::nullopt;
  return user;
}

}  // namespace

void forget_way(coin::User& user) { std::erase_if(user.foreign.attributes, is_via); }

std::string Cascade::key_of(const coin::User& user) {
  const auto address = address_in(user.entity);
  return address ? address->uri() : user.entity;
}

std::optional<std::string> Cascade::blame(Link& link, Defect defect, std::string text) {
  return link.defects.insert(defect).second ? std::optional(std::move(text)) : std::nullopt;
}

std::optional<std::string> Cascade::apply(media::LegId leg, const coin::ConferenceInfo& document) {
  Link& link = links_.at(leg);
  if (conference_in(document.entity) == own_) {
    return blame(link, Defect::own_conference, "its document is of our conference");
  }
  switch (link.view.receive(document)) {
    case coin::View::Outcome::stale: return std::nullopt;
    case coin::View::Outcome::gap: return blame(link, Defect::gap, "a version is missing");
    case coin::View::Outcome::no_base:
      return blame(link, Defect::no_base, "no full document came first");
    case coin::View::Outcome::applied: break;
  }
  // Partials may add without end; what is known of it stays until a full one begins anew. The whole
  // is measured only when it may have become that large.
  const bool adds = document.state == coin::State::partial;
  link.most_bytes =
      adds ? link.most_bytes + coin::write_body(document).size() : coin::limits::kDocumentBytes;
  if (link.most_bytes > limits::kMaxViewBytes) {
    link.most_bytes = coin::write_body(*link.view.info()).size();
  }
  if (link.most_bytes > limits::kMaxViewBytes) {
    link.view = {};
    link.unlisted = false;
    return blame(link, Defect::too_many, kTooMany);
  }
  link.unlisted = true;
  return std::nullopt;
}

void Cascade::read(Link& link, Received& received) const {
  link.told_once = true;
  link.told.clear();
  link.told[link.conference].way = {link.conference};
  link.addresses.clear();
  link.told_back = false;
  link.does.clear();
  const auto& users = link.view.info()->users;
  if (!users) return;
  std::set<std::string> listed;
  for (const coin::User& user : users->users) {
    if (listed.size() == limits::kMaxUsersBehind ||
        link.told.size() > limits::kMaxConferencesBehind) {
      received.defect = blame(link, Defect::too_many, kTooMany);
      break;
    }
    take(link, user, listed);
  }
  if (auto defect = count_defect(link); defect && !received.defect) received.defect = defect;
}

void Cascade::take(Link& link, const coin::User& user, std::set<std::string>& listed) const {
  std::string home = user.cascaded_focus ? conference_in(*user.cascaded_focus) : std::string();
  if (home == own_) link.plays_along = true;
  if (home.empty()) home = link.conference;
  const auto way = way_of(user, link.conference, home);
  if (!way) return;
  const auto ours = std::ranges::find(*way, own_);
  if (ours != way->end()) {
    // We are its neighbour by this very link, or by another way.
    if (ours + 1 != way->end() || way->size() > 2) link.told_back = true;
    return;
  }
  const std::string address = conference_in(user.entity);
  if (address == own_) return;
  if (home == link.conference) link.addresses.insert(address);
  if (is_owner(user) && key_of(user) == link.conference) link.does = name_for(user, {});
  auto fit = shown(user, home, *way);
  Told& told = link.told[home];
  told.way = *way;
  if (fit && listed.insert(key_of(*fit)).second) told.users.push_back(std::move(*fit));
}

// A focus counts whom it is connected to, and itself or not; one that plays along counts those it
// has from us, too, and lists who is being called or has just left.
std::optional<std::string> Cascade::count_defect(Link& link) const {
  const coin::ConferenceInfo& info = *link.view.info();
  if (!info.conference_state || !info.conference_state->user_count) return std::nullopt;
  const std::size_t count = *info.conference_state->user_count;
  const auto& users = info.users->users;
  const auto there = static_cast<std::size_t>(std::ranges::count_if(users, [](const auto& user) {
    return !is_owner(user) && std::ranges::any_of(user.endpoints, is_there);
  }));
  if (count >= there && (count <= users.size() || link.plays_along)) return std::nullopt;
  return blame(link, Defect::user_count, "its user-count disagrees with its users");
}

}  // namespace mixer
