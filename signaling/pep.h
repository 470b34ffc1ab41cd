// signaling/pep.h: what people and rooms tell of themselves beyond presence: User Tune (XEP-0118),
// User Viewing (XEP-0197), User Status (ProtoXEP of 2018), User Activity (XEP-0108), User Mood
// (XEP-0107), User Geolocation (XEP-0080), User Physical Location (XEP-0112), User Avatar
// (XEP-0084); the suite of XEP-0119, and User Nickname (XEP-0172). Values and their codec; any
// thread.
//
// Each payload's default value is its stop: the empty element that says that there is no more to
// tell. Texts that are empty, and numbers that are nullopt, are not written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "signaling/stanza_error.h"

namespace jingle::pep {

// XEP-0118 §2, the seed's five elements and those of version 1.3.
struct Tune {
  std::string artist, composer, date, genre, language;
  std::optional<std::uint32_t> length_s;  // at most 65535
  std::string lyricist, performer;
  std::optional<std::uint32_t> rating;  // 1 to 10
  std::string source, title, track;
  std::string uri;  // RFC 3986, reference or absolute
  bool operator==(const Tune&) const = default;
};

struct Viewing {  // XEP-0197 §2.1
  std::string author, cast, channel_name, description;
  std::optional<std::uint32_t> duration_s;  // from 1
  std::string end_time;                     // xs:dateTime, in UTC or with an offset
  std::string episode, program_name, program_type;
  std::string start_time;
  std::string subprogram_type, uri, user_comment;
  std::optional<std::uint32_t> user_rating;  // 1 to 10
  bool operator==(const Viewing&) const = default;
};

struct Status {
  std::string text;
  bool operator==(const Status&) const = default;
};

struct Activity {                 // XEP-0108 §2
  std::string general, specific;  // of the standard's words; none without a general one
  std::string text;
  bool operator==(const Activity&) const = default;
};

struct Mood {  // XEP-0107 §2
  std::string mood, text;
  bool operator==(const Mood&) const = default;
};

struct Geoloc {  // XEP-0080 §3
  std::optional<double> accuracy_m, alt_m, altaccuracy_m;
  std::string area;
  std::optional<double> bearing_deg;
  std::string building, country, countrycode, datum, description, floor;
  std::optional<double> lat_deg;
  std::string locality;
  std::optional<double> lon_deg;
  std::string postalcode, region, room;
  std::optional<double> speed_mps;
  std::string street, text, timestamp, tzo, uri;
  bool operator==(const Geoloc&) const = default;
};

struct PhysicalLocation {  // XEP-0112
  std::string country, region, locality, area, street, building, floor, room, postalcode, text;
  bool operator==(const PhysicalLocation&) const = default;
};

struct AvatarInfo {
  std::string id, type;  // SHA-1 of the image in hex; its media type
  std::uint32_t bytes = 0;
  std::optional<std::uint32_t> height, width;
  std::string url;
  bool operator==(const AvatarInfo&) const = default;
};
struct AvatarMetadata {  // XEP-0084 §4.2
  std::vector<AvatarInfo> infos;
  bool operator==(const AvatarMetadata&) const = default;
};
struct AvatarData {  // XEP-0084 §4.1
  std::string image;
  bool operator==(const AvatarData&) const = default;
};
struct Nick {  // XEP-0172 §4.3
  std::string text;
  bool operator==(const Nick&) const = default;
};

// What stands at a node, and which. The same order.
using Payload = std::variant<Tune, Viewing, Status, Activity, Mood, Geoloc, PhysicalLocation,
                             AvatarMetadata, AvatarData, Nick>;
enum class Node {
  tune,
  viewing,
  status,
  activity,
  mood,
  geoloc,
  location,
  avatar,  // its metadata
  avatar_data,
  nick
};
inline constexpr std::size_t kNodes = std::variant_size_v<Payload>;

// The NodeID (XEP-0119 §5, but for the avatar, which has moved since), which is the namespace of
// what stands there; nullopt: none of these.
std::string_view id_of(Node node);
std::optional<Node> node_of(std::string_view id);
// Short names for people: "tune", …, "location", "avatar", "nick"; avatar_data has none.
std::string_view name_of(Node node);
std::optional<Node> node_named(std::string_view name);

inline Node node_of(const Payload& payload) { return static_cast<Node>(payload.index()); }
Payload stop_of(Node node);
inline bool is_stop(const Payload& payload) { return payload == stop_of(node_of(payload)); }

// `element` is what was published at `node` under `item_id`. Strict where a schema restricts, so
// that what was read can be shown to others: numbers in their ranges, words of the standard, URIs,
// dates, each child once. Lenient where nothing is lost: order of children, unknown ones,
// XEP-0197's own <name/> for program_name, dates without seconds as it shows them. Space around
// texts is not kept. Errors, as XEP-0060 §7.1.3 has them: invalid-payload; payload-too-big beyond
// limits.h.
Result<Payload> parse(Node node, const pugi::xml_node& element, std::string_view item_id);

// The element, valid against its schema if each text is one that parse() takes.
// Law: parse(node, write(x), id) == x, for x without space around texts and with moods that
// is_mood(); others are written as undefined.
std::string write(const Payload& payload);

// Sets one field of a payload of text and numbers (tune, viewing, geoloc, location) by its
// element's name, as from XML; false: no such field, or no such value. An empty text: unset.
bool set_field(Payload& payload, std::string_view name, std::string_view text);

// Of XEP-0107's schema.
bool is_mood(std::string_view word);
// RFC 3986 §4.1, as far as xs:anyURI wants it.
bool is_uri_reference(std::string_view text);
// The item id of that image (XEP-0084 §3.1).
std::string avatar_id(std::string_view image);

}  // namespace jingle::pep
