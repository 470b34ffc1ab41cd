// [presence]: what a bot tells of itself, and what participants may tell each other (XEP-0119).
#include <filesystem>
#include <regex>

#include "mixer/config_reader.h"
#include "mixer/extended_presence.h"
#include "mixer/room_picture.h"
#include "signaling/limits.h"

namespace mixer {

namespace pep = jingle::pep;

namespace {

using jingle::pubsub::Access;
constexpr std::array<std::pair<std::string_view, Access>, 3> kAccess{
    {{"presence", Access::presence}, {"roster", Access::roster}, {"whitelist", Access::whitelist}}};
// The group of those who moderate a component's room: its only one.
constexpr char kModerators[] = "moderators";

// `relay` may name all of them. A room's name is in its documents: it publishes no nick.
std::set<pep::Node> nodes(ConfigSection& section, std::string_view key) {
  const auto may = [&](pep::Node node) { return node != pep::Node::nick || key == "relay"; };
  std::set<pep::Node> out;
  for (const std::string& name : section.strings(key).value_or(std::vector<std::string>{})) {
    if (const auto node = pep::node_named(name); node && may(*node)) {
      out.insert(*node);
      continue;
    }
    std::string expected;
    for (std::size_t i = 0; i < pep::kNodes; ++i) {
      const auto node = static_cast<pep::Node>(i);
      const auto known = pep::name_of(node);
      if (!known.empty() && may(node))
        expected.append(i ? ", " : "").append(1, '"').append(known).append(1, '"');
    }
    section.error(key, '"' + name + "\" is none of " + expected);
  }
  return out;
}

// Whether there is one, or what was to be one.
template <typename T>
bool read_place(ConfigSection section, T& place) {
  pep::Payload payload = place;
  bool wrong = false;
  for (const std::string& key : section.keys()) {
    const auto text = section.text(key);
    if (!text || pep::set_field(payload, key, *text)) continue;
    const bool known = pep::set_field(payload, key, "");
    wrong = true;
    section.error(key, known ? "cannot be \"" + *text + '"' : "is no field of a place");
  }
  place = std::get<T>(payload);
  return wrong || place != T{};
}

void read_avatar(ConfigSection& section, Config::Presence& presence,
                 const std::string& config_file) {
  const auto path = section.string("avatar");
  if (!path) return;
  const auto full = std::filesystem::path(config_file).parent_path() / *path;
  auto file = read_file(full.string());
  if (!file) {
    section.error("avatar", "cannot read " + full.string() + ": " + file.error());
  } else if (file->text.size() > jingle::limits::kMaxAvatarBytes) {
    section.error("avatar", full.string() + " is larger than " +
                                std::to_string(jingle::limits::kMaxAvatarBytes) + " bytes");
  } else if (!is_png(file->text)) {
    section.error("avatar", full.string() + " is no PNG that can be drawn");
  } else {
    presence.avatar = std::move(file->text);
  }
}

// Who may read.
void read_access(ConfigSection& section, Config& config) {
  Config::Presence& presence = config.presence;
  const bool component = config.xmpp.mode == Config::Xmpp::Mode::component;
  if (const auto access = section.choice("access", kAccess)) presence.nodes.access = *access;
  presence.nodes.roster_groups =
      section.strings("roster-groups").value_or(std::vector<std::string>{});
  const bool roster = presence.nodes.access == Access::roster;
  const bool whitelist = presence.nodes.access == Access::whitelist;
  if (roster && presence.nodes.roster_groups.empty()) {
    section.error("roster-groups", "is missing; access = \"roster\" needs it");
  } else if (roster && component &&
             presence.nodes.roster_groups != std::vector<std::string>{kModerators}) {
    section.error("roster-groups", "a component's rooms have the group \"moderators\" only");
  } else if (!roster && !presence.nodes.roster_groups.empty()) {
    section.warning("roster-groups", "has no effect without access = \"roster\"");
  }
  for (const std::string& text :
       section.strings("whitelist").value_or(std::vector<std::string>{})) {
    const auto jid = jingle::Jid::parse(text);
    if (jid && jid->is_bare()) {
      presence.whitelist.insert(*jid);
    } else {
      section.error("whitelist", '"' + text + "\" is not a bare JID like \"ann@example.org\"");
    }
  }
  if (whitelist && !component) {
    section.error("access", "\"whitelist\" is for a component's rooms; a bot has a roster");
  } else if (whitelist && presence.whitelist.empty()) {
    section.error("whitelist", "is missing; access = \"whitelist\" needs it");
  } else if (!whitelist && !presence.whitelist.empty()) {
    section.warning("whitelist", "has no effect without access = \"whitelist\"");
  }
}

// The text is shown as it is written, but for what filled_in() knows.
void read_status(ConfigSection& section, Config::Presence& presence) {
  const auto status = section.string("status");
  if (!status) return;
  presence.status = *status;
  static const std::regex kBraces(R"(\{[^{}]*\})");
  for (std::sregex_iterator at(status->begin(), status->end(), kBraces), end; at != end; ++at) {
    if (at->str() == "{count}" || at->str() == "{topic}") continue;
    section.warning("status", at->str() + " is neither {count} nor {topic}, and shown as it is");
  }
}

// Whatever is to be published has to be there.
void require(ConfigSection& section, const Config::Presence& presence, pep::Node node,
             const char* key, bool there) {
  if (presence.publish.contains(node) && !there) {
    section.error(key, "is missing; publish names it");
  }
}

}  // namespace

void read_presence(ConfigReader& reader, Config& config, const std::string& config_file) {
  Config::Presence& presence = config.presence;
  ConfigSection section = reader.section("presence");
  presence.publish = nodes(section, "publish");
  presence.relay = nodes(section, "relay");
  read_access(section, config);
  read_status(section, presence);
  if (const auto mood = section.string("mood")) {
    presence.mood.mood = *mood;
    if (!pep::is_mood(*mood)) section.error("mood", '"' + *mood + "\" is no mood of XEP-0107");
  }
  if (const auto text = section.string("mood-text")) presence.mood.text = *text;
  read_avatar(section, presence, config_file);
  const bool geoloc = read_place(reader.section("presence", "geoloc"), presence.geoloc);
  const bool location = read_place(reader.section("presence", "location"), presence.location);
  ConfigSection viewing = reader.section("presence", "viewing");
  presence.viewing_local = viewing.boolean("local").value_or(false);
  presence.viewing_never = viewing.strings("never").value_or(std::vector<std::string>{});
  require(section, presence, pep::Node::mood, "mood", section.has("mood"));
  require(section, presence, pep::Node::geoloc, "geoloc", geoloc);
  require(section, presence, pep::Node::location, "location", location);
}

}  // namespace mixer
