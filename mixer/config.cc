#include "mixer/config.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <tl/expected.hpp>

#include "media/limits.h"
#include "mixer/access.h"
#include "mixer/ca_file.h"
#include "mixer/client_profile.h"
#include "mixer/config_reader.h"
#include "mixer/log.h"
#include "mixer/net_address.h"
#include "mixer/shell_limits.h"

namespace mixer {
namespace {

template <typename T, std::size_t N>
using Words = std::array<std::pair<std::string_view, T>, N>;

constexpr Words<Config::Xmpp::Mode, 2> kModes{
    {{"component", Config::Xmpp::Mode::component}, {"client", Config::Xmpp::Mode::client}}};
constexpr Words<Config::Xmpp::Tls, 3> kTls{{{"verify", Config::Xmpp::Tls::verify},
                                            {"trust-all", Config::Xmpp::Tls::trust_all},
                                            {"off", Config::Xmpp::Tls::off}}};
constexpr Words<Disclose, 3> kDisclose{
    {{"bare", Disclose::bare}, {"full", Disclose::full}, {"nick", Disclose::nick}}};
constexpr Words<Announce, 3> kAnnounce{
    {{"first", Announce::first}, {"joins", Announce::joins}, {"off", Announce::off}}};
constexpr Words<FocusWhen, 2> kFocus{
    {{"always", FocusWhen::always}, {"multiparty", FocusWhen::multiparty}}};
constexpr Words<bool, 2> kCreate{{{"on-dial", true}, {"listed", false}}};
constexpr Words<CoinPush, 2> kPush{
    {{"everyone", CoinPush::everyone}, {"announced", CoinPush::announced}}};
constexpr Words<std::string_view, 4> kLevels{
    {{"debug", "debug"}, {"info", "info"}, {"warning", "warning"}, {"error", "error"}}};

template <typename T>
void take(T& target, std::optional<T> value) {
  if (value) target = std::move(*value);
}

void take_int(int& target, ConfigSection& section, std::string_view key, int max) {
  if (const auto value = section.integer(key, 1, max)) target = static_cast<int>(*value);
}

void read_jid(ConfigSection& section, Config::Xmpp& xmpp) {
  const auto text = section.string("jid");
  if (!text) {
    if (!section.has("jid")) section.error("jid", "is missing");
    return;
  }
  const auto jid = jingle::Jid::parse(*text);
  if (!jid) {
    section.error("jid", "\"" + *text + "\" is not a JID (RFC 7622)");
  } else if (!jid->is_bare()) {
    section.error("jid", "has a resource; expected \"" + jid->bare().str() + "\"");
  } else if (xmpp.mode == Config::Xmpp::Mode::component && !jid->local().empty()) {
    section.error("jid", "a component's JID is a domain, not \"" + *text +
                             "\"; an account needs mode = \"client\"");
  } else if (xmpp.mode == Config::Xmpp::Mode::client && jid->local().empty()) {
    section.error("jid", "an account's JID is user@domain, not \"" + *text +
                             "\"; a domain needs mode = \"component\"");
  } else {
    xmpp.jid = *jid;
  }
}

void read_password(ConfigSection& section, Config::Xmpp& xmpp, const std::string& config_file) {
  const auto password = section.string("password");
  const auto path = section.string("password-file");
  const bool both = section.has("password") && section.has("password-file");
  if (both) {
    section.error("password-file", "given together with password; one of them is enough");
  } else if (password) {
    xmpp.password = *password;
    if (password->empty()) section.error("password", "is empty");
  } else if (path) {
    // An absolute path stays as it is.
    const auto full = std::filesystem::path(config_file).parent_path() / *path;
    auto file = read_file(full.string());
    if (!file) {
      section.error("password-file", "cannot read " + full.string() + ": " + file.error());
      return;
    }
    std::string& text = file->text;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (text.empty()) {
      section.error("password-file", full.string() + " is empty");
    } else if (text.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) {
      section.error("password-file", full.string() + " has more than one line");
    }
    if (file->world_readable) {
      section.warning("password-file", full.string() + " can be read by every user; chmod 600 it");
    }
    xmpp.password = std::move(text);
  } else if (!section.has("password") && !section.has("password-file")) {
    section.error("password", "is missing; give password or password-file");
  }
}

void read_xmpp(ConfigSection section, Config& config, const std::string& file) {
  Config::Xmpp& xmpp = config.xmpp;
  take(xmpp.mode, section.choice("mode", kModes));
  read_jid(section, xmpp);
  read_password(section, xmpp, file);
  if (const auto host = section.string("host")) {
    if (is_host(*host)) {
      xmpp.host = *host;
    } else {
      section.error("host", "\"" + *host + "\" is neither a host name nor an address; the port " +
                                "has its own key, port");
    }
  }
  if (const auto port = section.integer("port", 1, 65535)) {
    xmpp.port = static_cast<std::uint16_t>(*port);
  }
  take(xmpp.tls, section.choice("tls", kTls));
  if (section.has("tls") && xmpp.mode == Config::Xmpp::Mode::component) {
    section.warning("tls", "has no effect: a component's stream is plain TCP (XEP-0114)");
  }
}

std::vector<std::string> addresses(ConfigSection& section, std::string_view key,
                                   bool (*valid)(std::string_view), const char* expected) {
  std::vector<std::string> good;
  for (const std::string& text : section.strings(key).value_or(std::vector<std::string>{})) {
    if (valid(text)) {
      good.push_back(text);
    } else {
      section.error(key, "\"" + text + "\" is not " + expected);
    }
  }
  return good;
}

std::optional<HostAndPort> server(ConfigSection& section, std::string_view key) {
  const auto text = section.string(key);
  if (!text) return std::nullopt;
  // RFC 8489 §18.6, RFC 8656 §19: 3478 for both over UDP.
  auto server = host_and_port(*text, 3478);
  if (!server) section.error(key, "\"" + *text + "\" is not \"host\" or \"host:port\"");
  return server;
}

void read_discovery(ConfigSection& section, Config::Media& media) {
  const auto text = section.string("discover-services");
  if (!text) return;
  if (*text == "off") {
    media.discover_services = jingle::Jid();
  } else if (const auto jid = jingle::Jid::parse(*text)) {
    media.discover_services = *jid;
  } else {
    section.error("discover-services", '"' + *text + "\" is neither \"off\" nor a JID (RFC 7622)");
  }
}

void read_media(ConfigSection section, Config::Media& media) {
  media.addresses =
      addresses(section, "addresses", is_host_address, "an IPv4 or IPv6 address of a host");
  if (const auto text = section.string("port-range")) {
    if (const auto range = port_range(*text)) {
      std::tie(media.port_min, media.port_max) = *range;
    } else {
      section.error("port-range", "\"" + *text + "\" is not two ports like \"20000-29999\"");
    }
  }
  if (const auto text = section.string("external-address")) {
    if (is_host_address(*text)) {
      media.external_address = *text;
    } else {
      section.error("external-address", "\"" + *text + "\" is not an IPv4 or IPv6 address");
    }
  }
  media.stun = server(section, "stun");
  media.turn = server(section, "turn");
  take(media.turn_username, section.string("turn-username"));
  take(media.turn_password, section.string("turn-password"));
  for (const char* key : {"turn-username", "turn-password"}) {
    // RFC 8656 §5: servers authenticate every allocation.
    if (section.has("turn") && !section.has(key)) section.error(key, "is missing; turn needs it");
    if (!section.has("turn") && section.has(key))
      section.warning(key, "has no effect without turn");
  }
  read_discovery(section, media);
  media.deny_peers = addresses(section, "deny-peers", is_address_block,
                               "an address or a block like \"10.0.0.0/8\"");
  // RFC 7587 §6.1: Opus carries 6 to 510 kbit/s.
  if (const auto bitrate = section.integer("bitrate", 6000, 510000)) {
    media.bitrate_bps = static_cast<std::uint32_t>(*bitrate);
  }
}

void read_play(ConfigSection section, Config::Play& play, const std::string& config_file) {
  if (const auto text = section.string("media-dir")) {
    // An absolute path stays as it is.
    const auto path = std::filesystem::path(config_file).parent_path() / *text;
    std::error_code none;
    if (text->empty() || !std::filesystem::is_directory(path, none)) {
      section.error("media-dir", '"' + path.string() + "\" is not a directory");
    }
    play.media_dir = path.lexically_normal().string();
  }
  play.hosts = addresses(section, "hosts", is_host, "a host's name or address");
  if (const auto text = section.string("ca-file")) {
    const auto path = std::filesystem::path(config_file).parent_path() / *text;
    play.ca_file = path.lexically_normal().string();
    if (const auto why = why_no_ca_file(play.ca_file)) section.error("ca-file", *why);
  }
  // EBU R 128 has its meter end at -41; above -10 nothing is left for the peaks.
  if (const auto lufs = section.integer("loudness", -41, -10)) {
    play.loudness_lufs = static_cast<int>(*lufs);
  }
}

// A folder that we make if it is not there; empty: not set. Whether we may write there, only the
// user whom the mixer runs as can tell.
std::string own_folder(ConfigSection& section, std::string_view key,
                       const std::string& config_file) {
  const auto text = section.string(key);
  if (!text) return {};
  // An absolute path stays as it is.
  auto path = (std::filesystem::path(config_file).parent_path() / *text).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "state/"
  std::error_code none;
  if (text->empty()) {
    section.error(key, "is empty");
  } else if (std::filesystem::exists(path, none) && !std::filesystem::is_directory(path, none)) {
    section.error(key, path.string() + " is not a directory");
  } else if (const auto above = std::filesystem::absolute(path).parent_path();
             !std::filesystem::exists(path, none) && !std::filesystem::is_directory(above, none)) {
    section.error(key, "there is no " + above.string() + " to make it in");
  }
  return path.string();
}

void read_record(ConfigSection section, Config::Record& record, const std::string& config_file) {
  record.directory = own_folder(section, "directory", config_file);
  if (const auto days = section.integer("retention-days", 0, limits::kMaxRetentionDays)) {
    record.retention = std::chrono::days(*days);
    if (*days > 0 && !section.has("directory")) {
      section.warning("retention-days", "has no effect without directory");
    }
  }
  if (const auto minutes = section.integer("longest-minutes", 0, limits::kMaxRecordMinutes)) {
    record.longest = std::chrono::minutes(*minutes);
  }
  const auto take_megabytes = [&section](std::uint64_t& bytes, std::string_view key) {
    const auto value = section.integer(key, 0, limits::kMaxRecordMegabytes);
    if (value) bytes = static_cast<std::uint64_t>(*value) * 1'000'000;
  };
  take_megabytes(record.most_bytes, "total-megabytes");
  take_megabytes(record.least_free_bytes, "free-megabytes");
}

// Without [access] dial a component serves the domain above its own; an address has none.
bool has_default_dial_rule(const Config::Xmpp& xmpp) {
  if (xmpp.mode == Config::Xmpp::Mode::client) return true;
  const std::string& domain = xmpp.jid.domain();
  return !is_host_address(domain) && domain.front() != '[' && own_server(domain);
}

void read_access(ConfigSection section, Config& config) {
  Config::Access& access = config.access;
  const auto dial = section.strings("dial");
  access.dial_set = section.has("dial");
  if (dial) {
    for (const std::string& text : *dial) {
      if (text == "anyone") {
        access.anyone = true;
      } else if (const auto jid = jingle::Jid::parse(text)) {
        access.dial.push_back(jid->str());
      } else {
        section.error("dial", "\"" + text + "\" is neither \"anyone\" nor a domain nor a JID");
      }
    }
    if (access.anyone && dial->size() > 1) {
      section.error("dial", "\"anyone\" stands alone: dial = \"anyone\"");
    }
  }
  if (!access.dial_set && !config.xmpp.jid.empty() && !has_default_dial_rule(config.xmpp)) {
    section.error("dial", "is missing: \"" + config.xmpp.jid.str() +
                              "\" has no server's domain above it, so nobody could dial; name "
                              "domains or JIDs, or say dial = \"anyone\"");
  }
}

void read_limits(ConfigSection section, Config::Limits& limits) {
  take_int(limits.participants_per_room, section, "participants-per-room",
           static_cast<int>(media::limits::kMaxLegs));
  take_int(limits.participants, section, "participants", limits::kMaxParticipants);
  take_int(limits.pending_per_jid, section, "pending-per-jid", limits::kMaxParticipants);
  take_int(limits.calls_per_minute_per_jid, section, "calls-per-minute", limits::kMaxParticipants);
  take_int(limits.rooms_per_domain_and_hour, section, "rooms-per-domain-and-hour",
           limits::kMaxRoomsPerHour);
}

void read_room_keys(ConfigSection& section, const Config::Play& play, RoomConfig& room) {
  take(room.disclose, section.choice("disclose", kDisclose));
  take(room.announce, section.choice("announce", kAnnounce));
  take(room.focus, section.choice("focus", kFocus));
  if (const auto seconds = section.integer("departed-seconds", 0, limits::kMaxDepartedSeconds)) {
    room.departed_for = std::chrono::seconds(*seconds);
  }
  take(room.multi_device, section.boolean("multi-device"));
  if (const auto texts = section.strings("moderators")) {
    room.moderators.clear();
    for (const std::string& text : *texts) {
      const auto jid = jingle::Jid::parse(text);
      if (jid && jid->is_bare() && !jid->local().empty()) {
        room.moderators.push_back(*jid);
      } else {
        section.error("moderators", '"' + text + "\" is not a bare JID like \"ann@example.org\"");
      }
    }
  }
  take(room.chimes, section.boolean("chimes"));
  take(room.record, section.boolean("record"));
  if (const auto text = section.string("hold-music")) {
    room.hold_music = *text == "off" ? "" : *text;
    if (!room.hold_music.empty() && room.hold_music != kBuiltInHoldMusic &&
        play.media_dir.empty()) {
      section.error("hold-music", '"' + *text +
                                      "\" is neither \"on\" nor \"off\", and there is no " +
                                      "play.media-dir to have a file of that name");
    }
  }
  take_int(room.max_speakers, section, "max-speakers",
           static_cast<int>(media::limits::kMaxSpeakers));
  take(room.voice.denoise, section.boolean("denoise"));
  take(room.voice.automatic_gain, section.boolean("automatic-gain"));
}

void read_invite(ConfigSection& section, const Config::Xmpp& xmpp, RoomConfig& room) {
  const jingle::Jid self = jingle::Jid::of(room.name, xmpp.jid.domain());
  for (const std::string& text : section.strings("invite").value_or(std::vector<std::string>{})) {
    const auto jid = jingle::Jid::parse(text);
    if (!jid) {
      section.error("invite", '"' + text + "\" is not a JID (RFC 7622)");
    } else if (jid->bare() == self) {
      section.error("invite", '"' + text + "\" is the room itself");
    } else if (std::find(room.invite.begin(), room.invite.end(), *jid) != room.invite.end()) {
      section.error("invite", '"' + text + "\" is there twice");
    } else {
      room.invite.push_back(*jid);
    }
  }
  if (room.invite.size() > limits::kMaxInvite) {
    section.error("invite", "names " + std::to_string(room.invite.size()) + "; expected at most " +
                                std::to_string(limits::kMaxInvite));
  }
  if (xmpp.mode == Config::Xmpp::Mode::client && !room.invite.empty() &&
      room.name != xmpp.jid.local()) {
    section.warning("invite",
                    "has no effect: the account's one room is [room." + xmpp.jid.local() + "]");
  }
}

void read_room_text(ConfigSection& section, std::string_view key, std::string& text) {
  take(text, section.string(key));
  if (text.size() > limits::kMaxRoomTextBytes) {
    section.error(key, "is longer than " + std::to_string(limits::kMaxRoomTextBytes) + " bytes");
  }
}

void read_rooms(ConfigReader& reader, Config& config) {
  ConfigSection defaults = reader.section("rooms");
  take(config.create_rooms_on_dial, defaults.choice("create", kCreate));
  read_room_keys(defaults, config.play, config.room_defaults);
  for (const std::string& name : reader.children("room")) {
    ConfigSection section = reader.section("room", name);
    const auto jid = jingle::Jid::parse(name + "@" + "room.invalid");
    const bool is_name =
        jid && jid->is_bare() && jid->domain() == "room.invalid" && !jid->local().empty();
    RoomConfig room = config.room_defaults;
    if (is_name) room.name = jid->local();
    read_room_text(section, "display-text", room.display_text);
    read_room_text(section, "subject", room.subject);
    read_room_keys(section, config.play, room);
    take(room.is_public, section.boolean("public"));
    read_invite(section, config.xmpp, room);
    if (!is_name) {
      section.error("", "\"" + name + "\" cannot stand before the @ of a JID (RFC 7622 §3.3)");
      continue;
    }
    if (!config.rooms.emplace(room.name, room).second) {
      section.error("", "the same room as another section: both are \"" + room.name + "\"");
    }
  }
  if (!config.create_rooms_on_dial && config.rooms.empty() &&
      config.xmpp.mode == Config::Xmpp::Mode::component) {
    defaults.warning("create", "is \"listed\" and there is no [room.NAME]: nobody can dial");
  }
}

void read_profiles(ConfigSection section, std::map<std::string, std::string>& profiles) {
  for (const std::string& key : section.keys()) {
    const auto name = section.string(key);
    if (!name) continue;
    const auto jid = jingle::Jid::parse(key);
    if (!jid || !jid->is_bare()) {
      section.error(key, "is neither a bare JID nor a domain");
    } else if (!profile_named(*name)) {
      std::string expected;
      for (const std::string_view known : profile_names()) {
        expected.append(expected.empty() ? "" : ", ").append(1, '"').append(known).append(1, '"');
      }
      section.error(key, "is \"" + *name + "\"; expected one of " + expected);
    } else if (!profiles.emplace(jid->str(), *name).second) {
      section.error(key, "the same JID as another key: both are \"" + jid->str() + '"');
    }
  }
}

void read_coin(ConfigSection section, Config::Coin& coin) {
  take(coin.push, section.choice("push", kPush));
  take(coin.sid_attribute, section.boolean("sid-attribute"));
  take(coin.jingle_sibling, section.boolean("jingle-sibling"));
  if (const auto ms = section.integer("coalesce-ms", 0, 60000)) {
    coin.coalesce = std::chrono::milliseconds(*ms);
  }
}

void read_state(ConfigSection section, Config& config, const std::string& config_file) {
  config.state.directory = own_folder(section, "directory", config_file);
  if (section.has("directory") && config.xmpp.mode == Config::Xmpp::Mode::client &&
      config.presence.publish.empty()) {
    section.warning("directory", "has no effect: an account's server keeps its contacts");
  }
}

}  // namespace

bool ConfigResult::ok() const {
  return std::none_of(problems.begin(), problems.end(), [](const ConfigProblem& problem) {
    return problem.kind == ConfigProblem::Kind::error;
  });
}

std::string to_string(const ConfigProblem& problem, const std::string& file) {
  std::string text = file;
  if (problem.line > 0) text += ":" + std::to_string(problem.line);
  text += problem.kind == ConfigProblem::Kind::error ? ": error: " : ": warning: ";
  if (!problem.key.empty()) text += problem.key + ": ";
  return one_line(text + problem.text);
}

ConfigResult parse_config(const std::string& text, const std::string& file) {
  ConfigResult result;
  ConfigReader reader(text, file, result.problems);
  if (!reader.parsed()) return result;
  Config& config = result.config;
  read_xmpp(reader.section("xmpp"), config, file);
  read_media(reader.section("media"), config.media);
  read_play(reader.section("play"), config.play, file);
  read_record(reader.section("record"), config.record, file);
  read_access(reader.section("access"), config);
  read_limits(reader.section("limits"), config.limits);
  read_rooms(reader, config);
  read_coin(reader.section("coin"), config.coin);
  read_profiles(reader.section("coin", "profiles"), config.coin.profiles);
  read_presence(reader, config, file);
  read_state(reader.section("state"), config, file);
  if (const auto level = reader.section("log").choice("level", kLevels)) config.log_level = *level;
  reader.report_unknown();
  std::stable_sort(result.problems.begin(), result.problems.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return result;
}

ConfigResult load_config(const std::string& file) {
  const auto text = read_file(file);
  if (!text) {
    ConfigResult result;
    result.problems.push_back({ConfigProblem::Kind::error, 0, "", "cannot read: " + text.error()});
    return result;
  }
  return parse_config(text->text, file);
}

}  // namespace mixer
