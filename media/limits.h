// media/limits.h: every bound of this layer and its reason.
#pragma once

#include <cstddef>

namespace media::limits {

// The sum of this many full-scale S16 legs still fits int32 (32768 * 4096 = 2^27); the goal is
// 2,000 on a core.
inline constexpr std::size_t kMaxLegs = 4096;
// RFC 3550 §5.1: CC has four bits.
inline constexpr std::size_t kMaxCsrcs = 15;
// Ethernet's MTU less IP, UDP; nothing valid is longer.
inline constexpr std::size_t kMaxPacketBytes = 1472;
// A connectivity check or its answer (RFC 8445 §7): two ufrags of 256 characters and all it needs
// are 600 bytes, browsers add a few of their own. libnice answers with 1300 at most.
inline constexpr std::size_t kMaxBindingBytes = 1000;
inline constexpr std::size_t kMaxStunAttributes = 32;  // a browser's checks have ten
// RFC 6716 §3.4: one Opus frame is at most 1275 bytes.
inline constexpr std::size_t kMaxOpusBytes = 1275;
// Packets of one leg waiting for the tick: 1.28 s at 20 ms. More is a flood, or the tick stalled:
// what comes then is dropped, and the playout buffer starts anew from what is there.
inline constexpr std::size_t kPacketRing = 64;
// The same in bytes: 64 packets of 230 bytes (80 kbit/s), or 11 of the largest.
inline constexpr std::size_t kPacketRingBytes = 16384;
// Packets of one leg waiting to be played: 200 ms of 10 ms packets and some that came early.
inline constexpr std::size_t kPlayoutSlots = 32;
// Pieces played at once, each with a thread and perhaps a process of its own: in a room (music, a
// few chimes, an announcement), and in all of them.
inline constexpr std::size_t kMaxPlaysPerRoom = 8;
inline constexpr std::size_t kMaxPlays = 64;
// Of one tag of what is played: a long title; what is longer is cut.
inline constexpr std::size_t kMaxTagBytes = 256;
// A list of things to play: a station's mirrors, an album; also how many of them are tried for one
// piece, in lists that lists name, too.
inline constexpr std::size_t kMaxListEntries = 50;
inline constexpr std::size_t kMaxListBytes = 65536;
inline constexpr int kMaxListDepth = 3;
// Recordings under way, each with a thread and at least one file.
inline constexpr std::size_t kMaxRecords = 32;
// Files of a recording, one for each who has spoken: more is a large room's whole evening.
inline constexpr std::size_t kMaxRecordTracks = 64;
// Of packets on their way to a recording's thread: the mix and fifty speakers of 32 kbit/s for
// four seconds of a disk that does nothing.
inline constexpr std::size_t kRecordQueueBytes = 1 << 20;
// Participants heard at once (max-speakers) where nobody says otherwise: more is noise...
inline constexpr std::size_t kDefaultSpeakers = 8;
// ...and costs a decode and an encode each: with so many a tick takes 10 ms of its 20.
inline constexpr std::size_t kMaxSpeakers = 32;

}  // namespace media::limits
