#include "mixer/negotiation_parts.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "mixer/limits.h"
#include "mixer/reasons.h"

namespace mixer {
namespace {

// RFC 7587 §6.1: anything else says nothing.
constexpr std::uint32_t kLeastBitrate_bps = 6000, kMostBitrate_bps = 510000;
constexpr std::uint32_t kLeastPacket_ms = 3, kMostPacket_ms = 120;
constexpr std::uint32_t kLeastRate_hz = 8000, kMostRate_hz = 48000;

std::optional<std::uint32_t> number(const jingle::PayloadType& type, std::string_view name,
                                    std::uint32_t least, std::uint32_t most) {
  const auto given = type.parameter(name);
  std::uint32_t value = 0;
  if (!given) return std::nullopt;
  const auto [end, error] = std::from_chars(given->data(), given->data() + given->size(), value);
  if (error != std::errc{} || value < least || value > most) return std::nullopt;
  return value;
}

// What is left for Opus (RFC 3890 §3): packets of 20 ms have IPv4, UDP and RTP headers, and 16
// bytes of SRTP's tag.
std::optional<std::uint32_t> bitrate(const jingle::Bandwidth& bandwidth) {
  constexpr std::uint64_t kHeaders_bps = 50 * 8 * (20 + 8 + 12 + 16);
  std::uint64_t bps = 0;
  if (same_name(bandwidth.type, "TIAS")) {
    bps = bandwidth.value;
  } else if (same_name(bandwidth.type, "AS")) {
    const std::uint64_t all = std::uint64_t{1000} * bandwidth.value;
    bps = all > kHeaders_bps ? all - kHeaders_bps : 0;
  } else {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(bps, kLeastBitrate_bps, kMostBitrate_bps));
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

void read_opus(const jingle::RtpDescription& description, const jingle::PayloadType& opus,
               std::uint32_t max_bitrate_bps, media::RtpParameters& rtp) {
  rtp.opus_payload_type = static_cast<std::uint8_t>(opus.id);
  rtp.use_dtx = opus.parameter("usedtx") == "1";
  rtp.use_fec = opus.parameter("useinbandfec") == "1";
  rtp.max_bitrate_bps =
      wanted_bitrate(description, opus.id, max_bitrate_bps).value_or(max_bitrate_bps);
  rtp.max_playback_rate_hz =
      number(opus, "maxplaybackrate", kLeastRate_hz, kMostRate_hz).value_or(kMostRate_hz);
  rtp.constant_bitrate = opus.parameter("cbr") == "1";
  rtp.stereo = opus.parameter("stereo") == "1";
  rtp.packet_ms = wanted_packet_ms(description, opus.id).value_or(rtp.packet_ms);
}

std::optional<std::uint8_t> wanted_packet_ms(const jingle::RtpDescription& description,
                                             int opus_payload_type) {
  const auto& types = description.payload_types;
  const auto opus = std::ranges::find(types, opus_payload_type, &jingle::PayloadType::id);
  if (opus == types.end()) return std::nullopt;
  const auto sane = [](std::optional<std::uint32_t> ms) {
    return ms && *ms >= kLeastPacket_ms && *ms <= kMostPacket_ms ? ms : std::nullopt;
  };
  const auto likes = sane(opus->ptime_ms), most = sane(opus->maxptime_ms);
  const auto least = number(*opus, "minptime", kLeastPacket_ms, kMostPacket_ms);
  if (!likes && !most && !least) return std::nullopt;
  const std::uint32_t wanted = std::max(likes.value_or(20), least.value_or(20));
  const std::uint32_t allowed = std::min(wanted, most.value_or(60));
  return static_cast<std::uint8_t>(std::clamp(allowed / 20 * 20, 20U, 60U));
}

std::optional<std::uint32_t> wanted_bitrate(const jingle::RtpDescription& description,
                                            int opus_payload_type, std::uint32_t max_bitrate_bps) {
  std::optional<std::uint32_t> wanted;
  const auto narrow = [&](std::optional<std::uint32_t> to) {
    if (to) wanted = std::min({*to, max_bitrate_bps, wanted.value_or(max_bitrate_bps)});
  };
  const auto& types = description.payload_types;
  const auto opus = std::ranges::find(types, opus_payload_type, &jingle::PayloadType::id);
  if (opus != types.end()) {
    narrow(number(*opus, "maxaveragebitrate", kLeastBitrate_bps, kMostBitrate_bps));
  }
  if (description.bandwidth) narrow(bitrate(*description.bandwidth));
  return wanted;
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
                    int generation, jingle::IceUdpTransport& transport) {
  for (const media::IceCandidate& ours : candidates) {
    jingle::Candidate candidate;
    candidate.component = ours.component;
    candidate.foundation = ours.foundation;
    // A byte in the schema. libwebrtc drops candidates of a lower one than it has counted, and
    // takes 0 for the present one.
    candidate.generation = generation <= 255 ? generation : 0;
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
