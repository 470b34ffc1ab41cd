// mixer/shell_limits.h: the bounds of the shell around the focus (configuration, queue,
// reconnecting, stopping) and their reasons.
#pragma once

#include <chrono>
#include <cstddef>

namespace mixer::limits {

// Thousands of rooms fit; a wrong path (a log, a disk image) does not.
inline constexpr std::size_t kMaxConfigBytes = 1024 * 1024;
// A line on a small screen; it is repeated in every full conference document.
inline constexpr std::size_t kMaxRoomTextBytes = 1024;
// A hundred years: more overflows nothing, but says nothing either.
inline constexpr int kMaxRetentionDays = 36500;
// Weeks on end are a forgotten recording; more bytes than a large array of disks a typing error.
inline constexpr int kMaxRecordMinutes = 7 * 24 * 60;
inline constexpr int kMaxRecordMegabytes = 1'000'000'000;
// Whoever left an hour ago is no part of the call, whatever "departed-seconds" says.
inline constexpr int kMaxDepartedSeconds = 3600;
// People a room dials by itself: a team, not a mailing list.
inline constexpr std::size_t kMaxInvite = 50;
// One room of media::limits::kMaxLegs on each of 16 cores; beyond that it is a typing error.
inline constexpr int kMaxParticipants = 65536;
inline constexpr int kMaxRoomsPerHour = 1000000;

// Events that may be dropped, waiting for the signaling thread: a second's worth of keys pressed by
// every participant of a large process.
inline constexpr std::size_t kMailboxDroppable = 4096;

// Reconnecting: quickly at first, since servers restart in seconds; never so seldom that an
// operator who repaired something waits for long.
inline constexpr std::chrono::milliseconds kBackoffFirst{1000};
inline constexpr std::chrono::milliseconds kBackoffMost{60000};
// A refused password will be refused again until somebody edits a file.
inline constexpr std::chrono::milliseconds kBackoffRefused{30000};
// A stream that lasted as long as this was a success, and the next failure is a new story.
inline constexpr std::chrono::milliseconds kStableStream{10000};
// What a server that is not up yet may say per outage before the log says it again.
inline constexpr std::chrono::milliseconds kDropReport{10000};

// What calls have to say while the server is away: the session-terminate of each that ends
// meanwhile, for every participant of a full process.
inline constexpr std::size_t kHeldStanzas = 4096;

// What a full disk does not take is tried again so often, and kept meanwhile: every subscription
// there can be, come and gone.
inline constexpr std::chrono::seconds kStateRetry{60};
inline constexpr std::size_t kMaxUnwrittenRows = 80000;

// Stopping: for the peers' media to be closed and subscribers to be told, for the last stanzas to
// leave.
inline constexpr std::chrono::milliseconds kCloseLegs{5000};
inline constexpr std::chrono::milliseconds kCloseStream{2000};
// Joining media threads cannot be waited for with a time-out; after this the process ends anyway.
inline constexpr unsigned kJoinMediaSeconds = 20;

}  // namespace mixer::limits
