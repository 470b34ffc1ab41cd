#include "tests/support/conference_generator.h"

#include <algorithm>
#include <pugixml.hpp>
#include <stdexcept>

#include "coin/xml.h"

namespace test_support {
namespace {

using namespace coin;

constexpr const char* kTexts[] = {"",
                                  " ",
                                  "Room",
                                  "Ann & Bob <\"'>",
                                  "]]>",
                                  "  spaced  out  ",
                                  "line\nline",
                                  "tab\ttab",
                                  "carriage\rreturn\r\n",
                                  "Zo\u00eb \u00df \u4f1a\u8b70 \U0001F600",
                                  "\u202eevil\u2066bidi\u2069",
                                  "\u0085\u00a0\u2028",
                                  "&amp;",
                                  "&#1;",
                                  "a",
                                  "0",
                                  "audio",
                                  "<x/>",
                                  "\ufdd0\ufffd",
                                  "\ud7ff\ue000\U0010FFFF"};
constexpr const char* kUris[] = {"xmpp:room@mixer.example.org",
                                 "sip:4kfk4j392jsu@example.com;grid=433kj4j3u",
                                 "http://example.org/a?b=c&d=%20e#f",
                                 "tel:+1-201-555-0123",
                                 "xmpp:r@muc.example/n%20ick",
                                 "https://[2001:db8::1]:8443/x",
                                 "relative/path",
                                 "xmpp:\u00e9t\u00e9@example.org",
                                 "#",
                                 ""};
constexpr const char* kNamespaces[] = {"urn:example:one", "http://example.org/two?a=b&c=d",
                                       "http://jabber.org/protocol/mood"};
constexpr const char* kNames[] = {"a", "kind", "_x-1.2", "n0", "\u00e9l\u00e9ment"};
constexpr const char* kWords[] = {"mixer", "a,b", "&<>\"'", "caf\u00e9", "x-y", "1"};
constexpr const char* kLanguages[] = {"en", "de-CH", "x-klingon", "zh-Hant-TW"};

// Prefixes, default namespaces, none at all, mixed content, CDATA, comments: made canonical by
// the code under test, whose own tests look at what it does with them.
constexpr const char* kForeign[] = {
    "<tune xmlns='http://jabber.org/protocol/tune'><artist>Yes</artist><length>9</length></tune>",
    "<mood xmlns='http://jabber.org/protocol/mood'><happy/><text>Yay &amp; &lt;</text></mood>",
    "<p:x xmlns:p='urn:p' p:a='1' b='2' xmlns:q='urn:example:q' q:a='3'><p:y/><z/>t</p:x>",
    "<x xmlns='urn:x'> <y xmlns=''>mixed<!--gone--> <![CDATA[<content>]]></y>\n</x>",
    "<e xmlns='urn:x' xml:lang='en' a='&#10;&quot;&lt;'/>",
    "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>",
    "<o xmlns='urn:o'><user xmlns='urn:ietf:params:xml:ns:conference-info'/></o>"};

template <std::size_t N>
const char* pick(ConferenceGenerator& g, const char* const (&pool)[N]) {
  return pool[g.below(N)];
}

}  // namespace

std::string ConferenceGenerator::text() {
  std::string result = pick(*this, kTexts);
  if (chance(20)) result += pick(*this, kTexts);
  return result;
}
std::string ConferenceGenerator::uri() { return pick(*this, kUris); }
std::string ConferenceGenerator::word() { return pick(*this, kWords); }
std::string ConferenceGenerator::dateTime() {
  const char digit = static_cast<char>('0' + below(10));
  return std::string("201") + digit + "-01-3" + (chance(50) ? '0' : '1') + "T2" + "0:00:0" + digit +
         (chance(50)   ? "Z"
          : chance(50) ? ".25+01:00"
                       : "");
}
std::optional<std::string> ConferenceGenerator::maybe_text() {
  if (chance(60)) return std::nullopt;
  return text();
}
std::optional<std::string> ConferenceGenerator::maybe_uri() {
  if (chance(60)) return std::nullopt;
  return uri();
}
std::optional<std::uint32_t> ConferenceGenerator::maybe_number() {
  if (chance(50)) return std::nullopt;
  if (chance(20)) return chance(50) ? 0u : 0xFFFFFFFFu;
  return static_cast<std::uint32_t>(random_());
}
State ConferenceGenerator::state() { return only_full_ ? State::full : one_of(State::deleted); }

std::vector<std::string> ConferenceGenerator::keys(const char* stem, std::size_t least,
                                                   std::size_t most) {
  std::vector<std::string> pool;
  for (std::size_t i = 0; i < most + most / 2 + 1; ++i) pool.push_back(stem + std::to_string(i));
  shuffle(pool);
  pool.resize(least + below(most - least + 1));
  if (!only_full_ && pool.size() > 1 && chance(5)) pool[0] = pool.back();
  return pool;
}

std::string ConferenceGenerator::foreign_element() {
  pugi::xml_document xml;
  xml.load_string(pick(*this, kForeign), pugi::parse_default | pugi::parse_ws_pcdata);
  if (chance(50)) xml.document_element().append_attribute("r") = text().c_str();
  const auto element = coin::foreign_element(xml.document_element());
  if (!element) throw std::logic_error(element.error().what);
  return *element;
}

Foreign ConferenceGenerator::foreign(bool elements) {
  Foreign foreign;
  if (chance(12)) {
    for (const char* ns : kNamespaces) {
      for (const char* name : kNames) {
        if (chance(15)) foreign.attributes.push_back({ns, name, text()});
      }
    }
    if (chance(20)) {
      foreign.attributes.push_back({"http://www.w3.org/XML/1998/namespace", "lang", "en"});
    }
    shuffle(foreign.attributes);
  }
  if (elements && chance(12)) {
    for (std::size_t n = 1 + below(3); n > 0; --n) foreign.elements.push_back(foreign_element());
  }
  return foreign;
}

std::optional<Execution> ConferenceGenerator::execution() {
  if (chance(70)) return std::nullopt;
  Execution execution;
  if (chance(50)) execution.when = dateTime();
  execution.reason = maybe_text();
  execution.by = maybe_uri();
  execution.foreign = foreign(false);
  return execution;
}

UriEntry ConferenceGenerator::uri_entry(const std::string& key) {
  return {key, maybe_text(), maybe_text(), execution(), foreign(true)};
}

std::optional<Uris> ConferenceGenerator::uris() {
  if (chance(60)) return std::nullopt;
  Uris uris;
  uris.state = state();
  for (const auto& key : keys("sip:u", 1, 3)) uris.entries.push_back(uri_entry(key));
  uris.foreign = foreign(false);
  return uris;
}

std::optional<AvailableMedia> ConferenceGenerator::available_media() {
  if (chance(50)) return std::nullopt;
  AvailableMedia available;
  for (const auto& key : keys("label", 1, 3)) {
    MediumEntry entry{key, maybe_text(), text(), {}, foreign(true)};
    if (chance(60)) entry.status = one_of(MediaStatus::inactive);
    available.entries.push_back(std::move(entry));
  }
  available.foreign = foreign(false);
  return available;
}

ConferenceDescription ConferenceGenerator::description() {
  ConferenceDescription description;
  description.display_text = maybe_text();
  description.subject = maybe_text();
  description.free_text = maybe_text();
  for (std::size_t n = below(4); n > 0; --n) description.keywords.push_back(word());
  description.conf_uris = uris();
  description.service_uris = uris();
  description.maximum_user_count = maybe_number();
  description.available_media = available_media();
  description.foreign = foreign(true);
  return description;
}

HostInfo ConferenceGenerator::host_info() {
  return {maybe_text(), maybe_uri(), uris(), foreign(true)};
}

ConferenceState ConferenceGenerator::conference_state() {
  ConferenceState state{maybe_number(), {}, {}, foreign(true)};
  if (chance(50)) state.active = chance(50);
  if (chance(50)) state.locked = chance(50);
  return state;
}

Media ConferenceGenerator::media(const std::string& key) {
  Media media{key, maybe_text(), maybe_text(), maybe_text(), maybe_text(), {}, foreign(true)};
  if (chance(70)) media.status = one_of(MediaStatus::inactive);
  return media;
}

std::optional<CallInfo> ConferenceGenerator::call_info() {
  if (chance(80)) return std::nullopt;
  CallInfo info;
  if (chance(50)) {
    info.sip = SipDialogId{maybe_text(), text(), text(), text(), foreign(true)};
    info.foreign = foreign(false);
  } else {
    info.foreign = foreign(true);
  }
  return info;
}

Endpoint ConferenceGenerator::endpoint(const std::string& entity) {
  Endpoint endpoint;
  endpoint.entity = entity;
  endpoint.state = state();
  endpoint.display_text = maybe_text();
  endpoint.referred = execution();
  if (chance(70)) endpoint.status = one_of(EndpointStatus::disconnected);
  if (chance(50)) endpoint.joining_method = one_of(JoiningMethod::focus_owner);
  endpoint.joining_info = execution();
  if (chance(50)) endpoint.disconnection_method = one_of(DisconnectionMethod::busy);
  endpoint.disconnection_info = execution();
  for (const auto& key : keys("m ", 0, 3)) endpoint.media.push_back(media(key));
  endpoint.call_info = call_info();
  endpoint.foreign = foreign(true);
  return endpoint;
}

User ConferenceGenerator::user(const std::string& entity) {
  User user;
  user.entity = entity;
  user.state = state();
  user.display_text = maybe_text();
  user.associated_aors = uris();
  if (chance(30)) {
    user.roles.emplace().foreign = foreign(false);
    for (std::size_t n = 1 + below(3); n > 0; --n) user.roles->entries.push_back(text());
  }
  if (chance(30)) user.languages.assign(1 + below(3), pick(*this, kLanguages));
  user.cascaded_focus = maybe_uri();
  for (const auto& key : keys("xmpp:u@example.org/", 0, 3)) user.endpoints.push_back(endpoint(key));
  user.foreign = foreign(true);
  return user;
}

ConferenceInfo ConferenceGenerator::conference(const std::string& entity, std::size_t sidebars) {
  ConferenceInfo info;
  info.entity = entity;
  info.state = state();
  info.version = maybe_number();
  if (chance(70)) info.description = description();
  if (chance(30)) info.host_info = host_info();
  if (chance(70)) info.conference_state = conference_state();
  if (chance(85)) {
    info.users.emplace().state = state();
    for (const auto& key : keys("xmpp:user", 0, 5)) info.users->users.push_back(user(key));
    info.users->foreign = foreign(true);
  }
  if (chance(30)) info.sidebars_by_ref = uris();
  if (sidebars > 0 && chance(25)) {
    info.sidebars_by_val.emplace().state = state();
    for (const auto& key : keys("xmpp:side", 0, 2)) {
      info.sidebars_by_val->entries.push_back(conference(key, sidebars - 1));
    }
    info.sidebars_by_val->foreign = foreign(false);
  }
  info.foreign = foreign(true);
  return info;
}

ConferenceInfo ConferenceGenerator::document() {
  ConferenceInfo info = conference("xmpp:room@mixer.example.org", 2);
  info.sid = maybe_text();
  return info;
}

ConferenceInfo ConferenceGenerator::full() {
  only_full_ = true;
  ConferenceInfo info = conference("xmpp:room@mixer.example.org", 1);
  info.version.reset();
  only_full_ = false;
  return info;
}

ConferenceInfo ConferenceGenerator::partial() {
  ConferenceInfo info = conference("xmpp:room@mixer.example.org", 1);
  info.state = State::partial;
  if (info.users) info.users->state = State::partial;
  return info;
}

void ConferenceGenerator::edit_user(User& user) {
  switch (below(6)) {
    case 5:
      if (!user.endpoints.empty() && !user.endpoints[0].media.empty()) {
        user.endpoints[0].status = one_of(EndpointStatus::disconnected);
        user.endpoints[0].media[0].status = one_of(MediaStatus::inactive);
      }
      break;
    case 0: user.display_text = text(); break;
    case 1: user.foreign = foreign(true); break;
    case 2: user.languages.clear(); break;
    case 3:
      if (!user.endpoints.empty()) user.endpoints[0] = endpoint(user.endpoints[0].entity);
      break;
    default: user = this->user(user.entity);
  }
}

void ConferenceGenerator::edit(ConferenceInfo& info) {
  if (!info.users) info.users.emplace();
  std::vector<User>& users = info.users->users;
  switch (below(12)) {
    case 0:
    case 1:
      for (const auto& key : keys("xmpp:user", 1, 5)) {
        const auto has_key = [&key](const User& user) { return user.entity == key; };
        if (std::none_of(users.begin(), users.end(), has_key)) {
          users.push_back(user(key));
          break;
        }
      }
      break;
    case 2:
    case 3:
      if (!users.empty())
        users.erase(users.begin() + static_cast<std::ptrdiff_t>(below(users.size())));
      break;
    case 4:
    case 5:
    case 6:
      if (!users.empty()) edit_user(users[below(users.size())]);
      break;
    case 7: info.description = description(); break;
    case 8: info.host_info = chance(70) ? std::optional(host_info()) : std::nullopt; break;
    case 9: info.sidebars_by_ref = uris(); break;
    case 10: info.sidebars_by_val = full().sidebars_by_val; break;
    default:
      if (chance(50)) {
        info.foreign = foreign(true);
      } else {
        info.users->foreign = foreign(true);
      }
  }
}

ConferenceInfo ConferenceGenerator::edited(ConferenceInfo base) {
  only_full_ = true;
  for (std::size_t n = 1 + below(3); n > 0; --n) {
    edit(base);
    only_full_ = true;  // full() inside edit() has ended it
  }
  only_full_ = false;
  return chance(30) ? shuffled(std::move(base)) : base;
}

void ConferenceGenerator::shuffle_all(ConferenceInfo& info) {
  const auto shuffle_uris = [this](std::optional<Uris>& uris) {
    if (uris) shuffle(uris->entries);
  };
  if (info.description) {
    shuffle_uris(info.description->conf_uris);
    shuffle_uris(info.description->service_uris);
    if (info.description->available_media) shuffle(info.description->available_media->entries);
  }
  if (info.host_info) shuffle_uris(info.host_info->uris);
  shuffle_uris(info.sidebars_by_ref);
  if (info.users) {
    shuffle(info.users->users);
    for (User& user : info.users->users) {
      shuffle_uris(user.associated_aors);
      shuffle(user.endpoints);
      for (Endpoint& endpoint : user.endpoints) shuffle(endpoint.media);
    }
  }
  if (info.sidebars_by_val) {
    shuffle(info.sidebars_by_val->entries);
    for (ConferenceInfo& sidebar : info.sidebars_by_val->entries) shuffle_all(sidebar);
  }
}

ConferenceInfo ConferenceGenerator::shuffled(ConferenceInfo info) {
  shuffle_all(info);
  return info;
}

}  // namespace test_support
