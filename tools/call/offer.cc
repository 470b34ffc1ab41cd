#include "tools/call/offer.h"

#include <algorithm>
#include <string_view>

#include "signaling/namespaces.h"

namespace call {
namespace {

jingle::CandidateType translate(media::CandidateType type) {
  switch (type) {
    case media::CandidateType::host: return jingle::CandidateType::host;
    case media::CandidateType::prflx: return jingle::CandidateType::prflx;
    case media::CandidateType::relay: return jingle::CandidateType::relay;
    case media::CandidateType::srflx: return jingle::CandidateType::srflx;
  }
  return jingle::CandidateType::host;
}

media::CandidateType translate(jingle::CandidateType type) {
  switch (type) {
    case jingle::CandidateType::host: return media::CandidateType::host;
    case jingle::CandidateType::prflx: return media::CandidateType::prflx;
    case jingle::CandidateType::relay: return media::CandidateType::relay;
    case jingle::CandidateType::srflx: return media::CandidateType::srflx;
  }
  return media::CandidateType::host;
}

jingle::Candidate translate(const media::IceCandidate& candidate) {
  jingle::Candidate out;
  out.component = candidate.component;
  out.foundation = candidate.foundation;
  out.ip = candidate.ip;
  out.port = candidate.port;
  out.priority = candidate.priority;
  out.type = translate(candidate.type);
  out.network = 0;
  // Unique in a session without keeping count: no two candidates share all of these.
  out.id = "c" + std::to_string(candidate.component) + "-" + candidate.foundation + "-" +
           std::to_string(candidate.port);
  if (!candidate.rel_addr.empty()) {
    out.rel_addr = candidate.rel_addr;
    out.rel_port = candidate.rel_port;
  }
  return out;
}

jingle::IceUdpTransport make_transport(const media::IceCredentials& credentials,
                                       const std::vector<media::IceCandidate>& candidates) {
  jingle::IceUdpTransport transport;
  transport.ufrag = credentials.ufrag;
  transport.pwd = credentials.pwd;
  for (const auto& candidate : candidates) transport.candidates.push_back(translate(candidate));
  return transport;
}

jingle::RtpDescription make_description(std::uint32_t ssrc, const OfferOptions& options) {
  jingle::PayloadType opus;
  opus.id = kOpusPayloadType;
  opus.name = "opus";
  opus.clockrate = 48000;
  opus.channels = 2;
  opus.parameters = {{"minptime", "10"}, {"useinbandfec", "1"}};
  if (options.ptime_ms != OfferOptions().ptime_ms) opus.ptime_ms = options.ptime_ms;
  if (options.stereo) opus.parameters.emplace_back("stereo", "1");
  jingle::PayloadType keys;
  keys.id = kTelephoneEvent;
  keys.name = "telephone-event";
  keys.clockrate = 48000;
  jingle::RtpDescription description;
  description.media = "audio";
  description.payload_types = {opus, keys};
  description.rtcp_mux = options.rtcp_mux;
  description.header_extensions = {{kSsrcAudioLevelId, jingle::ns::kSsrcAudioLevel},
                                   {kCsrcAudioLevelId, jingle::ns::kCsrcAudioLevel}};
  description.sources = {{ssrc, {{"cname", "jingle-call"}}}};
  return description;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

tl::unexpected<jingle::Reason> refuse(std::string condition, std::string text) {
  jingle::Reason reason;
  reason.condition = std::move(condition);
  reason.text = std::move(text);
  return tl::unexpected(std::move(reason));
}

// Extension ids of what was agreed; only what we offered counts.
void read_extensions(const jingle::RtpDescription& answer, media::RtpParameters& rtp) {
  for (const auto& extension : answer.header_extensions) {
    const auto id = static_cast<std::uint8_t>(extension.id);
    if (extension.id < 1 || extension.id > 14) continue;
    if (extension.uri == jingle::ns::kSsrcAudioLevel) rtp.ssrc_audio_level = id;
    if (extension.uri == jingle::ns::kCsrcAudioLevel) rtp.csrc_audio_level = id;
  }
}

}  // namespace

jingle::SessionInitiate make_offer(const jingle::Jid& initiator, const media::LegOpened& local,
                                   const OfferOptions& options) {
  auto transport = make_transport(local.ice, local.candidates);
  const auto fingerprint = claimed(local.fingerprint, options);
  transport.fingerprints = {{fingerprint.hash, fingerprint.value, jingle::Setup::actpass}};
  jingle::Content content;
  content.name = kContentName;
  content.description = make_description(local.ssrc, options);
  content.transport = std::move(transport);
  jingle::SessionInitiate initiate;
  initiate.initiator = initiator.str();
  initiate.contents = {std::move(content)};
  return initiate;
}

media::DtlsFingerprint claimed(media::DtlsFingerprint fingerprint, const OfferOptions& options) {
  auto& value = fingerprint.value;  // a lie is spelled as RFC 8122 has it
  if (options.fingerprint_lie && !value.empty()) value.back() = value.back() == '0' ? '1' : '0';
  return fingerprint;
}

jingle::TransportInfo make_transport_info(const std::string& name,
                                          const media::IceCredentials& credentials,
                                          const std::vector<media::IceCandidate>& candidates) {
  jingle::Content content;
  content.name = name;
  content.transport = make_transport(credentials, candidates);
  return {{std::move(content)}};
}

tl::expected<media::LegRemote, jingle::Reason> read_accept(const jingle::SessionAccept& accept) {
  const auto content =
      std::find_if(accept.contents.begin(), accept.contents.end(),
                   [](const jingle::Content& each) { return each.name == kContentName; });
  if (content == accept.contents.end()) return refuse("failed-application", "no content `audio`");
  const auto* answer = content->rtp();
  const auto* transport = content->ice();
  if (answer == nullptr) return refuse("unsupported-applications", "no RTP description");
  if (transport == nullptr) return refuse("unsupported-transports", "no ICE-UDP transport");

  media::LegRemote remote;
  bool opus = false;
  for (const auto& payload_type : answer->payload_types) {
    if (payload_type.id == kOpusPayloadType && same_word(payload_type.name, "opus")) {
      opus = true;
      remote.rtp.use_fec = payload_type.parameter("useinbandfec") == "1";
    } else if (payload_type.id == kTelephoneEvent) {
      remote.rtp.telephone_event = kTelephoneEvent;
    }
  }
  if (!opus) return refuse("failed-application", "Opus was not accepted");
  remote.rtp.opus_payload_type = kOpusPayloadType;
  remote.rtp.rtcp_mux = answer->rtcp_mux || transport->rtcp_mux;
  read_extensions(*answer, remote.rtp);

  const auto fingerprint =
      std::find_if(transport->fingerprints.begin(), transport->fingerprints.end(),
                   [](const jingle::Fingerprint& each) {
                     return each.hash.starts_with("sha-") && each.hash != "sha-1";
                   });
  if (fingerprint == transport->fingerprints.end()) {
    return refuse("security-error", "no usable fingerprint");
  }
  // RFC 8842 §5.3: an answer never says actpass.
  if (fingerprint->setup != jingle::Setup::active && fingerprint->setup != jingle::Setup::passive) {
    return refuse("security-error", "setup is neither active nor passive");
  }
  remote.fingerprint = {fingerprint->hash, fingerprint->value};
  remote.our_role = fingerprint->setup == jingle::Setup::active ? media::DtlsRole::server
                                                                : media::DtlsRole::client;
  remote.ice = {transport->ufrag, transport->pwd};
  remote.candidates = read_candidates(*transport);
  return remote;
}

std::vector<media::IceCandidate> read_candidates(const jingle::IceUdpTransport& transport) {
  std::vector<media::IceCandidate> candidates;
  for (const auto& candidate : transport.candidates) {
    candidates.push_back({candidate.component, candidate.foundation, candidate.ip, candidate.port,
                          candidate.priority, translate(candidate.type),
                          candidate.rel_addr.value_or(""), candidate.rel_port.value_or(0)});
  }
  return candidates;
}

}  // namespace call
