// mixer/negotiation.h: an offer and its answer, theirs or ours -> what the leg does (XEP-0167 §5,
// §6; XEP-0320; XEP-0338; XEP-0294). The only place where signaling and media meet. Pure; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "media/media_engine.h"
#include "signaling/jingle.h"

namespace mixer {

// What was agreed with one caller: constant for the session, but for what `media` sees of
// trickling.
struct Agreement {
  std::string audio;  // the name of the one content with sound
  jingle::Senders senders = jingle::Senders::both;
  media::LegRemote remote;
  bool has_credentials = true;  // false: ufrag and pwd follow by transport-info (XEP-0176 §5.3)
  jingle::Setup setup = jingle::Setup::active;  // ours
  // The answer, but for what only the leg knows: transports and our source.
  std::vector<jingle::Content> contents;  // audio first, then video that we accept and never send
  std::vector<jingle::Group> groups;
};

// Exactly one Opus and, if offered, telephone-event; names and ids as offered.
// Otherwise why not, for a session-terminate after the ack:
//   unsupported-applications  no audio          unsupported-transports  none of it over ICE-UDP
//   security-error            no fingerprint (crypto-required) or an unusable one (invalid-crypto)
//   failed-application        no Opus
tl::expected<Agreement, jingle::Reason> negotiate(const jingle::SessionInitiate& offer,
                                                  std::uint32_t max_bitrate_bps);

// Our half of one leg, as the engine told it.
struct LocalMedia {
  media::IceCredentials ice;
  media::DtlsFingerprint fingerprint;
  std::uint32_t ssrc = 0;
  std::vector<media::IceCandidate> candidates;
  int generation = 0;  // of the credentials: one more with each ICE restart (XEP-0176 §5.9)
};

// Our own offer (dialling out): one audio content, Opus and telephone-event, DTLS-SRTP, RTCP
// multiplexed where the peer can: RFC 5761 §5.1.3 wants component 2 offered too, since Jitsi
// answers without. `isfocus`: say so (XEP-0298 §5).
inline constexpr char kOfferedAudio[] = "audio";  // its name
jingle::SessionInitiate offer(const LocalMedia& local, const std::string& initiator,
                              const std::string& token, bool isfocus);
// The agreement that an accept of it makes. More payload types than offered are not used. The
// errors are negotiate()'s, failed-application too for an answer to what was not offered.
tl::expected<Agreement, jingle::Reason> conclude(const jingle::SessionAccept& accept,
                                                 std::uint32_t max_bitrate_bps);

// Every accepted content of a bundle has the same transport (Conversations insists); candidates are
// given once, with the audio. `token` becomes cname and msid (XEP-0339).
jingle::SessionAccept answer(const Agreement& agreed, const LocalMedia& local,
                             const std::string& responder, const std::string& token, bool isfocus);
// The contents of one transport-info: exactly one (Dino and Jitsi refuse two).
// `first_id` numbers the candidates; their ids are unique in a session.
jingle::TransportInfo trickle(const Agreement& agreed, const LocalMedia& local,
                              const std::vector<media::IceCandidate>& candidates, int first_id);
// Video offered later: accepted as it is and discarded; nullopt: not video, or
// without anything to echo.
std::optional<jingle::Content> accept_video(const jingle::Content& offered, const Agreement& agreed,
                                            const LocalMedia& local);
// The most that the peer wants to be sent of this audio, at most `max_bitrate_bps`; nullopt: it
// does not say. In an offer or an answer, or as a hint in a description-info (XEP-0167 §9).
std::optional<std::uint32_t> wanted_bitrate(const jingle::RtpDescription& description,
                                            int opus_payload_type, std::uint32_t max_bitrate_bps);
// How much sound it likes in a packet: 20, 40 or 60 ms; nullopt: it does not say (ptime, maxptime,
// XEP-0167 §4; minptime, RFC 7587 §6.1). Also as a hint.
std::optional<std::uint8_t> wanted_packet_ms(const jingle::RtpDescription& description,
                                             int opus_payload_type);

// What ICE can use of them: addresses, not names (mDNS cannot be resolved here), no link-local IPv6
// (it lacks the zone), ports above 0, component 2 without rtcp-mux only (Dino offers it
// regardless). The engine filters further.
std::vector<media::IceCandidate> usable(const std::vector<jingle::Candidate>& candidates,
                                        bool rtcp_mux);

// Whether `offered` names another certificate than the one agreed on, by the same hash.
bool changes_fingerprint(const jingle::IceUdpTransport& offered, const Agreement& agreed);

}  // namespace mixer
