// Dialling out: what we offer, and what an accept of it means.
#include <algorithm>

#include "mixer/negotiation_parts.h"
#include "mixer/reasons.h"
#include "signaling/namespaces.h"

namespace mixer {
namespace {

using jingle::Content;
using jingle::PayloadType;
using jingle::RtpDescription;

constexpr int kOpus = 111;  // what WebRTC clients use, so that no one has to map it
constexpr int kTelephoneEvent = 110;
constexpr int kSsrcAudioLevelId = 1, kCsrcAudioLevelId = 2;

RtpDescription offered_description() {
  RtpDescription description;
  description.media = "audio";
  description.rtcp_mux = true;
  description.payload_types = {
      {.id = kOpus,
       .name = "opus",
       .clockrate = 48000,
       .ptime_ms = {},
       .maxptime_ms = {},
       .channels = 2,
       .parameters = {{"minptime", "10"}, {"useinbandfec", "1"}, kSendsStereo},
       .rtcp_fb = {}},
      {.id = kTelephoneEvent,
       .name = "telephone-event",
       .clockrate = 48000,
       .ptime_ms = {},
       .maxptime_ms = {},
       .channels = {},
       .parameters = {{"events", "0-15"}},
       .rtcp_fb = {}},
  };
  description.header_extensions = {{kSsrcAudioLevelId, jingle::ns::kSsrcAudioLevel},
                                   {kCsrcAudioLevelId, jingle::ns::kCsrcAudioLevel}};
  return description;
}

const PayloadType* find(const RtpDescription& accepted, int id) {
  const auto found = std::ranges::find(accepted.payload_types, id, &PayloadType::id);
  return found == accepted.payload_types.end() ? nullptr : &*found;
}

// XEP-0294 §4: the ids are the offer's, `senders` may have been narrowed.
std::uint8_t extension(const RtpDescription& accepted, std::string_view uri, int offered_id,
                       std::string_view sender) {
  const bool agreed =
      std::ranges::any_of(accepted.header_extensions, [&](const jingle::HeaderExtension& e) {
        return e.uri == uri && e.id == offered_id && (e.senders == "both" || e.senders == sender);
      });
  return agreed ? static_cast<std::uint8_t>(offered_id) : 0;
}

// RFC 8842 §5.3: an answer decides. One that answers actpass leaves it open who starts (Dino
// 0.4 went on without encryption after that).
std::optional<jingle::Reason> conclude_dtls(const jingle::IceUdpTransport& accepted,
                                            Agreement& agreed) {
  const auto chosen = choose_fingerprint(accepted);
  if (!chosen) return chosen.error();
  switch (chosen->setup) {
    case jingle::Setup::active:
      agreed.setup = jingle::Setup::passive;
      agreed.remote.our_role = media::DtlsRole::server;
      break;
    case jingle::Setup::passive:
      agreed.setup = jingle::Setup::active;
      agreed.remote.our_role = media::DtlsRole::client;
      break;
    case jingle::Setup::actpass:
    case jingle::Setup::holdconn:
      return reasons::invalid_crypto("The answer leaves open who starts DTLS.");
  }
  agreed.remote.fingerprint = {chosen->hash, chosen->value};
  return std::nullopt;
}

}  // namespace

jingle::SessionInitiate offer(const LocalMedia& local, const std::string& initiator,
                              const std::string& token, bool isfocus) {
  RtpDescription description = offered_description();
  description.sources = {local_source(local, token)};
  jingle::IceUdpTransport transport = local_transport(local, jingle::Setup::actpass);
  add_candidates(local.candidates, 1, local.generation, transport);
  jingle::SessionInitiate initiate;
  initiate.initiator = initiator;
  if (isfocus) initiate.isfocus = true;
  initiate.contents = {{.creator = jingle::Creator::initiator,
                        .name = kOfferedAudio,
                        .senders = jingle::Senders::both,
                        .disposition = "session",
                        .description = std::move(description),
                        .transport = std::move(transport)}};
  return initiate;
}

tl::expected<Agreement, jingle::Reason> conclude(const jingle::SessionAccept& accept,
                                                 std::uint32_t max_bitrate_bps) {
  const auto audio = std::ranges::find_if(accept.contents, [](const Content& content) {
    return content.creator == jingle::Creator::initiator && content.name == kOfferedAudio;
  });
  const auto fail = [](const char* condition, const char* text) {
    return tl::unexpected(reasons::make(condition, text));
  };
  if (audio == accept.contents.end()) {
    return fail("failed-application", "The answer is to something that was not offered.");
  }
  if (!audio->rtp() || audio->rtp()->media != "audio") {
    return fail("unsupported-applications", "This conference takes RTP audio only.");
  }
  if (!audio->ice()) {
    return fail("unsupported-transports", "This conference speaks ICE-UDP only.");
  }
  Agreement agreed;
  if (auto refused = conclude_dtls(*audio->ice(), agreed)) return tl::unexpected(*refused);
  const PayloadType* opus = find(*audio->rtp(), kOpus);
  if (!opus || !is_opus(*opus)) {
    return fail("failed-application", "This conference speaks Opus only, as it was offered.");
  }
  media::RtpParameters& rtp = agreed.remote.rtp;
  read_opus(*audio->rtp(), *opus, max_bitrate_bps, rtp);
  rtp.rtcp_mux = audio->rtp()->rtcp_mux || audio->ice()->rtcp_mux;
  const PayloadType* digits = find(*audio->rtp(), kTelephoneEvent);
  if (digits && same_name(digits->name, "telephone-event")) rtp.telephone_event = kTelephoneEvent;
  rtp.ssrc_audio_level =
      extension(*audio->rtp(), jingle::ns::kSsrcAudioLevel, kSsrcAudioLevelId, "responder");
  rtp.csrc_audio_level =
      extension(*audio->rtp(), jingle::ns::kCsrcAudioLevel, kCsrcAudioLevelId, "initiator");
  read_ice(*audio->ice(), agreed);
  agreed.audio = kOfferedAudio;
  agreed.senders = audio->senders;
  agreed.contents.emplace_back().name = kOfferedAudio;
  return agreed;
}

}  // namespace mixer
