// mixer/negotiation_parts.h: what offering and answering have in common; for negotiation.cc and
// negotiation_offer.cc. Pure; any thread.
#pragma once

#include <string_view>
#include <utility>

#include "mixer/negotiation.h"

namespace mixer {

// Without regard to the case of ASCII letters.
bool same_name(std::string_view a, std::string_view b);
// SylkServer writes channels='1', libpurple '0', QXmpp none: RTP is opus/48000/2 all the same
// (RFC 7587 §7).
bool is_opus(const jingle::PayloadType& type);

// What the peer's Opus, one of `description`, says of what it likes to receive (RFC 7587 §6.1);
// `max_bitrate_bps` is ours. We send at least 20 ms a packet, as which no maxptime seen is shorter.
void read_opus(const jingle::RtpDescription& description, const jingle::PayloadType& opus,
               std::uint32_t max_bitrate_bps, media::RtpParameters& rtp);
// The peer's SHA-256 or better, else why there is none (XEP-0320 §2).
tl::expected<jingle::Fingerprint, jingle::Reason> choose_fingerprint(
    const jingle::IceUdpTransport& theirs);
// The peer's credentials and candidates. Requires: remote.rtp.rtcp_mux is decided.
void read_ice(const jingle::IceUdpTransport& theirs, Agreement& agreed);

// Of our Opus: what is played may be stereo (RFC 7587 §6.1).
inline constexpr std::pair<const char*, const char*> kSendsStereo{"sprop-stereo", "1"};

jingle::IceUdpTransport local_transport(const LocalMedia& local, jingle::Setup setup);
void add_candidates(const std::vector<media::IceCandidate>& candidates, int first_id,
                    int generation, jingle::IceUdpTransport& transport);
// Our source: non-empty values, since Conversations throws on an empty one and WebRTC wants an
// msid.
jingle::Source local_source(const LocalMedia& local, const std::string& token);

}  // namespace mixer
