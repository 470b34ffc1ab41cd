#include "mixer/negotiation_parts.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "mixer/limits.h"
#include "mixer/reasons.h"

namespace mixer {
namespace {

std::uint32_t bitrate(const jingle::PayloadType& opus, std::uint32_t ours) {
  const auto given = opus.parameter("maxaveragebitrate");
  std::uint32_t theirs = 0;
  if (!given) return ours;
  const auto [end, error] = std::from_chars(given->data(), given->data() + given->size(), theirs);
  // RFC 7587 §6.1: 6000 to 510000; anything else says nothing.
  if (error != std::errc{} || theirs < 6000 || theirs > 510000) return ours;
  return std::min(ours, theirs);
}

struct Strength {
  std::string_view hash;
  std::size_t bytes;
};
constexpr std::array<Strength, 3> kHashes{{{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}}};

bool usable_hash(const jingle::Fingerprint& fingerprint) {
  return std::ranges::any_of(kHashes, [&](const Strength& known) {
    return fingerprint.hash == known.hash && fingerprint.value.size() == known.bytes * 3 - 1;
  });
}

bool is_ip_address(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    return text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  }
  return std::ranges::count(text, '.') == 3 &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

// The two enumerations are cast into each other above and below.
static_assert(static_cast<int>(jingle::CandidateType::host) ==
                  static_cast<int>(media::CandidateType::host) &&
              static_cast<int>(jingle::CandidateType::prflx) ==
                  static_cast<int>(media::CandidateType::prflx) &&
              static_cast<int>(jingle::CandidateType::relay) ==
                  static_cast<int>(media::CandidateType::relay) &&
              static_cast<int>(jingle::CandidateType::srflx) ==
                  static_cast<int>(media::CandidateType::srflx));

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool is_opus(const jingle::PayloadType& type) {
  return same_name(type.name, "opus") && type.clockrate.value_or(48000) == 48000 &&
         type.channels.value_or(1) <= 2;
}

void read_opus(const jingle::PayloadType& opus, std::uint32_t max_bitrate_bps,
               media::RtpParameters& rtp) {
  rtp.opus_payload_type = static_cast<std::uint8_t>(opus.id);
  rtp.use_dtx = opus.parameter("usedtx") == "1";
  rtp.use_fec = opus.parameter("useinbandfec") == "1";
  rtp.max_bitrate_bps = bitrate(opus, max_bitrate_bps);
}

tl::expected<jingle::Fingerprint, jingle::Reason> choose_fingerprint(
    const jingle::IceUdpTransport& theirs) {
  if (theirs.fingerprints.empty()) return tl::unexpected(reasons::crypto_required());
  const auto chosen = std::ranges::find_if(theirs.fingerprints, usable_hash);
  if (chosen == theirs.fingerprints.end()) {
    return tl::unexpected(reasons::invalid_crypto("A fingerprint of SHA-256 or better is needed."));
  }
  return *chosen;
}

void read_ice(const jingle::IceUdpTransport& theirs, Agreement& agreed) {
  agreed.remote.ice = {theirs.ufrag, theirs.pwd};
  agreed.has_credentials = !theirs.ufrag.empty() && !theirs.pwd.empty();
  agreed.remote.candidates = usable(theirs.candidates, agreed.remote.rtp.rtcp_mux);
  if (agreed.remote.candidates.size() > limits::kMaxRemoteCandidates) {
    agreed.remote.candidates.resize(limits::kMaxRemoteCandidates);
  }
}

jingle::IceUdpTransport local_transport(const LocalMedia& local, jingle::Setup setup) {
  jingle::IceUdpTransport transport;
  transport.ufrag = local.ice.ufrag;
  transport.pwd = local.ice.pwd;
  transport.fingerprints = {{local.fingerprint.hash, local.fingerprint.value, setup}};
  return transport;
}

void add_candidates(const std::vector<media::IceCandidate>& candidates, int first_id,
                    jingle::IceUdpTransport& transport) {
  for (const media::IceCandidate& ours : candidates) {
    jingle::Candidate candidate;
    candidate.component = ours.component;
    candidate.foundation = ours.foundation;
    candidate.id = "c" + std::to_string(first_id++);
    candidate.ip = ours.ip;
    candidate.port = ours.port;
    candidate.priority = ours.priority;
    candidate.type = static_cast<jingle::CandidateType>(ours.type);
    if (!ours.rel_addr.empty()) {
      candidate.rel_addr = ours.rel_addr;
      candidate.rel_port = ours.rel_port;
    }
    candidate.network = 0;
    transport.candidates.push_back(std::move(candidate));
  }
}

jingle::Source local_source(const LocalMedia& local, const std::string& token) {
  return {local.ssrc, {{"cname", token}, {"msid", "mix-" + token + " audio-" + token}}};
}

std::vector<media::IceCandidate> usable(const std::vector<jingle::Candidate>& candidates,
                                        bool rtcp_mux) {
  const int components = rtcp_mux ? 1 : 2;
  std::vector<media::IceCandidate> out;
  for (const jingle::Candidate& theirs : candidates) {
    const bool link_local = theirs.ip.size() >= 4 && same_name(theirs.ip.substr(0, 4), "fe80");
    if (theirs.protocol != "udp" || theirs.port == 0 || theirs.component > components ||
        !is_ip_address(theirs.ip) || link_local) {
      continue;
    }
    out.push_back({.component = theirs.component,
                   .foundation = theirs.foundation,
                   .ip = theirs.ip,
                   .port = theirs.port,
                   .priority = theirs.priority,
                   .type = static_cast<media::CandidateType>(theirs.type),
                   .rel_addr = theirs.rel_addr.value_or(""),
                   .rel_port = theirs.rel_port.value_or(0)});
  }
  return out;
}

}  // namespace mixer
