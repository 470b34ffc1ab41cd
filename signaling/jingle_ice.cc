#include "signaling/jingle_ice.h"

#include <algorithm>
#include <limits>
#include <pugixml.hpp>
#include <string_view>

#include "signaling/attributes.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"
#include "signaling/stanza.h"

namespace jingle {
namespace {

constexpr Words<CandidateType, 4> kCandidateTypes{{
    {"host", CandidateType::host},
    {"prflx", CandidateType::prflx},
    {"relay", CandidateType::relay},
    {"srflx", CandidateType::srflx},
}};

constexpr Words<Setup, 4> kSetups{{
    {"active", Setup::active},
    {"passive", Setup::passive},
    {"actpass", Setup::actpass},
    {"holdconn", Setup::holdconn},
}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), lower);
  return text;
}

// XEP-0176 §5.4 knows udp only; what others offer besides is not an error.
bool is_udp(const pugi::xml_node& candidate) {
  const auto protocol = candidate.attribute("protocol");
  return !protocol || lower_case(protocol.value()) == "udp";
}

// RFC 8445 §5.1.2 has 32 bits; more, all of them digits (XEP-0176's own example), is of no use but
// no reason to refuse the others.
bool overflows(const pugi::xml_node& candidate) {
  const std::string_view priority = candidate.attribute("priority").value();
  return !priority.empty() && priority.find_first_not_of("0123456789") == priority.npos &&
         !parse_unsigned(priority);
}

Result<Candidate> parse_candidate(const pugi::xml_node& node, std::size_t index) {
  AttributeReader read(node);
  Candidate out;
  out.component = static_cast<int>(read.number("component", 1, 256));
  out.foundation = read.has("foundation") ? read.optional("foundation") : "0";
  out.generation = static_cast<int>(read.optional_number("generation", 255).value_or(0));
  out.id = read.has("id") ? read.optional("id") : "c" + std::to_string(index);
  out.ip = read.required("ip");
  if (out.ip.size() > limits::kMaxAddressBytes) read.fail("ip", "too long");
  out.port = static_cast<std::uint16_t>(read.number("port", 0, 65535));
  out.priority = read.number("priority", 1, std::numeric_limits<std::uint32_t>::max());
  out.type = read.word("type", kCandidateTypes);
  if (read.has("rel-addr")) out.rel_addr = read.optional("rel-addr");
  if (const auto port = read.optional_number("rel-port", 65535)) {
    out.rel_port = static_cast<std::uint16_t>(*port);
  }
  if (const auto network = read.optional_number("network", 65535)) {
    out.network = static_cast<int>(*network);
  }
  if (!read.ok()) return read.error();
  return out;
}

// Hex pairs with colons, in whatever case and with whatever white space; "" for anything else.
std::string normal_fingerprint(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') out += upper(c);
  }
  if (out.size() > limits::kMaxFingerprintBytes || out.size() % 3 != 2) return {};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char c = out[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
    if (i % 3 == 2 ? c != ':' : !hex) return {};
  }
  return out;
}

Result<Fingerprint> parse_fingerprint(const pugi::xml_node& node) {
  AttributeReader read(node);
  Fingerprint out;
  out.hash = lower_case(read.required("hash"));
  out.setup = read.word("setup", kSetups);
  out.value = normal_fingerprint(text_of(node));
  if (!read.ok()) return read.error();
  if (out.value.empty()) return tl::unexpected(bad_request("fingerprint: not hex pairs"));
  return out;
}

std::optional<StanzaError> parse_child(const pugi::xml_node& node, std::size_t& seen,
                                       IceUdpTransport& out) {
  if (is(node, ns::kIceUdp, "candidate")) {
    if (++seen > limits::kMaxCandidates) return bad_request("too many candidates");
    if (!is_udp(node) || overflows(node)) return std::nullopt;
    auto candidate = parse_candidate(node, seen);
    if (!candidate) return candidate.error();
    out.candidates.push_back(std::move(*candidate));
  } else if (is(node, ns::kDtls, "fingerprint")) {
    if (out.fingerprints.size() >= limits::kMaxFingerprints) {
      return bad_request("too many fingerprints");
    }
    auto fingerprint = parse_fingerprint(node);
    if (!fingerprint) return fingerprint.error();
    out.fingerprints.push_back(std::move(*fingerprint));
  } else {
    // By name alone: XEP-0371 and Jitsi put theirs into more than one namespace.
    const auto name = local_name(node);
    out.remote_candidate |= name == "remote-candidate";
    out.gathering_complete |= name == "gathering-complete";
    out.rtcp_mux |= name == "rtcp-mux";
  }
  return std::nullopt;
}

void write_candidate(pugi::xml_node& transport, const Candidate& candidate) {
  auto node = add_child(transport, "candidate");
  add_attribute(node, "component", static_cast<std::uint32_t>(candidate.component));
  add_attribute(node, "foundation", candidate.foundation);
  add_attribute(node, "generation", static_cast<std::uint32_t>(candidate.generation));
  add_attribute(node, "id", candidate.id);
  add_attribute(node, "ip", candidate.ip);
  if (candidate.network) {
    add_attribute(node, "network", static_cast<std::uint32_t>(*candidate.network));
  }
  add_attribute(node, "port", candidate.port);
  add_attribute(node, "priority", candidate.priority);
  add_attribute(node, "protocol", candidate.protocol);
  if (candidate.rel_addr) add_attribute(node, "rel-addr", *candidate.rel_addr);
  if (candidate.rel_port) add_attribute(node, "rel-port", *candidate.rel_port);
  add_attribute(node, "type", to_string(candidate.type));
}

}  // namespace

std::string_view to_string(CandidateType type) { return word_of(kCandidateTypes, type); }
std::string_view to_string(Setup setup) { return word_of(kSetups, setup); }

Result<IceUdpTransport> parse_ice_udp(const pugi::xml_node& transport) {
  AttributeReader read(transport);
  IceUdpTransport out;
  out.ufrag = read.optional("ufrag");
  out.pwd = read.optional("pwd");
  // RFC 8445 §5.3: at most 256 characters each.
  if (out.ufrag.size() > limits::kMaxIceCredential) read.fail("ufrag", "too long");
  if (out.pwd.size() > limits::kMaxIceCredential) read.fail("pwd", "too long");
  if (!read.ok()) return read.error();
  std::size_t seen = 0;
  for (const auto& node : transport.children()) {
    if (node.type() != pugi::node_element) continue;
    if (auto error = parse_child(node, seen, out)) return tl::unexpected(std::move(*error));
  }
  return out;
}

void write(pugi::xml_node& content, const IceUdpTransport& transport) {
  auto node = add_child(content, "transport", ns::kIceUdp);
  if (!transport.ufrag.empty()) add_attribute(node, "ufrag", transport.ufrag);
  if (!transport.pwd.empty()) add_attribute(node, "pwd", transport.pwd);
  for (const auto& fingerprint : transport.fingerprints) {
    auto element = add_child(node, "fingerprint", ns::kDtls);
    add_attribute(element, "hash", fingerprint.hash);
    add_attribute(element, "setup", to_string(fingerprint.setup));
    element.append_child(pugi::node_pcdata).set_value(fingerprint.value.c_str());
  }
  for (const auto& candidate : transport.candidates) write_candidate(node, candidate);
  if (transport.rtcp_mux) add_child(node, "rtcp-mux");
  if (transport.gathering_complete) add_child(node, "gathering-complete");
}

}  // namespace jingle
