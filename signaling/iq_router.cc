#include "signaling/iq_router.h"

#include <pugixml.hpp>

#include "coin/xml.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"

namespace jingle {
namespace {

Result<IqRequest> parse_conference_info(const pugi::xml_node& node, std::optional<Sid> sibling) {
  auto info = coin::parse(node);
  if (!info) return tl::unexpected(bad_request(info.error().where + ": " + info.error().what));
  ConferenceInfoSet out;
  out.sid = std::move(sibling);
  if (info->sid) {
    if (out.sid && out.sid->value != *info->sid) return tl::unexpected(bad_request("two sids"));
    out.sid = Sid{*info->sid};
  }
  out.info = std::move(*info);
  return IqRequest(std::move(out));
}

// XEP-0298 §6: <jingle sid=/> without action beside the document, in either order.
Result<IqRequest> route_pair(const pugi::xml_node& iq) {
  const auto jingle = child(iq, ns::kJingle, "jingle");
  const auto info = child(iq, ns::kConferenceInfo, "conference-info");
  const auto sid = jingle.attribute("sid");
  if (!jingle || !info || !sid || jingle.attribute("action")) {
    return tl::unexpected(bad_request("not exactly one payload"));
  }
  return parse_conference_info(info, Sid{sid.value()});
}

Result<IqRequest> route_set(const pugi::xml_node& payload) {
  if (is(payload, ns::kJingle, "jingle")) {
    auto request = parse_jingle(payload);
    if (!request) return tl::unexpected(std::move(request.error()));
    return IqRequest(std::move(*request));
  }
  if (is(payload, ns::kConferenceInfo, "conference-info")) {
    return parse_conference_info(payload, std::nullopt);
  }
  if (is(payload, ns::kExtDisco, "services")) {
    auto push = ExternalServices::parse(payload);
    if (!push) return tl::unexpected(std::move(push.error()));
    return IqRequest(std::move(*push));
  }
  return tl::unexpected(service_unavailable());
}

Result<IqRequest> route_get(const pugi::xml_node& payload) {
  if (is(payload, ns::kConferenceInfo, "conference-info")) return IqRequest(ConferenceInfoGet{});
  if (is(payload, ns::kDiscoInfo, "query")) {
    return IqRequest(DiscoInfoQuery{payload.attribute("node").value()});
  }
  if (is(payload, ns::kDiscoItems, "query")) {
    return IqRequest(DiscoItemsQuery{payload.attribute("node").value()});
  }
  if (is(payload, ns::kPing, "ping")) return IqRequest(XmppPing{});
  return tl::unexpected(service_unavailable());
}

PubsubRequest parse_pubsub(const pugi::xml_node& payload, bool get) {
  auto request = pubsub::parse(payload);
  if (request && pubsub::is_get(*request).value_or(get) != get) {
    request = tl::unexpected(bad_request(get ? "a get" : "a set"));
  }
  return {std::move(request)};
}

}  // namespace

Result<IqRequest> route(const Iq& iq) {
  const auto root = iq.xml.root();
  const int payloads = count_elements(root);
  if (payloads == 2 && iq.type == Iq::Type::set) return route_pair(root);
  if (payloads != 1) return tl::unexpected(bad_request("not exactly one payload"));
  const auto payload = first_element(root);
  if (is(payload, ns::kPubsub, "pubsub") || is(payload, ns::kPubsubOwner, "pubsub")) {
    return IqRequest(parse_pubsub(payload, iq.type == Iq::Type::get));
  }
  return iq.type == Iq::Type::set ? route_set(payload) : route_get(payload);
}

}  // namespace jingle
