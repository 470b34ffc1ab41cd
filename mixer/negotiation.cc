#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "mixer/negotiation_parts.h"
#include "mixer/reasons.h"
#include "signaling/namespaces.h"

namespace mixer {
namespace {

using jingle::Content;
using jingle::HeaderExtension;
using jingle::PayloadType;
using jingle::RtpDescription;
using jingle::Senders;

const PayloadType* find_telephone_event(const RtpDescription& offered) {
  const PayloadType* any = nullptr;
  for (const PayloadType& type : offered.payload_types) {
    if (!same_name(type.name, "telephone-event") || type.clockrate == 0u) continue;
    if (type.clockrate == 48000u) return &type;  // RFC 4733 §2.1: the audio's own clock
    if (!any) any = &type;
  }
  return any;
}

// What may be echoed: feedback we do not do (transport-cc, nack) is not, nor packet times, nor what
// the peer likes to receive or will send (RFC 7587 §6.1): said by us it would be our wish, for two
// channels of a voice, or for less than the others are to hear of it.
PayloadType echo(const PayloadType& offered) {
  static constexpr std::array<std::string_view, 6> kTheirs{
      "stereo", "sprop-stereo", "maxplaybackrate", "sprop-maxcapturerate", "maxaveragebitrate",
      "cbr"};
  PayloadType type = offered;
  std::erase_if(type.parameters, [](const auto& parameter) {
    return std::ranges::find(kTheirs, parameter.first) != kTheirs.end();
  });
  type.rtcp_fb.clear();
  type.ptime_ms.reset();
  type.maxptime_ms.reset();
  return type;
}

// XEP-0294 §4: ids 4096-4351 stand for "choose one"; one byte headers carry 1-14 (RFC 8285 §4.2).
// 0: none. `taken`: what the offer names.
std::uint8_t agree_on_id(int offered, std::set<int>& taken) {
  if (offered >= 1 && offered <= 14) return static_cast<std::uint8_t>(offered);
  if (offered < 4096 || offered > 4351) return 0;
  for (int id = 1; id <= 14; ++id) {
    if (taken.insert(id).second) return static_cast<std::uint8_t>(id);
  }
  return 0;
}

void negotiate_extensions(const RtpDescription& offered, RtpDescription& answer,
                          media::RtpParameters& rtp) {
  std::set<int> taken;
  for (const HeaderExtension& extension : offered.header_extensions) taken.insert(extension.id);
  for (const HeaderExtension& extension : offered.header_extensions) {
    const bool from_them = extension.senders == "both" || extension.senders == "initiator";
    const bool from_us = extension.senders == "both" || extension.senders == "responder";
    std::uint8_t* id = nullptr;
    if (extension.uri == jingle::ns::kSsrcAudioLevel && from_them) id = &rtp.ssrc_audio_level;
    if (extension.uri == jingle::ns::kCsrcAudioLevel && from_us) id = &rtp.csrc_audio_level;
    if (!id || *id != 0) continue;
    const std::uint8_t free = agree_on_id(extension.id, taken);
    if (free == 0 || free == rtp.ssrc_audio_level || free == rtp.csrc_audio_level) continue;
    *id = free;
    HeaderExtension agreed = extension;
    agreed.id = *id;
    answer.header_extensions.push_back(agreed);
  }
}

// XEP-0320 §2; RFC 8842 §5.3. We are the DTLS client wherever the peer lets us: Dino as caller
// starts as server, Jitsi ignores `setup`.
std::optional<jingle::Reason> negotiate_dtls(const jingle::IceUdpTransport& offered,
                                             Agreement& agreed) {
  const auto chosen = choose_fingerprint(offered);
  if (!chosen) return chosen.error();
  switch (chosen->setup) {
    case jingle::Setup::actpass:
    case jingle::Setup::passive:
      agreed.setup = jingle::Setup::active;
      agreed.remote.our_role = media::DtlsRole::client;
      break;
    case jingle::Setup::active:
      agreed.setup = jingle::Setup::passive;
      agreed.remote.our_role = media::DtlsRole::server;
      break;
    case jingle::Setup::holdconn:
      return reasons::invalid_crypto("setup='holdconn' leaves nobody to start DTLS.");
  }
  agreed.remote.fingerprint = {chosen->hash, chosen->value};
  return std::nullopt;
}

std::optional<jingle::Reason> negotiate_audio(const Content& offered, std::uint32_t max_bitrate_bps,
                                              Agreement& agreed) {
  const RtpDescription& description = *offered.rtp();
  const auto opus = std::ranges::find_if(description.payload_types, is_opus);
  if (opus == description.payload_types.end()) {
    return reasons::make("failed-application", "This conference speaks Opus only.");
  }
  RtpDescription answer;
  answer.media = description.media;
  answer.rtcp_mux = description.rtcp_mux;
  answer.payload_types.push_back(echo(*opus));

  media::RtpParameters& rtp = agreed.remote.rtp;
  read_opus(description, *opus, max_bitrate_bps, rtp);
  if (rtp.stereo) answer.payload_types.front().parameters.emplace_back(kSendsStereo);
  rtp.rtcp_mux = description.rtcp_mux || offered.ice()->rtcp_mux;
  const PayloadType* digits = find_telephone_event(description);
  if (digits && digits->id != opus->id) {
    rtp.telephone_event = static_cast<std::uint8_t>(digits->id);
    rtp.telephone_event_rate_hz = digits->clockrate.value_or(rtp.telephone_event_rate_hz);
    answer.payload_types.push_back(echo(*digits));
  }
  negotiate_extensions(description, answer, rtp);

  agreed.audio = offered.name;
  agreed.senders = offered.senders;
  agreed.contents.push_back({.creator = jingle::Creator::initiator,
                             .name = offered.name,
                             .senders = offered.senders,
                             .disposition = "session",
                             .description = std::move(answer),
                             .transport = {}});
  return std::nullopt;
}

std::optional<RtpDescription> echo_video(const Content& offered) {
  const RtpDescription* description = offered.rtp();
  if (!description || description->media != "video" || !offered.ice() ||
      description->payload_types.empty()) {
    return std::nullopt;
  }
  RtpDescription answer;
  answer.media = description->media;
  answer.rtcp_mux = description->rtcp_mux;
  answer.payload_types.push_back(echo(description->payload_types.front()));
  return answer;
}

}  // namespace

tl::expected<Agreement, jingle::Reason> negotiate(const jingle::SessionInitiate& offer,
                                                  std::uint32_t max_bitrate_bps) {
  const auto is_audio = [](const Content& content) {
    return content.rtp() && content.rtp()->media == "audio" && content.disposition == "session";
  };
  if (std::ranges::none_of(offer.contents, is_audio)) {
    return tl::unexpected(
        reasons::make("unsupported-applications", "This conference takes RTP audio only."));
  }
  const auto audio = std::ranges::find_if(
      offer.contents, [&](const Content& content) { return is_audio(content) && content.ice(); });
  if (audio == offer.contents.end()) {
    return tl::unexpected(
        reasons::make("unsupported-transports", "This conference speaks ICE-UDP only."));
  }
  Agreement agreed;
  if (auto refused = negotiate_dtls(*audio->ice(), agreed)) return tl::unexpected(*refused);
  if (auto refused = negotiate_audio(*audio, max_bitrate_bps, agreed)) {
    return tl::unexpected(*refused);
  }
  read_ice(*audio->ice(), agreed);
  // Jitsi looks for rtcp-mux in the transport; echoed where it was offered.
  if (audio->ice()->rtcp_mux) {
    jingle::IceUdpTransport muxed;
    muxed.rtcp_mux = true;
    agreed.contents.front().transport = muxed;
  }
  // Conversations ends the call if media are missing in the answer; Dino if one is senders='none'.
  for (const Content& content : offer.contents) {
    auto video = echo_video(content);
    if (!video || content.name == agreed.audio) continue;
    agreed.contents.push_back({.creator = jingle::Creator::initiator,
                               .name = content.name,
                               .senders = Senders::responder,
                               .disposition = "session",
                               .description = std::move(*video),
                               .transport = {}});
  }
  const auto bundle = std::ranges::find(offer.groups, "BUNDLE", &jingle::Group::semantics);
  if (bundle != offer.groups.end()) {
    jingle::Group subset{"BUNDLE", {}};
    for (const std::string& name : bundle->names) {
      if (std::ranges::find(agreed.contents, name, &Content::name) != agreed.contents.end()) {
        subset.names.push_back(name);
      }
    }
    if (!subset.names.empty()) agreed.groups.push_back(std::move(subset));
  }
  return agreed;
}

jingle::SessionAccept answer(const Agreement& agreed, const LocalMedia& local,
                             const std::string& responder, const std::string& token, bool isfocus) {
  jingle::SessionAccept accept;
  accept.responder = responder;
  if (isfocus) accept.isfocus = true;
  accept.groups = agreed.groups;
  accept.contents = agreed.contents;
  for (Content& content : accept.contents) {
    const bool mux_in_transport = content.ice() && content.ice()->rtcp_mux;
    jingle::IceUdpTransport ours = local_transport(local, agreed.setup);
    ours.rtcp_mux = mux_in_transport;
    if (content.name == agreed.audio) {
      add_candidates(local.candidates, 1, local.generation, ours);
      std::get<RtpDescription>(content.description).sources = {local_source(local, token)};
    }
    content.transport = std::move(ours);
  }
  return accept;
}

jingle::TransportInfo trickle(const Agreement& agreed, const LocalMedia& local,
                              const std::vector<media::IceCandidate>& candidates, int first_id) {
  jingle::IceUdpTransport ours;
  ours.ufrag = local.ice.ufrag;
  ours.pwd = local.ice.pwd;
  add_candidates(candidates, first_id, local.generation, ours);
  return {{{.creator = jingle::Creator::initiator,
            .name = agreed.audio,
            .senders = Senders::both,
            .disposition = "session",
            .description = {},
            .transport = std::move(ours)}}};
}

std::optional<Content> accept_video(const Content& offered, const Agreement& agreed,
                                    const LocalMedia& local) {
  auto video = echo_video(offered);
  if (!video) return std::nullopt;
  Content content = offered;
  content.description = std::move(*video);
  content.transport = local_transport(local, agreed.setup);
  return content;
}

bool changes_fingerprint(const jingle::IceUdpTransport& offered, const Agreement& agreed) {
  const auto& known = agreed.remote.fingerprint;
  bool other = false;
  for (const jingle::Fingerprint& fingerprint : offered.fingerprints) {
    if (fingerprint.hash != known.hash) continue;
    if (fingerprint.value == known.value) return false;
    other = true;
  }
  return other;
}

}  // namespace mixer
