// coin/conference_info.h: a conference document as values (RFC 4575 §5; the schema is §6).
// Every element and attribute of the schema has a member here, in the schema's order; a member that
// is nullopt or empty is not written. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace coin {

inline constexpr char kNamespace[] = "urn:ietf:params:xml:ns:conference-info";

// RFC 4575 §4.4: how an element relates to what the receiver already has. Absent on the wire means
// full.
enum class State { full, partial, deleted };

// §5.6.4, from the focus's point of view on the endpoint's way in and out.
enum class EndpointStatus {
  pending,
  dialing_out,
  dialing_in,
  alerting,
  on_hold,
  connected,
  muted_via_focus,
  disconnecting,
  disconnected
};
enum class JoiningMethod { dialed_in, dialed_out, focus_owner };
enum class DisconnectionMethod { departed, booted, failed, busy };

// §5.8.4, from the participant's point of view: recvonly = he hears and is not heard.
enum class MediaStatus { recvonly, sendonly, sendrecv, inactive };

// What the schema lets others add (xs:any and xs:anyAttribute, ##other), in order. The types
// without xs:any (Execution, Uris, AvailableMedia, Roles, SidebarsByVal, CallInfo with a SIP
// dialog) use only the attributes.
struct ForeignAttribute {
  std::string ns, name, value;
  bool operator==(const ForeignAttribute&) const = default;
};
struct Foreign {
  std::vector<ForeignAttribute> attributes;
  std::vector<std::string>
      elements;  // each one element in canonical form, its namespaces declared in it
  bool operator==(const Foreign&) const = default;
};

// execution-type (§5.6.2, §5.6.6, §5.6.8): when (xs:dateTime), why, by whom.
struct Execution {
  std::optional<std::string> when, reason, by;
  Foreign foreign;
  bool operator==(const Execution&) const = default;
};

struct UriEntry {
  std::string uri;  // the key
  std::optional<std::string> display_text, purpose;
  std::optional<Execution> modified;
  Foreign foreign;
  bool operator==(const UriEntry&) const = default;
};
struct Uris {
  State state = State::full;
  std::vector<UriEntry> entries;
  Foreign foreign;
  bool operator==(const Uris&) const;
};

struct MediumEntry {  // available-media/entry, §5.3.6
  std::string label;  // the key
  std::optional<std::string> display_text;
  std::string type;
  std::optional<MediaStatus> status;
  Foreign foreign;
  bool operator==(const MediumEntry&) const = default;
};
struct AvailableMedia {
  std::vector<MediumEntry> entries;
  Foreign foreign;
  bool operator==(const AvailableMedia&) const;
};

struct ConferenceDescription {  // §5.3
  std::optional<std::string> display_text, subject, free_text;
  std::vector<std::string> keywords;
  std::optional<Uris> conf_uris, service_uris;
  std::optional<std::uint32_t> maximum_user_count;
  std::optional<AvailableMedia> available_media;
  Foreign foreign;
  bool operator==(const ConferenceDescription&) const = default;
};

struct HostInfo {  // §5.4
  std::optional<std::string> display_text, web_page;
  std::optional<Uris> uris;
  Foreign foreign;
  bool operator==(const HostInfo&) const = default;
};

struct ConferenceState {  // §5.5
  std::optional<std::uint32_t> user_count;
  std::optional<bool> active, locked;
  Foreign foreign;
  bool operator==(const ConferenceState&) const = default;
};

struct Media {     // §5.8
  std::string id;  // the key
  std::optional<std::string> display_text, type, label, src_id;
  std::optional<MediaStatus> status;
  Foreign foreign;
  bool operator==(const Media&) const = default;
};

struct SipDialogId {
  std::optional<std::string> display_text;
  std::string call_id, from_tag, to_tag;
  Foreign foreign;
  bool operator==(const SipDialogId&) const = default;
};
struct CallInfo {  // §5.7.8: a SIP dialog or foreign elements, not both
  std::optional<SipDialogId> sip;
  Foreign foreign;
  bool operator==(const CallInfo&) const = default;
};

struct Endpoint {      // §5.7
  std::string entity;  // the key
  State state = State::full;
  std::optional<std::string> display_text;
  std::optional<Execution> referred;
  std::optional<EndpointStatus> status;
  std::optional<JoiningMethod> joining_method;
  std::optional<Execution> joining_info;
  std::optional<DisconnectionMethod> disconnection_method;
  std::optional<Execution> disconnection_info;
  std::vector<Media> media;
  std::optional<CallInfo> call_info;
  Foreign foreign;
  bool operator==(const Endpoint&) const;
};

struct Roles {
  std::vector<std::string> entries;
  Foreign foreign;
  bool operator==(const Roles&) const = default;
};

struct User {          // §5.6
  std::string entity;  // the key
  State state = State::full;
  std::optional<std::string> display_text;
  std::optional<Uris> associated_aors;
  std::optional<Roles> roles;
  std::vector<std::string> languages;
  std::optional<std::string> cascaded_focus;
  std::vector<Endpoint> endpoints;
  Foreign foreign;
  bool operator==(const User&) const;
};
struct Users {
  State state = State::full;
  std::vector<User> users;
  Foreign foreign;
  bool operator==(const Users&) const;
};

struct ConferenceInfo;
struct SidebarsByVal {  // §5.9
  State state = State::full;
  std::vector<ConferenceInfo> entries;
  Foreign foreign;
  bool operator==(const SidebarsByVal&) const;
};

// §5.2. Equality anywhere below ignores the order of keyed children (users, endpoints, media, URI
// entries, available-media entries, sidebars), because merging cannot keep it.
struct ConferenceInfo {
  std::string entity;  // a URI; for us xmpp:room@domain
  State state = State::full;
  std::optional<std::uint32_t> version;
  std::optional<ConferenceDescription> description;
  std::optional<HostInfo> host_info;
  std::optional<ConferenceState> conference_state;
  std::optional<Users> users;
  std::optional<Uris> sidebars_by_ref;
  std::optional<SidebarsByVal> sidebars_by_val;
  Foreign foreign;
  // XEP-0298 as Jitsi and SylkServer write it: an unqualified `sid` on the root, outside the
  // schema.
  std::optional<std::string> sid;
  bool operator==(const ConferenceInfo&) const;
};

}  // namespace coin
