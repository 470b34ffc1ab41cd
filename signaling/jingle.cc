#include "signaling/jingle.h"

#include <algorithm>
#include <pugixml.hpp>

#include "signaling/attributes.h"
#include "signaling/coin_iq.h"
#include "signaling/jingle_content.h"
#include "signaling/jingle_reason.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"

namespace jingle {
namespace {

constexpr Words<Action, 15> kActions{{
    {"content-accept", Action::content_accept},
    {"content-add", Action::content_add},
    {"content-modify", Action::content_modify},
    {"content-reject", Action::content_reject},
    {"content-remove", Action::content_remove},
    {"description-info", Action::description_info},
    {"security-info", Action::security_info},
    {"session-accept", Action::session_accept},
    {"session-info", Action::session_info},
    {"session-initiate", Action::session_initiate},
    {"session-terminate", Action::session_terminate},
    {"transport-accept", Action::transport_accept},
    {"transport-info", Action::transport_info},
    {"transport-reject", Action::transport_reject},
    {"transport-replace", Action::transport_replace},
}};

// The first child that is not Jingle's own.
std::optional<UnknownInfo> find_foreign(const pugi::xml_node& jingle) {
  for (const auto& node : jingle.children()) {
    if (node.type() != pugi::node_element) continue;
    const auto ns = effective_ns(node);
    if (ns != ns::kJingle) return UnknownInfo{std::string(ns), std::string(local_name(node))};
  }
  return std::nullopt;
}

// What session-initiate and session-accept share.
template <typename T>
Result<Payload> parse_offer(const pugi::xml_node& jingle, T out) {
  auto contents = parse_contents(jingle);
  if (!contents) return tl::unexpected(std::move(contents.error()));
  out.contents = std::move(*contents);
  auto groups = parse_groups(jingle);
  if (!groups) return tl::unexpected(std::move(groups.error()));
  out.groups = std::move(*groups);
  out.isfocus = parse_isfocus(jingle);
  return Payload(std::move(out));
}

Result<Payload> parse_initiate(const pugi::xml_node& jingle) {
  SessionInitiate out;
  out.initiator = jingle.attribute("initiator").value();
  auto payload = parse_offer(jingle, std::move(out));
  if (!payload) return payload;
  const auto& contents = std::get<SessionInitiate>(*payload).contents;
  // XEP-0166 §7.2.10.
  const bool any = std::any_of(contents.begin(), contents.end(), [](const Content& content) {
    return content.disposition == "session";
  });
  if (!any) return tl::unexpected(bad_request("no content with disposition session"));
  return payload;
}

Result<Payload> parse_accept(const pugi::xml_node& jingle) {
  SessionAccept out;
  out.responder = jingle.attribute("responder").value();
  auto payload = parse_offer(jingle, std::move(out));
  if (payload && std::get<SessionAccept>(*payload).contents.empty()) {
    return tl::unexpected(bad_request("no content"));
  }
  return payload;
}

Result<Payload> parse_session_info(const pugi::xml_node& jingle) {
  const auto first = first_element(jingle);
  if (!first) return Payload(SessionInfo{Ping{}});
  for (const auto& node : jingle.children()) {
    if (node.type() != pugi::node_element || effective_ns(node) != ns::kRtpInfo) continue;
    auto info = parse_rtp_info(node);
    if (info) return Payload(SessionInfo{std::move(*info)});
    if (info.error() != unsupported_info()) return tl::unexpected(std::move(info.error()));
  }
  if (const auto isfocus = parse_isfocus(jingle)) return Payload(SessionInfo{FocusInfo{*isfocus}});
  return Payload(
      SessionInfo{UnknownInfo{std::string(effective_ns(first)), std::string(local_name(first))}});
}

Result<Payload> parse_transport_info(const pugi::xml_node& jingle) {
  auto contents = parse_contents(jingle);
  if (!contents) return tl::unexpected(std::move(contents.error()));
  TransportInfo out;
  out.contents = std::move(*contents);
  if (out.contents.empty()) out.unknown = find_foreign(jingle);
  return Payload(std::move(out));
}

Result<Payload> parse_content_action(const pugi::xml_node& jingle, Action action) {
  auto contents = parse_contents(jingle);
  if (!contents) return tl::unexpected(std::move(contents.error()));
  ContentAction out;
  out.action = action;
  out.contents = std::move(*contents);
  auto groups = parse_groups(jingle);
  if (!groups) return tl::unexpected(std::move(groups.error()));
  out.groups = std::move(*groups);
  out.reason = parse_reason(jingle);
  if (out.contents.empty()) {
    // description-info is advice and never fails (XEP-0167 §9).
    if (action != Action::description_info) return tl::unexpected(bad_request("no content"));
    out.unknown = find_foreign(jingle);
  }
  return Payload(std::move(out));
}

Result<Payload> parse_payload(const pugi::xml_node& jingle, Action action) {
  switch (action) {
    case Action::session_initiate: return parse_initiate(jingle);
    case Action::session_accept: return parse_accept(jingle);
    case Action::session_terminate:
      return Payload(SessionTerminate{parse_reason(jingle).value_or(no_reason())});
    case Action::session_info: return parse_session_info(jingle);
    case Action::transport_info: return parse_transport_info(jingle);
    case Action::security_info: return Payload(SecurityInfo{});
    default: return parse_content_action(jingle, action);
  }
}

void write_unknown(pugi::xml_node& jingle, const UnknownInfo& unknown) {
  if (unknown.name.empty()) return;
  auto node = jingle.append_child(unknown.name.c_str());
  add_attribute(node, "xmlns", unknown.ns);
}

template <typename T>
void write_offer(pugi::xml_node& jingle, const T& offer) {
  for (const auto& content : offer.contents) write_content(jingle, content, true);
  for (const auto& group : offer.groups) write_group(jingle, group);
  if (offer.isfocus) write_isfocus(jingle, *offer.isfocus);
}

struct PayloadWriter {
  pugi::xml_node jingle;

  void operator()(const SessionInitiate& initiate) {
    if (!initiate.initiator.empty()) add_attribute(jingle, "initiator", initiate.initiator);
    write_offer(jingle, initiate);
  }
  void operator()(const SessionAccept& accept) {
    if (!accept.responder.empty()) add_attribute(jingle, "responder", accept.responder);
    write_offer(jingle, accept);
  }
  void operator()(const SessionTerminate& terminate) {
    if (terminate.reason != no_reason()) write_reason(jingle, terminate.reason);
  }
  void operator()(const SessionInfo& info) {
    if (const auto* rtp = std::get_if<RtpInfo>(&info.payload)) write(jingle, *rtp);
    if (const auto* focus = std::get_if<FocusInfo>(&info.payload)) {
      write_isfocus(jingle, focus->isfocus);
    }
    if (const auto* unknown = std::get_if<UnknownInfo>(&info.payload)) {
      write_unknown(jingle, *unknown);
    }
  }
  void operator()(const TransportInfo& info) {
    for (const auto& content : info.contents) write_content(jingle, content, false);
    if (info.unknown) write_unknown(jingle, *info.unknown);
  }
  void operator()(const ContentAction& action) {
    const bool offer = action.action == Action::content_add ||
                       action.action == Action::content_accept ||
                       action.action == Action::content_modify;
    for (const auto& content : action.contents) write_content(jingle, content, offer);
    if (action.reason) write_reason(jingle, *action.reason);
    for (const auto& group : action.groups) write_group(jingle, group);
    if (action.unknown) write_unknown(jingle, *action.unknown);
  }
  void operator()(const SecurityInfo&) {}
};

}  // namespace

std::string_view to_string(Action action) { return word_of(kActions, action); }

Action action_of(const Payload& payload) {
  struct Visitor {
    Action operator()(const SessionInitiate&) { return Action::session_initiate; }
    Action operator()(const SessionAccept&) { return Action::session_accept; }
    Action operator()(const SessionTerminate&) { return Action::session_terminate; }
    Action operator()(const SessionInfo&) { return Action::session_info; }
    Action operator()(const TransportInfo&) { return Action::transport_info; }
    Action operator()(const ContentAction& action) { return action.action; }
    Action operator()(const SecurityInfo&) { return Action::security_info; }
  };
  return std::visit(Visitor{}, payload);
}

Result<Request> parse_jingle(const pugi::xml_node& jingle) {
  AttributeReader read(jingle);
  if (!is(jingle, ns::kJingle, "jingle")) return tl::unexpected(bad_request("no jingle element"));
  const auto action = read.word("action", kActions);
  Request out;
  out.sid.value = read.required("sid");
  if (out.sid.value.size() > limits::kMaxSidBytes) read.fail("sid", "too long");
  if (!read.ok()) return read.error();
  auto payload = parse_payload(jingle, action);
  if (!payload) return tl::unexpected(std::move(payload.error()));
  out.payload = std::move(*payload);
  return out;
}

std::string write_jingle(const Request& request) {
  Xml xml;
  auto jingle = add_child(xml.document(), "jingle", ns::kJingle);
  add_attribute(jingle, "action", to_string(action_of(request.payload)));
  add_attribute(jingle, "sid", request.sid.value);
  std::visit(PayloadWriter{jingle}, request.payload);
  return xml.str();
}

}  // namespace jingle
