#include "signaling/jingle_rtp.h"

#include <array>
#include <limits>
#include <pugixml.hpp>
#include <string_view>

#include "signaling/attributes.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"
#include "signaling/stanza.h"

namespace jingle {
namespace {

constexpr std::uint32_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();
using Error = std::optional<StanzaError>;
using Parameters = std::vector<std::pair<std::string, std::string>>;

// One <parameter/>, of a payload type or of a source. stanza.js writes some without a value.
Error parse_parameter(const pugi::xml_node& node, Parameters& out) {
  if (out.size() >= limits::kMaxParameters) return bad_request("too many parameters");
  // WebRTC clients write fmtp lines that are no pairs under the name "".
  if (!node.attribute("name")) return bad_request("parameter/@name: missing");
  out.emplace_back(node.attribute("name").value(), node.attribute("value").value());
  return std::nullopt;
}

void write_parameters(pugi::xml_node& parent, const Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    auto node = add_child(parent, "parameter");
    add_attribute(node, "name", name);
    add_attribute(node, "value", value);
  }
}

Error parse_feedback(const pugi::xml_node& node, std::vector<std::string>& out) {
  if (out.size() >= limits::kMaxParameters) return bad_request("too many rtcp-fb");
  AttributeReader read(node);
  std::string feedback = read.required("type");
  // The first space divides type and subtype in our form: none may stand at the type's ends.
  feedback.erase(feedback.find_last_not_of(' ') + 1);
  feedback.erase(0, feedback.find_first_not_of(' '));
  if (feedback.empty()) read.fail("type", "missing");
  if (!read.ok()) return read.error().value();
  if (const auto subtype = read.optional("subtype"); !subtype.empty()) feedback += ' ' + subtype;
  out.push_back(std::move(feedback));
  return std::nullopt;
}

void write_feedback(pugi::xml_node& payload_type, const std::string& feedback) {
  auto node = add_child(payload_type, "rtcp-fb", ns::kRtcpFb);
  const auto space = feedback.find(' ');
  add_attribute(node, "type", std::string_view(feedback).substr(0, space));
  if (space != std::string::npos) {
    add_attribute(node, "subtype", std::string_view(feedback).substr(space + 1));
  }
}

Error parse_payload_type(const pugi::xml_node& node, RtpDescription& description) {
  if (description.payload_types.size() >= limits::kMaxPayloadTypes) {
    return bad_request("too many payload types");
  }
  AttributeReader read(node);
  PayloadType out;
  out.id = static_cast<int>(read.number("id", 0, 127));
  out.name = read.optional("name");
  out.clockrate = read.optional_number("clockrate", kMaxU32);
  out.ptime_ms = read.optional_number("ptime", kMaxU32);
  out.maxptime_ms = read.optional_number("maxptime", kMaxU32);
  // libpurple writes 0 for "not said".
  if (const auto channels = read.optional_number("channels", 255)) {
    out.channels = static_cast<int>(*channels);
  }
  if (!read.ok()) return read.error().value();
  for (const auto& child : node.children()) {
    Error error;
    if (is(child, ns::kRtp, "parameter")) error = parse_parameter(child, out.parameters);
    if (is(child, ns::kRtcpFb, "rtcp-fb")) error = parse_feedback(child, out.rtcp_fb);
    if (error) return error;
  }
  description.payload_types.push_back(std::move(out));
  return std::nullopt;
}

void write_payload_type(pugi::xml_node& description, const PayloadType& payload_type) {
  auto node = add_child(description, "payload-type");
  if (payload_type.channels) {
    add_attribute(node, "channels", static_cast<std::uint32_t>(*payload_type.channels));
  }
  if (payload_type.clockrate) add_attribute(node, "clockrate", *payload_type.clockrate);
  add_attribute(node, "id", static_cast<std::uint32_t>(payload_type.id));
  if (payload_type.maxptime_ms) add_attribute(node, "maxptime", *payload_type.maxptime_ms);
  if (!payload_type.name.empty()) add_attribute(node, "name", payload_type.name);
  if (payload_type.ptime_ms) add_attribute(node, "ptime", *payload_type.ptime_ms);
  write_parameters(node, payload_type.parameters);
  for (const auto& feedback : payload_type.rtcp_fb) write_feedback(node, feedback);
}

// XEP-0294 §3: who sends the extension; kept as its word, as the header of this file has it.
constexpr Words<std::string_view, 4> kExtensionSenders{{
    {"both", "both"},
    {"initiator", "initiator"},
    {"none", "none"},
    {"responder", "responder"},
}};

Error parse_header_extension(const pugi::xml_node& node, RtpDescription& description) {
  if (description.header_extensions.size() >= limits::kMaxHeaderExtensions) {
    return bad_request("too many header extensions");
  }
  AttributeReader read(node);
  HeaderExtension out;
  out.id = static_cast<int>(read.number("id", 0, 65535));
  out.uri = read.required("uri");
  out.senders = read.word("senders", kExtensionSenders, std::optional<std::string_view>("both"));
  if (!read.ok()) return read.error().value();
  description.header_extensions.push_back(std::move(out));
  return std::nullopt;
}

Error parse_source(const pugi::xml_node& node, RtpDescription& description) {
  if (description.sources.size() >= limits::kMaxSources) return bad_request("too many sources");
  AttributeReader read(node);
  Source out;
  out.ssrc = read.number("ssrc", 0, kMaxU32);
  if (!read.ok()) return read.error().value();
  for (const auto& child : node.children()) {
    if (!is(child, ns::kSsma, "parameter")) continue;
    if (auto error = parse_parameter(child, out.parameters)) return error;
  }
  description.sources.push_back(std::move(out));
  return std::nullopt;
}

Error parse_encryption(const pugi::xml_node& node, RtpDescription& description) {
  description.encryption = true;
  if (const auto required = node.attribute("required")) {
    const auto value = parse_bool(required.value());
    if (!value) return bad_request("encryption/@required: not a boolean");
    description.encryption_required = *value;
  }
  return std::nullopt;
}

Error parse_bandwidth(const pugi::xml_node& node, RtpDescription& description) {
  AttributeReader read(node);
  Bandwidth out{read.required("type")};
  if (!read.ok()) return read.error().value();
  // Any string by the schema. What is no number, such as a fraction, says nothing.
  const auto value = parse_unsigned(text_of(node));
  if (!value) return std::nullopt;
  out.value = *value;
  description.bandwidth = std::move(out);
  return std::nullopt;
}

Error parse_child(const pugi::xml_node& node, RtpDescription& out) {
  if (is(node, ns::kRtp, "payload-type")) return parse_payload_type(node, out);
  if (is(node, ns::kHdrext, "rtp-hdrext")) return parse_header_extension(node, out);
  if (is(node, ns::kSsma, "source")) return parse_source(node, out);
  if (is(node, ns::kRtp, "encryption")) return parse_encryption(node, out);
  if (is(node, ns::kRtp, "bandwidth")) return parse_bandwidth(node, out);
  if (is(node, ns::kRtp, "rtcp-mux")) out.rtcp_mux = true;
  return std::nullopt;
}

// The six of XEP-0167 §8, by their position in RtpInfo.
constexpr std::array<const char*, 6> kInfoNames{"active",  "hold", "unhold",
                                                "ringing", "mute", "unmute"};

template <typename T>
Result<RtpInfo> parse_mute(const pugi::xml_node& info) {
  AttributeReader read(info);
  T out;
  out.creator = read.required("creator");
  out.name = read.optional("name");
  if (out.creator != "initiator" && out.creator != "responder") read.fail("creator", "unknown");
  if (!read.ok()) return read.error();
  return RtpInfo(std::move(out));
}

}  // namespace

std::optional<std::string> PayloadType::parameter(std::string_view wanted) const {
  for (const auto& [name, value] : parameters) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

Result<RtpDescription> parse_rtp_description(const pugi::xml_node& description) {
  AttributeReader read(description);
  RtpDescription out;
  out.media = read.required("media");
  out.ssrc = read.optional_number("ssrc", kMaxU32);
  if (!read.ok()) return read.error();
  for (const auto& node : description.children()) {
    if (auto error = parse_child(node, out)) return tl::unexpected(std::move(*error));
  }
  return out;
}

void write(pugi::xml_node& content, const RtpDescription& description) {
  auto node = add_child(content, "description", ns::kRtp);
  add_attribute(node, "media", description.media);
  if (description.ssrc) add_attribute(node, "ssrc", *description.ssrc);
  for (const auto& payload_type : description.payload_types) write_payload_type(node, payload_type);
  if (description.rtcp_mux) add_child(node, "rtcp-mux");
  if (description.encryption) {
    auto encryption = add_child(node, "encryption");
    if (description.encryption_required) add_attribute(encryption, "required", "true");
  }
  if (description.bandwidth) {
    auto bandwidth = add_child(node, "bandwidth");
    add_attribute(bandwidth, "type", description.bandwidth->type);
    bandwidth.append_child(pugi::node_pcdata)
        .set_value(std::to_string(description.bandwidth->value).c_str());
  }
  for (const auto& extension : description.header_extensions) {
    auto element = add_child(node, "rtp-hdrext", ns::kHdrext);
    add_attribute(element, "id", static_cast<std::uint32_t>(extension.id));
    add_attribute(element, "uri", extension.uri);
    if (extension.senders != "both") add_attribute(element, "senders", extension.senders);
  }
  for (const auto& source : description.sources) {
    auto element = add_child(node, "source", ns::kSsma);
    add_attribute(element, "ssrc", source.ssrc);
    write_parameters(element, source.parameters);
  }
}

Result<RtpInfo> parse_rtp_info(const pugi::xml_node& info) {
  if (effective_ns(info) == ns::kRtpInfo) {
    const auto name = local_name(info);
    if (name == "active") return RtpInfo(Active{});
    if (name == "hold") return RtpInfo(Hold{});
    if (name == "unhold") return RtpInfo(Unhold{});
    if (name == "ringing") return RtpInfo(Ringing{});
    if (name == "mute") return parse_mute<Mute>(info);
    if (name == "unmute") return parse_mute<Unmute>(info);
  }
  return tl::unexpected(unsupported_info());
}

void write(pugi::xml_node& jingle, const RtpInfo& info) {
  auto node = add_child(jingle, kInfoNames[info.index()], ns::kRtpInfo);
  const auto write_mute = [&node](const std::string& creator, const std::string& name) {
    add_attribute(node, "creator", creator);
    if (!name.empty()) add_attribute(node, "name", name);
  };
  if (const auto* mute = std::get_if<Mute>(&info)) write_mute(mute->creator, mute->name);
  if (const auto* unmute = std::get_if<Unmute>(&info)) write_mute(unmute->creator, unmute->name);
}

}  // namespace jingle
