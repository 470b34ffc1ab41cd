#include "tests/support/jingle_generator.h"

#include <algorithm>
#include <array>
#include <optional>

namespace test_support {

using namespace jingle;  // NOLINT: this file is about nothing else

namespace {

constexpr std::array kPieces{"a",
                             "Z",
                             "0",
                             "-",
                             "_",
                             ".",
                             "<",
                             ">",
                             "&",
                             "\"",
                             "'",
                             " ",
                             "\n",
                             "\t",
                             "\r",
                             "=",
                             ":",
                             "/",
                             "]]>",
                             ";",
                             "\xC3\xA4",
                             "\xE2\x82\xAC",
                             "\xF0\x9F\x8E\xA4",
                             "%"};

constexpr std::array kConditions{"alternative-session",
                                 "busy",
                                 "cancel",
                                 "connectivity-error",
                                 "decline",
                                 "expired",
                                 "failed-application",
                                 "failed-transport",
                                 "general-error",
                                 "gone",
                                 "incompatible-parameters",
                                 "media-error",
                                 "security-error",
                                 "success",
                                 "timeout",
                                 "unsupported-applications",
                                 "unsupported-transports"};

}  // namespace

std::string JingleGenerator::ncname() {
  std::string out(1, static_cast<char>('a' + below(26)));
  for (unsigned i = below(10); i > 0; --i) out += kPieces[below(6)];
  return out;
}

std::string JingleGenerator::word(bool strict) {
  if (strict || chance(50)) return ncname();
  std::string out;
  for (unsigned i = 1 + below(8); i > 0; --i) out += kPieces[below(kPieces.size())];
  return out;
}

std::vector<std::pair<std::string, std::string>> JingleGenerator::parameters(bool strict) {
  std::vector<std::pair<std::string, std::string>> out;
  for (unsigned i = below(4); i > 0; --i) {
    out.emplace_back(chance(10) ? "" : word(strict), chance(20) ? "" : word(strict));
  }
  return out;
}

PayloadType JingleGenerator::payload_type(bool strict) {
  PayloadType out;
  out.id = static_cast<int>(below(128));
  if (chance(80)) out.name = word(strict);
  if (chance(70)) out.clockrate = static_cast<std::uint32_t>(random_());
  if (chance(30)) out.ptime_ms = below(200);
  if (chance(30)) out.maxptime_ms = below(200);
  if (chance(50)) out.channels = static_cast<int>(below(256));
  out.parameters = parameters(strict);
  for (unsigned i = below(3); i > 0; --i) {
    out.rtcp_fb.push_back(chance(50) ? ncname() : ncname() + " " + word(strict));
  }
  return out;
}

RtpDescription JingleGenerator::description(bool strict) {
  RtpDescription out;
  out.media = chance(80) ? "audio" : word(strict);
  if (chance(30)) out.ssrc = static_cast<std::uint32_t>(random_());
  for (unsigned i = below(5); i > 0; --i) out.payload_types.push_back(payload_type(strict));
  out.rtcp_mux = chance(50);
  out.encryption = chance(20);
  out.encryption_required = out.encryption && chance(50);
  if (chance(20)) out.bandwidth = {word(strict), static_cast<std::uint32_t>(random_())};
  for (unsigned i = below(3); i > 0; --i) {
    static constexpr std::array kSenders{"both", "initiator", "none", "responder"};
    out.header_extensions.push_back(
        {static_cast<int>(below(4352)), word(strict), kSenders[below(4)]});
  }
  for (unsigned i = below(3); i > 0; --i) {
    out.sources.push_back({static_cast<std::uint32_t>(random_()), parameters(strict)});
  }
  return out;
}

Candidate JingleGenerator::candidate(bool strict) {
  Candidate out;
  out.component = static_cast<int>(1 + below(strict ? 2 : 256));
  out.foundation = word(strict);
  out.generation = static_cast<int>(below(256));
  out.id = word(strict);
  out.ip = chance(50) ? "192.0.2.1" : chance(50) ? "2001:db8::1" : word(strict);
  out.port = static_cast<std::uint16_t>(below(65536));
  out.priority = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(random_()));
  out.type = static_cast<CandidateType>(below(4));
  if (chance(40)) out.rel_addr = chance(10) ? "" : word(strict);
  if (chance(40)) out.rel_port = static_cast<std::uint16_t>(below(65536));
  if (chance(50)) out.network = static_cast<int>(below(strict ? 256 : 65536));
  return out;
}

Fingerprint JingleGenerator::fingerprint() {
  Fingerprint out{"sha-256", "", static_cast<Setup>(below(4))};
  for (unsigned i = 0; i < 32; ++i) {
    constexpr char kHex[] = "0123456789ABCDEF";
    if (i > 0) out.value += ':';
    out.value += kHex[below(16)];
    out.value += kHex[below(16)];
  }
  return out;
}

IceUdpTransport JingleGenerator::transport(bool strict) {
  IceUdpTransport out;
  if (chance(80)) out.ufrag = word(strict);
  if (chance(80)) out.pwd = word(strict);
  for (unsigned i = below(4); i > 0; --i) out.candidates.push_back(candidate(strict));
  for (unsigned i = below(3); i > 0; --i) out.fingerprints.push_back(fingerprint());
  // In the transport's namespace, though its schema has neither.
  out.gathering_complete = !strict && chance(20);
  out.rtcp_mux = !strict && chance(20);
  return out;
}

Content JingleGenerator::content(bool strict, unsigned index) {
  Content out;
  out.creator = static_cast<Creator>(below(2));
  out.name = std::to_string(index) + word(strict);
  out.senders = static_cast<Senders>(below(4));
  if (chance(20)) out.disposition = word(strict);
  if (chance(80)) {
    out.description = description(strict);
  } else if (chance(50)) {
    out.description = Unsupported{chance(10) && !strict ? "" : "urn:" + word(strict)};
  }
  if (chance(80)) {
    out.transport = transport(strict);
  } else if (chance(50)) {
    out.transport = Unsupported{"urn:" + word(strict)};
  }
  return out;
}

std::vector<Content> JingleGenerator::contents(bool strict, unsigned least) {
  std::vector<Content> out;
  for (unsigned i = 0, n = least + below(3); i < n; ++i) out.push_back(content(strict, i));
  return out;
}

std::vector<Group> JingleGenerator::groups(const std::vector<Content>& contents) {
  std::vector<Group> out;
  for (unsigned i = below(2); i > 0; --i) {
    Group group{"BUNDLE", {}};
    for (const auto& content : contents) {
      if (chance(80)) group.names.push_back(content.name);
    }
    out.push_back(std::move(group));
  }
  return out;
}

Reason JingleGenerator::reason(bool strict) {
  Reason out{kConditions[below(kConditions.size())], "", "", ""};
  if (chance(40)) out.text = word(strict);
  if (out.condition == "alternative-session" && chance(80)) out.alternative_sid = ncname();
  if (chance(20)) out.rtp_error = chance(50) ? "crypto-required" : "invalid-crypto";
  if (!strict && out.alternative_sid.empty() && chance(10)) out.condition = ncname();
  return out;
}

SessionInfo JingleGenerator::session_info(bool strict) {
  const auto creator = [this] { return std::string(chance(50) ? "initiator" : "responder"); };
  const auto name = [this, strict] { return chance(50) ? std::string() : word(strict); };
  switch (below(strict ? 8 : 9)) {
    case 0: return {Ping{}};
    case 1: return {RtpInfo(Active{})};
    case 2: return {RtpInfo(Hold{})};
    case 3: return {RtpInfo(Unhold{})};
    case 4: return {RtpInfo(Ringing{})};
    case 5: return {RtpInfo(Mute{creator(), name()})};
    case 6: return {RtpInfo(Unmute{creator(), name()})};
    case 7: return {FocusInfo{chance(50)}};
    default: return {UnknownInfo{"urn:" + word(false), ncname()}};
  }
}

Payload JingleGenerator::payload(bool strict) {
  static constexpr std::array kContentActions{
      Action::content_accept,   Action::content_add,      Action::content_modify,
      Action::content_reject,   Action::content_remove,   Action::description_info,
      Action::transport_accept, Action::transport_reject, Action::transport_replace};
  switch (below(8)) {
    case 0: {
      SessionInitiate out;
      if (chance(50)) out.initiator = word(strict);
      out.contents = contents(strict, 1);
      out.contents[0].disposition = "session";
      out.groups = groups(out.contents);
      if (chance(50)) out.isfocus = chance(50);
      return out;
    }
    case 1: {
      SessionAccept out;
      if (chance(50)) out.responder = word(strict);
      out.contents = contents(strict, 1);
      out.groups = groups(out.contents);
      if (chance(50)) out.isfocus = chance(50);
      return out;
    }
    case 2: {
      SessionTerminate out;
      out.reason = reason(strict);
      if (!strict && chance(20)) out.reason = Reason{"", "", "", ""};
      return out;
    }
    case 3: return session_info(strict);
    case 4: {
      TransportInfo out;
      out.contents = contents(strict, strict ? 1 : 0);
      if (!strict && out.contents.empty()) out.unknown = UnknownInfo{"urn:" + ncname(), ncname()};
      return out;
    }
    case 5: return SecurityInfo{};
    default: {
      ContentAction out;
      out.action = kContentActions[below(kContentActions.size())];
      out.contents = contents(strict, 1);
      out.groups = groups(out.contents);
      if (chance(50)) out.reason = reason(strict);
      return out;
    }
  }
}

Request JingleGenerator::valid() { return {Sid{ncname()}, payload(true)}; }
Request JingleGenerator::tolerated() { return {Sid{word(false)}, payload(false)}; }

}  // namespace test_support
