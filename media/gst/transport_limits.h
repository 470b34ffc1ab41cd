// media/gst/transport_limits.h: the bounds of ICE, DTLS, SRTP and RTCP, and their reasons.
#pragma once

#include <chrono>
#include <cstddef>

namespace media::limits {

using namespace std::chrono_literals;

// Commands waiting for one I/O thread; a thousand legs opening at once with trickle fit.
inline constexpr std::size_t kIoCommands = 8192;
// Commands waiting for the control thread. Beyond it open_leg fails; closes are always taken.
inline constexpr std::size_t kControlCommands = 16384;
// The log is told of packets that were dropped at most so often: a flood does not fill the disk.
inline constexpr auto kDroppedTold = 10s;
// RTP packets waiting for one I/O thread, and as much again while it sends: a tick of kMaxLegs,
// each with 300 bytes (80 kbit/s and a few CSRCs), what SRTP may append, and a head.
inline constexpr std::size_t kOutboxBytes = 4096 * 512;
// ICE is no scanner (RFC 8445 §19.5.1): what one peer may make us send checks to. The second is
// also how many a leg may learn from checks of the peer's; each second between restarts allows one
// more.
inline constexpr std::size_t kRemoteCandidates = 20;
inline constexpr std::size_t kCandidatePairs = 100;
// Of each kind: every leg asks every TURN server for a relay, from each of its addresses; libnice
// has room for 8.
inline constexpr std::size_t kIceServers = 4;
// Servers move; and a name server that is not there may come back.
inline constexpr auto kLookUpAgain = 10min;
inline constexpr auto kLookUpFailedAgain = 1min;
// RFC 8445 §5.3 allows 256 characters; nothing we parse is longer.
inline constexpr std::size_t kIceString = 256;
// A pair that does not connect in this time has no user waiting any more.
inline constexpr auto kConnectTime = 30s;
// The last of many ICE restarts, whose time is nearly over, has this for its checks.
inline constexpr auto kRestartChance = 5s;
// After an ICE restart the old pair still receives what was on its way, and what a peer sends that
// finds out later than we that the new one works.
inline constexpr auto kRestartLinger = 5s;
// Consent to send without an answer to a check (RFC 7675 §5.1), one of which goes out every 4 to
// 6 s: five or six are lost before it ends.
inline constexpr auto kConsentLasts = 30s;
// At the end a thread waits this long for TURN servers to take allocations back: a round trip. What
// is not given back occupies a port and the account's quota there for its lifetime, ten minutes.
inline constexpr auto kGiveBackTime = 500ms;
// Without RTP for the former, and after its end without any other sign of life for the latter:
// LegQuiet. The rarest sign is a check, every 6 s at the latest.
inline constexpr auto kQuietTime = 3s;
inline constexpr auto kSignlessTime = 7s;
// A peer that has our SSRC once more by chance there is none in 2^64 calls: it plays with us.
inline constexpr int kSsrcRenewals = 2;
// DTLS datagrams: fits every path that carries IPv6 (1280 less headers), as WebRTC does.
inline constexpr std::size_t kDtlsMtu = 1200;
// SSRCs of one peer with a replay window each; above it the one heard longest ago goes.
inline constexpr std::size_t kPeerSsrcs = 16;
// Reordering that SRTP accepts (RFC 3711 §3.3.2 demands 64): 20 s of audio.
inline constexpr std::size_t kReplayWindow = 1024;

}  // namespace media::limits
