// signaling/jingle_ice.h: the ICE-UDP transport (XEP-0176 §5) and DTLS-SRTP fingerprints (XEP-0320
// §2). Values and their codec; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "signaling/stanza_error.h"

namespace jingle {

enum class CandidateType { host, prflx, relay, srflx };

struct Candidate {
  int component = 1;  // 1 RTP, 2 RTCP
  std::string foundation;
  int generation = 0;
  std::string id;
  std::string ip;
  std::uint16_t port = 0;
  std::uint32_t priority = 0;
  std::string protocol = "udp";
  CandidateType type = CandidateType::host;
  std::optional<std::string> rel_addr;
  std::optional<std::uint16_t> rel_port;
  std::optional<int> network;
  bool operator==(const Candidate&) const = default;
};

enum class Setup { active, passive, actpass, holdconn };

struct Fingerprint {
  std::string hash;   // "sha-256", lower case
  std::string value;  // upper-case hex pairs with colons
  Setup setup = Setup::actpass;
  bool operator==(const Fingerprint&) const = default;
};

struct IceUdpTransport {
  std::string ufrag, pwd;  // empty: not given (stanza.js trickles ufrag alone, Movim neither)
  std::vector<Candidate> candidates;
  std::vector<Fingerprint> fingerprints;
  bool remote_candidate = false;    // §5.7: the initiator's report; never written
  bool gathering_complete = false;  // XEP-0371, from stanza.js
  bool rtcp_mux = false;            // Jitsi looks for it here
  bool operator==(const IceUdpTransport&) const = default;
};

// Lenient with what clients really send: candidates whose protocol is not udp or whose priority
// takes more than 32 bits are skipped, missing id, generation and network are filled in, unknown
// attributes ignored. bad-request: a candidate without component (1-256), ip, port or priority,
// with other numbers out of range or an unknown type; a fingerprint without hash or setup; beyond
// limits.h.
Result<IceUdpTransport> parse_ice_udp(const pugi::xml_node& transport);
void write(pugi::xml_node& content, const IceUdpTransport& transport);

std::string_view to_string(CandidateType);
std::string_view to_string(Setup);

}  // namespace jingle
