// tools/call/offer.h: what a caller offers and what it makes of the answer: one content `audio`,
// Opus 111, telephone-event 101 (XEP-0167), ICE-UDP (XEP-0176), DTLS-SRTP (XEP-0320), audio levels
// (XEP-0294). Pure; any thread.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "media/media_engine.h"
#include "signaling/jingle.h"

namespace call {

inline constexpr char kContentName[] = "audio";
inline constexpr int kOpusPayloadType = 111;
inline constexpr int kTelephoneEvent = 101;
inline constexpr int kSsrcAudioLevelId = 1;
inline constexpr int kCsrcAudioLevelId = 2;

struct OfferOptions {
  bool rtcp_mux = true;
  bool stereo = false;           // liked (RFC 7587 §6.1)
  bool fingerprint_lie = false;  // a fingerprint that our certificate does not have
  std::uint32_t ptime_ms = 20;   // liked (RFC 4566 §6)
};

jingle::SessionInitiate make_offer(const jingle::Jid& initiator, const media::LegOpened& local,
                                   const OfferOptions& options);
// What we say our fingerprint is.
media::DtlsFingerprint claimed(media::DtlsFingerprint fingerprint, const OfferOptions& options);
// Candidates gathered later, as a transport-info with exactly one content.
jingle::TransportInfo make_transport_info(const std::string& content,
                                          const media::IceCredentials& credentials,
                                          const std::vector<media::IceCandidate>& candidates);

// The peer's half. The error is the reason to end the session with (XEP-0166 §7.4).
tl::expected<media::LegRemote, jingle::Reason> read_accept(const jingle::SessionAccept& accept);
std::vector<media::IceCandidate> read_candidates(const jingle::IceUdpTransport& transport);

}  // namespace call
