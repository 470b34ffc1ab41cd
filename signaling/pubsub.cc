#include "signaling/pubsub.h"

#include <algorithm>
#include <array>
#include <pugixml.hpp>

#include "signaling/attributes.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"

namespace jingle::pubsub {
namespace {

constexpr Words<Access, 5> kAccess{{{"whitelist", Access::whitelist},
                                    {"authorize", Access::authorize},
                                    {"roster", Access::roster},
                                    {"presence", Access::presence},
                                    {"open", Access::open}}};
constexpr char kAccessModel[] = "pubsub#access_model";
constexpr char kRosterGroups[] = "pubsub#roster_groups_allowed";

StanzaError error(const char* type, const char* condition, const char* name,
                  std::string text = {}) {
  StanzaError out;
  out.type = type;
  out.condition = condition;
  out.app_ns = ns::kPubsubErrors;
  out.app_name = name;
  out.text = std::move(text);
  return out;
}

StanzaError unsupported(const char* feature) {
  StanzaError out = error("cancel", "feature-not-implemented", "unsupported");
  out.feature = feature;
  return out;
}

// Data forms (XEP-0004).
void add_field(pugi::xml_node& form, const char* var, const std::vector<std::string>& values,
               const char* type = nullptr) {
  auto field = add_child(form, "field");
  add_attribute(field, "var", var);
  if (type) add_attribute(field, "type", type);
  for (const std::string& value : values) add_child(field, "value").text().set(value.c_str());
}

void write_form(pugi::xml_node parent, const char* form_type, const NodeOptions& options) {
  auto form = add_child(parent, "x", ns::kDataForms);
  add_attribute(form, "type", "submit");
  add_field(form, "FORM_TYPE", {form_type}, "hidden");
  add_field(form, kAccessModel, {std::string(to_string(options.access))});
  if (!options.roster_groups.empty()) {
    add_field(form, kRosterGroups, options.roster_groups);
  }
  add_field(form, "pubsub#persist_items", {options.persist ? "true" : "false"});
  if (options.max_items) add_field(form, "pubsub#max_items", {std::to_string(*options.max_items)});
}

std::vector<std::string> values_of(const pugi::xml_node& form, std::string_view var) {
  std::vector<std::string> out;
  for (const auto& field : form.children()) {
    if (!is(field, ns::kDataForms, "field") || field.attribute("var").value() != var) continue;
    for (const auto& value : field.children()) {
      if (is(value, ns::kDataForms, "value")) out.push_back(text_of(value));
    }
  }
  return out;
}

std::string value_of(const pugi::xml_node& form, std::string_view var) {
  const auto values = values_of(form, var);
  return values.size() == 1 ? values.front() : std::string();
}

// nullopt: conditions that we do not know, and so cannot vouch for.
std::optional<NodeOptions> parse_form(const pugi::xml_node& form) {
  if (value_of(form, "FORM_TYPE") != ns::kPublishOptions) return std::nullopt;
  NodeOptions out{.max_items = std::nullopt};
  for (const auto& field : form.children()) {
    if (!is(field, ns::kDataForms, "field")) continue;
    const std::string var = field.attribute("var").value();
    if (var == "FORM_TYPE") continue;
    const std::string value = value_of(form, var);
    const auto access = jingle::value_of(kAccess, value);
    const auto persist = parse_bool(value);
    const auto max_items = parse_unsigned(value);
    if (var == kAccessModel && access) {
      out.access = *access;
    } else if (var == "pubsub#persist_items" && persist) {
      out.persist = *persist;
    } else if (var == "pubsub#max_items" && max_items) {
      out.max_items = max_items;
    } else if (var == kRosterGroups) {
      out.roster_groups = values_of(form, var);
    } else {
      return std::nullopt;
    }
  }
  return out;
}

Xml copy_of(const pugi::xml_node& element) {
  Xml out;
  if (!element) return out;
  auto copy = out.document().append_copy(element);
  if (!copy.attribute("xmlns") && local_name(copy) == copy.name()) {
    add_attribute(copy, "xmlns", effective_ns(element));
  }
  return out;
}

Item read_item(const pugi::xml_node& node) {
  return {node.attribute("id").value(), copy_of(first_element(node))};
}

void write_item(pugi::xml_node& parent, const Item& item) {
  auto node = add_child(parent, "item");
  if (!item.id.empty()) add_attribute(node, "id", item.id);
  if (const auto payload = item.payload.root()) node.append_copy(payload);
}

std::vector<Item> read_items(const pugi::xml_node& items, const char* ns) {
  std::vector<Item> out;
  for (const auto& node : items.children()) {
    if (out.size() == limits::kMaxEventItems) break;
    if (is(node, ns, "item")) out.push_back(read_item(node));
  }
  return out;
}

struct Writer {
  pugi::xml_node& root;

  pugi::xml_node add(const char* name, const std::string& node) {
    auto element = add_child(root, name);
    add_attribute(element, "node", node);
    return element;
  }
  void operator()(const Publish& publish) {
    auto element = add("publish", publish.node);
    write_item(element, publish.item);
    if (!publish.options) return;
    write_form(add_child(root, "publish-options"), ns::kPublishOptions, *publish.options);
  }
  void operator()(const Retract& retract) {
    auto element = add("retract", retract.node);
    add_attribute(element, "notify", "true");
    write_item(element, {retract.id, {}});
  }
  void operator()(const GetItems& get) {
    auto element = add("items", get.node);
    if (get.max_items) add_attribute(element, "max_items", *get.max_items);
    for (const std::string& id : get.ids) write_item(element, {id, {}});
  }
  void operator()(const Subscribe& subscribe) { address("subscribe", subscribe); }
  void operator()(const Unsubscribe& unsubscribe) { address("unsubscribe", unsubscribe); }
  void operator()(const Manage& manage) {
    if (manage.action != "create") root.attribute("xmlns").set_value(ns::kPubsubOwner);
    add(manage.action.c_str(), manage.node);
  }
  template <typename T>
  void address(const char* name, const T& request) {
    auto element = add(name, request.node);
    add_attribute(element, "jid", request.jid.str());
  }
};

Result<Request> parse_publish(const pugi::xml_node& pubsub, const pugi::xml_node& publish) {
  const auto item = child(publish, ns::kPubsub, "item");
  if (!item) return tl::unexpected(error("modify", "bad-request", "item-required"));
  if (count_elements(publish) > 1) return tl::unexpected(invalid_payload("more than one item"));
  if (count_elements(item) != 1) return tl::unexpected(invalid_payload("not exactly one payload"));
  Publish out{publish.attribute("node").value(), read_item(item)};
  if (const auto options = child(pubsub, ns::kPubsub, "publish-options")) {
    out.options = parse_form(child(options, ns::kDataForms, "x"));
    if (!out.options) return tl::unexpected(precondition_not_met());
  }
  return Request(std::move(out));
}

Result<Request> parse_retract(const pugi::xml_node& retract) {
  const std::string id = child(retract, ns::kPubsub, "item").attribute("id").value();
  if (id.empty()) return tl::unexpected(error("modify", "bad-request", "item-required"));
  return Request(Retract{retract.attribute("node").value(), id});
}

Result<Request> parse_get(const pugi::xml_node& items) {
  AttributeReader in(items);
  GetItems out{items.attribute("node").value()};
  if (in.has("max_items")) out.max_items = in.number("max_items", 1, 0xffffffff);
  for (const Item& item : read_items(items, ns::kPubsub)) out.ids.push_back(item.id);
  if (!in.ok()) return in.error();
  return Request(std::move(out));
}

template <typename T>
Result<Request> parse_address(const pugi::xml_node& element) {
  auto jid = Jid::parse(element.attribute("jid").value());
  if (!jid) return tl::unexpected(invalid_jid());
  return Request(T{element.attribute("node").value(), std::move(*jid)});
}

}  // namespace

std::string_view to_string(Access access) { return word_of(kAccess, access); }

std::string write(const Request& request) {
  Xml xml;
  auto root = add_child(xml.document(), "pubsub", ns::kPubsub);
  std::visit(Writer{root}, request);
  return xml.str();
}

std::optional<bool> is_get(const Request& request) {
  if (std::holds_alternative<Manage>(request)) return std::nullopt;
  return std::holds_alternative<GetItems>(request);
}

Result<Request> parse(const pugi::xml_node& pubsub) {
  const auto element = first_element(pubsub);
  const std::string name(local_name(element));
  const std::string node = element.attribute("node").value();
  if (is(pubsub, ns::kPubsubOwner, "pubsub") && !name.empty()) return Request(Manage{name, node});
  if (!is(pubsub, ns::kPubsub, "pubsub") || effective_ns(element) != ns::kPubsub) {
    return tl::unexpected(error("cancel", "feature-not-implemented", "unsupported"));
  }
  if (name == "create")
    return Request(Manage{name, node});  // or the service's choice: an instant node
  if (name == "subscriptions") return tl::unexpected(unsupported("retrieve-subscriptions"));
  if (name == "affiliations") return tl::unexpected(unsupported("retrieve-affiliations"));
  if (name == "options") return tl::unexpected(unsupported("subscription-options"));
  if (node.empty()) return tl::unexpected(error("modify", "bad-request", "nodeid-required"));
  if (name == "publish") return parse_publish(pubsub, element);
  if (name == "retract") return parse_retract(element);
  if (name == "items") return parse_get(element);
  if (name == "subscribe") return parse_address<Subscribe>(element);
  if (name == "unsubscribe") return parse_address<Unsubscribe>(element);
  return tl::unexpected(error("cancel", "feature-not-implemented", "unsupported"));
}

std::string items_xml(const std::string& node, const std::vector<Item>& items) {
  Xml xml;
  auto root = add_child(xml.document(), "pubsub", ns::kPubsub);
  auto list = add_child(root, "items");
  add_attribute(list, "node", node);
  for (const Item& item : items) write_item(list, item);
  return xml.str();
}

std::vector<Item> parse_items(const pugi::xml_node& iq, const std::string& node) {
  const auto items = child(child(iq, ns::kPubsub, "pubsub"), ns::kPubsub, "items");
  if (items.attribute("node").value() != node) return {};
  return read_items(items, ns::kPubsub);
}

std::string subscribed_xml(const Subscribe& subscribe) {
  Xml xml;
  auto root = add_child(xml.document(), "pubsub", ns::kPubsub);
  auto element = add_child(root, "subscription");
  add_attribute(element, "node", subscribe.node);
  add_attribute(element, "jid", subscribe.jid.str());
  add_attribute(element, "subscription", "subscribed");
  return xml.str();
}

std::string create(const std::string& node, const NodeOptions& options) {
  Xml xml;
  auto root = add_child(xml.document(), "pubsub", ns::kPubsub);
  auto element = add_child(root, "create");
  add_attribute(element, "node", node);
  write_form(add_child(root, "configure"), ns::kNodeConfig, options);
  return xml.str();
}

std::string configuration_query(const std::string& node) {
  return std::string("<pubsub xmlns='") + ns::kPubsubOwner + "'><configure node='" + escape(node) +
         "'/></pubsub>";
}

std::string configure(const std::string& node, const NodeOptions& options) {
  Xml xml;
  auto root = add_child(xml.document(), "pubsub", ns::kPubsubOwner);
  auto element = add_child(root, "configure");
  add_attribute(element, "node", node);
  write_form(element, ns::kNodeConfig, options);
  return xml.str();
}

std::optional<NodeOptions> parse_configuration(const pugi::xml_node& iq) {
  const auto owner = child(iq, ns::kPubsubOwner, "pubsub");
  const auto form = child(child(owner, ns::kPubsubOwner, "configure"), ns::kDataForms, "x");
  const auto access = jingle::value_of(kAccess, value_of(form, kAccessModel));
  if (!access) return std::nullopt;
  return NodeOptions{.access = *access, .roster_groups = values_of(form, kRosterGroups)};
}

bool is_as_strict(const NodeOptions& found, const NodeOptions& wanted) {
  if (found.access != wanted.access || found.access != Access::roster) {
    return found.access <= wanted.access;
  }
  // Where no group is named, services differ in who may read.
  return !found.roster_groups.empty() &&
         std::ranges::all_of(found.roster_groups, [&](const std::string& group) {
           return std::ranges::find(wanted.roster_groups, group) != wanted.roster_groups.end();
         });
}

std::string write(const Event& event) {
  Xml xml;
  auto root = add_child(xml.document(), "event", ns::kPubsubEvent);
  auto list = add_child(root, event.emptied ? "purge" : "items");
  add_attribute(list, "node", event.node);
  for (const Item& item : event.items) write_item(list, item);
  for (const std::string& id : event.retracted) {
    auto retract = add_child(list, "retract");
    add_attribute(retract, "id", id);
  }
  return xml.str();
}

std::optional<Event> parse_event(const Message& message) {
  if (message.type == "error") return std::nullopt;
  const auto element = first_element(child(message.xml.root(), ns::kPubsubEvent, "event"));
  Event out{element.attribute("node").value()};
  if (out.node.empty()) return std::nullopt;
  if (is(element, ns::kPubsubEvent, "purge") || is(element, ns::kPubsubEvent, "delete")) {
    out.emptied = true;
    return out;
  }
  if (!is(element, ns::kPubsubEvent, "items")) return std::nullopt;
  out.items = read_items(element, ns::kPubsubEvent);
  for (const auto& node : element.children()) {
    if (out.retracted.size() == limits::kMaxEventItems) break;
    if (is(node, ns::kPubsubEvent, "retract"))
      out.retracted.emplace_back(node.attribute("id").value());
  }
  return out;
}

StanzaError invalid_payload(std::string text) {
  return error("modify", "bad-request", "invalid-payload", std::move(text));
}
StanzaError payload_too_big() { return error("modify", "not-acceptable", "payload-too-big"); }
StanzaError precondition_not_met() { return error("cancel", "conflict", "precondition-not-met"); }
StanzaError presence_subscription_required() {
  return error("auth", "not-authorized", "presence-subscription-required");
}
StanzaError not_in_roster_group() { return error("auth", "not-authorized", "not-in-roster-group"); }
StanzaError invalid_jid() { return error("modify", "bad-request", "invalid-jid"); }
StanzaError not_subscribed() { return error("cancel", "unexpected-request", "not-subscribed"); }
StanzaError too_many_subscriptions() {
  return error("wait", "policy-violation", "too-many-subscriptions");
}
StanzaError closed_node() { return error("cancel", "not-allowed", "closed-node"); }

}  // namespace jingle::pubsub
