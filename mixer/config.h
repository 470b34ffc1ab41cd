// mixer/config.h: the configuration as a value, and how a TOML file becomes one. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "media/limits.h"
#include "media/voice_filter.h"
#include "mixer/net_address.h"
#include "signaling/jid.h"
#include "signaling/pep.h"
#include "signaling/pubsub.h"

namespace mixer {

enum class Disclose { bare, full, nick };   // what participants learn of each other
enum class Announce { first, joins, off };  // chat to those whose client shows no Coin
enum class CoinPush { everyone, announced };
// When the room says isfocus (XEP-0298 §5): always, or while two or more are in it.
enum class FocusWhen { always, multiparty };

// RoomConfig::hold_music: the one that is generated.
inline constexpr std::string_view kBuiltInHoldMusic = "on";

struct RoomConfig {
  std::string name;                             // the JID's localpart, prepared
  std::string display_text = {}, subject = {};  // empty: the room's name; none
  Disclose disclose = Disclose::bare;
  Announce announce = Announce::first;
  bool is_public = false;  // listed in disco#items
  FocusWhen focus = FocusWhen::always;
  std::chrono::seconds departed_for{10};  // who left stays listed as disconnected
  // A call from another device of somebody here joins his others; else it takes their place
  // (XEP-0353 §4.2).
  bool multi_device = false;
  // Played while somebody is alone: kBuiltInHoldMusic, a name in media-dir, or empty: none.
  std::string hold_music = {};
  bool chimes = false;  // when somebody comes or goes
  bool record = true;   // moderators may, if there is a [record] directory
  int max_speakers = static_cast<int>(media::limits::kDefaultSpeakers);  // heard at once
  media::VoiceProcessing voice = {};
  std::vector<jingle::Jid> invite = {};      // dialled when the room opens
  std::vector<jingle::Jid> moderators = {};  // bare
  bool operator==(const RoomConfig&) const = default;
};

struct Config {
  struct Xmpp {
    enum class Mode { component, client };
    enum class Tls { verify, trust_all, off };
    Mode mode = Mode::component;
    jingle::Jid jid;         // component: a domain; client: a bare JID
    std::string password;    // or from password-file
    std::string host;        // empty: client mode looks up SRV; component: 127.0.0.1
    std::uint16_t port = 0;  // 0: 5347 component, 5222 client
    Tls tls = Tls::verify;   // client mode
    bool operator==(const Xmpp&) const = default;
  } xmpp;

  struct Media {
    std::vector<std::string> addresses;        // empty: every interface's but loopback
    std::uint16_t port_min = 0, port_max = 0;  // port-range; 0: the system chooses
    std::string external_address;              // 1:1 NAT: offered instead of the local one
    std::optional<HostAndPort> stun, turn;
    std::string turn_username, turn_password;
    // Whom to ask for STUN and TURN servers (XEP-0215); nullopt: the own server; empty: nobody.
    std::optional<jingle::Jid> discover_services;
    std::vector<std::string> deny_peers;  // addresses and CIDR blocks
    std::uint32_t bitrate_bps = 32000;
    bool operator==(const Media&) const = default;
  } media;

  struct Play {
    std::string media_dir;           // whose files may be played; empty: none
    std::vector<std::string> hosts;  // of https URLs, whatever their addresses
    std::string ca_file = {};        // vouches for them, too; empty: the system's alone do
    int loudness_lufs = -23;         // EBU R 128
    bool operator==(const Play&) const = default;
  } play;

  struct Record {
    std::string directory;           // empty: nothing is recorded
    std::chrono::days retention{0};  // older recordings are deleted; 0: none is
    // Of one recording; of all files in the directory; of their disk. 0: there is no such bound.
    std::chrono::minutes longest{480};
    std::uint64_t most_bytes = 10'000'000'000, least_free_bytes = 1'000'000'000;
    bool operator==(const Record&) const = default;
  } record;

  struct Access {
    bool anyone = false;            // dial = "anyone"
    std::vector<std::string> dial;  // domains and JIDs; empty and not set: the default rule
    bool dial_set = false;
    bool operator==(const Access&) const = default;
  } access;

  struct Limits {
    int participants_per_room = 200;
    int participants = 2000;
    int pending_per_jid = 3;
    int calls_per_minute_per_jid = 10;
    int rooms_per_domain_and_hour = 100;
    bool operator==(const Limits&) const = default;
  } limits;

  bool create_rooms_on_dial = true;         // [rooms] create = "on-dial" | "listed"
  RoomConfig room_defaults;                 // [rooms]
  std::map<std::string, RoomConfig> rooms;  // [room.NAME]

  struct Coin {
    CoinPush push = CoinPush::everyone;
    bool sid_attribute = true;
    bool jingle_sibling = false;
    std::chrono::milliseconds coalesce{500};
    // Bare JID or domain -> a client profile's name: what is known better than caps tell.
    std::map<std::string, std::string> profiles = {};
    bool operator==(const Coin&) const = default;
  } coin;

  struct Presence {                       // extended: XEP-0119
    std::set<jingle::pep::Node> publish;  // what a bot, or each room, shows of itself
    std::set<jingle::pep::Node> relay;    // what participants may show to the others
    jingle::pubsub::NodeOptions nodes;    // who may read
    std::set<jingle::Jid> whitelist;      // that may, with Access::whitelist
    std::string status = "{count} on the call: {topic}";
    jingle::pep::Mood mood;
    jingle::pep::Geoloc geoloc;
    jingle::pep::PhysicalLocation location;
    std::string avatar;                           // a PNG; empty: one that is drawn
    bool viewing_local = false;                   // tell of local files, too
    std::vector<std::string> viewing_never = {};  // titles, types, beginnings of URIs
    bool operator==(const Presence&) const = default;
  } presence;

  struct State {
    std::string directory;  // empty: $STATE_DIRECTORY, or nothing is kept
    bool operator==(const State&) const = default;
  } state;

  std::string log_level = "info";
  bool operator==(const Config&) const = default;
};

struct ConfigProblem {
  // warning: an unknown key, with a suggestion; what has no effect; a secret open to everyone
  enum class Kind { error, warning };
  Kind kind = Kind::error;
  int line = 0;  // 0: the file as a whole
  std::string key, text;
};
std::string to_string(const ConfigProblem& problem, const std::string& file);

struct ConfigResult {
  Config config;                        // usable when no problem is an error
  std::vector<ConfigProblem> problems;  // all of them at once
  bool ok() const;
};

// `text` is TOML; `file` names it in problems and anchors a relative password-file or directory.
ConfigResult parse_config(const std::string& text, const std::string& file);
ConfigResult load_config(const std::string& file);

}  // namespace mixer
