// signaling/pubsub.h: publish-subscribe as far as personal eventing uses it (XEP-0060, XEP-0163).
// Values and codecs; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "signaling/stanza.h"
#include "signaling/stanza_error.h"

namespace jingle::pubsub {

// XEP-0060 §4.5, from the strictest.
enum class Access { whitelist, authorize, roster, presence, open };
std::string_view to_string(Access access);

// What a node has to be like: its configuration, or a publisher's condition (§7.1.5).
struct NodeOptions {
  Access access = Access::presence;
  std::vector<std::string> roster_groups = {};  // that may read, with Access::roster
  bool persist = true;
  std::optional<std::uint32_t> max_items = 1;
  bool operator==(const NodeOptions&) const = default;
};

struct Item {
  std::string id;  // empty: the service's choice
  Xml payload;     // empty: none
  bool operator==(const Item&) const = default;
};

struct Publish {  // §7.1
  std::string node;
  Item item;
  std::optional<NodeOptions> options = {};  // preconditions
  bool operator==(const Publish&) const = default;
};
struct Retract {  // §7.2
  std::string node, id;
  bool operator==(const Retract&) const = default;
};
struct GetItems {  // §6.5
  std::string node;
  std::vector<std::string> ids = {};
  std::optional<std::uint32_t> max_items = {};
  bool operator==(const GetItems&) const = default;
};
struct Subscribe {  // §6.1
  std::string node;
  Jid jid;
  bool operator==(const Subscribe&) const = default;
};
struct Unsubscribe {  // §6.2
  std::string node;
  Jid jid;
  bool operator==(const Unsubscribe&) const = default;
};
// What only a node's owner may ask for: `create` (§8.1), and all of pubsub#owner.
struct Manage {
  std::string action;  // the element's name
  std::string node;
  bool operator==(const Manage&) const = default;
};
using Request = std::variant<Publish, Retract, GetItems, Subscribe, Unsubscribe, Manage>;
// Whether it is asked for by an IQ get; nullopt: by either.
std::optional<bool> is_get(const Request& request);

// The <pubsub/> element. Law: parse(write(x)) == x, for items whose payload has a namespace.
// Errors, as §6 and §7 have them: nodeid-required, item-required, invalid-payload, invalid-options,
// invalid-jid; feature-not-implemented with `unsupported` for the rest of XEP-0060.
std::string write(const Request& request);
Result<Request> parse(const pugi::xml_node& pubsub);

// The answer to GetItems, as the <pubsub/> and from an <iq/>; limits::kMaxEventItems at
// most are read.
std::string items_xml(const std::string& node, const std::vector<Item>& items);
std::vector<Item> parse_items(const pugi::xml_node& iq, const std::string& node);

// The answer to Subscribe (§6.1.2).
std::string subscribed_xml(const Subscribe& subscribe);

// A node made with its configuration (§8.1.3), and that as its owner asks for it and sets it
// (§8.2).
std::string create(const std::string& node, const NodeOptions& options);
std::string configuration_query(const std::string& node);
std::string configure(const std::string& node, const NodeOptions& options);
// Who may read, by the answer to the query: access and roster_groups only. nullopt: it does not
// say.
std::optional<NodeOptions> parse_configuration(const pugi::xml_node& iq);
// Whether whoever may read a node like `found` may read one like `wanted`, by the order of Access.
bool is_as_strict(const NodeOptions& found, const NodeOptions& wanted);

// What a service notifies of (§7.1.2.1, §7.2.2.1, §8.4, §8.5).
struct Event {
  std::string node;
  std::vector<Item> items = {};
  std::vector<std::string> retracted = {};  // ids
  bool emptied = false;                     // purged or deleted
  bool operator==(const Event&) const = default;
};
// Law: parse_event(a message with write(x)) == x.
std::string write(const Event& event);
// nullopt: no notification, or of something else (a configuration, a subscription).
std::optional<Event> parse_event(const Message& message);

// Conditions of XEP-0060's own, in pubsub#errors.
StanzaError invalid_payload(std::string text = {});  // modify bad-request
StanzaError payload_too_big();                       // modify not-acceptable
StanzaError precondition_not_met();                  // cancel conflict
StanzaError presence_subscription_required();        // auth not-authorized
StanzaError not_in_roster_group();                   // auth not-authorized
StanzaError closed_node();                           // cancel not-allowed
StanzaError invalid_jid();                           // modify bad-request
StanzaError not_subscribed();                        // cancel unexpected-request
StanzaError too_many_subscriptions();                // wait policy-violation

}  // namespace jingle::pubsub
