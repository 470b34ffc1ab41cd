// mixer/limits.h: every bound of this layer and its reason. What an operator may want to change is
// in the configuration instead.
#pragma once

#include <chrono>
#include <cstddef>

namespace mixer::limits {

using namespace std::chrono_literals;

// Remote candidates a leg takes, whatever is trickled: ICE must be no port scanner (RFC 8445
// §19.5.1).
inline constexpr std::size_t kMaxRemoteCandidates = 20;

// ICE restarts (XEP-0176 §5.9): each takes sockets and checks. More often than this a peer's are
// answered together; ours, with nothing left to talk over, is answered in this time or the call
// ends.
inline constexpr auto kRestartGap = 1s;
inline constexpr auto kRestartAnsweredWithin = 10s;
inline constexpr std::size_t kMaxFormerCredentials = 4;  // stanzas keep their order: one would do

// Conference documents (XEP-0298).
// A larger roster goes in several. Prosody 0.12 collects garbage whenever its memory has grown by
// 5 %, and what a stanza has become so far is looked at each time: one of 200 KiB costs it twice
// the CPU for each byte that one of 8 KiB does, one of 64 KiB a quarter more. Its c2s cap is 256
// KiB.
inline constexpr std::size_t kMaxDocumentBytes = 64 * 1024;
// What a call has to wait behind, at the rate below.
inline constexpr std::size_t kMaxDocumentBytesAsClient = 16 * 1024;
inline constexpr auto kCoinReplyTimeout = 5s;   // then the next document goes without a reply
inline constexpr auto kCoinGap = 500ms;         // between two documents to one receiver, at least
inline constexpr auto kCoinHealAfter = 60s;     // after the last partial: there is no refresh
inline constexpr int kCoinPartialsInARow = 20;  // then a full one, for a receiver with a gap
// Healing nobody asked for waits while the bytes are short, but not longer than this.
inline constexpr auto kCoinHealAtLatest = 10min;
inline constexpr auto kCoinBackOffMax = 60s;           // between full documents nobody acknowledges
inline constexpr double kCoinBytesPerReceiver = 32e3;  // per second
inline constexpr double kCoinBytesPerProcess = 4e6;    // per second, component mode
// Debian's Prosody lets a client account send 10 kB/s in all; the calls' own signalling needs some.
inline constexpr double kCoinBytesAsClient = 4e3;
inline constexpr auto kCoinBurst = 8s;  // of the rate above: the documents of one small join
// Of documents on the way to the server, in the whole process, as its speed allows: what a call has
// to wait behind, for what the server has not read yet nothing overtakes. Prosody 0.12 reads 0.4 to
// 2.2 MB/s by default. At most: well below what the connection queues, for what it refuses is lost.
inline constexpr auto kCoinLag = 1000ms;  // from sending a document to its answer, at most wanted
inline constexpr std::size_t kCoinWindowLeast = 128 * 1000;
inline constexpr std::size_t kCoinWindowAtFirst = 256 * 1000;
inline constexpr std::size_t kCoinWindowMost = 2000 * 1000;
inline constexpr auto kCoinPatience = 20s;    // at most, with a link that carries no answer at all
inline constexpr auto kCoinLookAgain = 20ms;  // while the window is full

// A caller's client is asked what it is (XEP-0030); no answer in time: nothing announced.
inline constexpr auto kDiscoTimeout = 5s;
inline constexpr auto kDiscoLifetime = 10min;          // of what a full JID said
inline constexpr std::size_t kMaxChatRooms = 1000;     // whose occupants may call
inline constexpr std::size_t kMaxKnownClients = 4096;  // full JIDs; two per participant by default

// STUN and TURN servers by XEP-0215. Prosody answers at once; others may ask the TURN server.
inline constexpr auto kServicesTimeout = 15s;
inline constexpr std::size_t kMaxDiscoveredServers = 4;  // of each type: every leg asks each
inline constexpr auto kServicesRefreshAtLeast = 30s;     // later, however short credentials live
inline constexpr auto kServicesRetry = 60s;              // after a failure that may pass
// A list that does not expire, and a server that knows none or refuses: asked again rarely.
inline constexpr auto kServicesAskAgain = 1h;
inline constexpr auto kServicesLongest = 24h * 30;  // a lifetime beyond is taken for this

// JMI (XEP-0353).
inline constexpr auto kProceedToInitiate = 30s;
// A proposal that was kept on its way (XEP-0203) for longer calls nobody: its sender has given up.
inline constexpr auto kProposalKept = 60s;
inline constexpr std::size_t kMaxInvitations = 1000;

// Dialling out.
inline constexpr auto kDirectAfter = 5s;       // of silence: who has JMI rings or refuses sooner
inline constexpr auto kRingFor = 45s;          // then the proposal is retracted
inline constexpr auto kLeaveAlone = 10min;     // who declined or did not answer
inline constexpr auto kRedialAfter = 10min;    // those of the configuration who are not there
inline constexpr std::size_t kMaxDials = 500;  // at a time; each makes its target ring
inline constexpr std::size_t kMaxLeftAlone = 10000;    // about 150 bytes each; the oldest go
inline constexpr std::size_t kMaxAskedResources = 10;  // of an invited user, what they are

// XEP-0166 §6.7: unavailable presence and silence for this long ends the call.
inline constexpr auto kGoneAfter = 5s;
// A call that has not connected for this long may be replaced by another of the same JID.
inline constexpr auto kStuckAfter = 3s;
// The engine gives up on ICE after 30 s; this is for a leg whose peer never names its credentials,
// and for an engine that says nothing: no call is pending for ever. Whoever we call has as long to
// answer.
inline constexpr auto kConnectWithin = 45s;
// Who waits longer for our accept is told that it rings; clients show nothing before.
inline constexpr auto kRingAfter = 1s;
// How long a call outlives the address its peer knows us by (a failed stream resumption).
inline constexpr auto kOrphanedAfter = 30s;

// Other foci in a room. A call to one of them that serves nobody on our side ends after this long:
// somebody may be just coming back.
inline constexpr auto kLinkIdle = 10s;
// Documents held until the leg of their session is connected.
inline constexpr std::size_t kMaxEarlyDocuments = 4;
// What it lists is looked at once in so long, as ours go out: that costs its whole roster each
// time.
inline constexpr auto kLinkListed = 500ms;
// Its documents a second, and kCoinBurst's worth at once. Jitsi desktop sends five at most.
inline constexpr double kLinkDocuments = 5;

// What people call themselves (XEP-0172), in all rooms: about 300 bytes each.
inline constexpr std::size_t kMaxNicks = 10000;

// Room presence (RFC 6121 §3, §4).
inline constexpr std::size_t kMaxRoomsPerSubscriber = 20;
inline constexpr std::size_t kMaxSubscriptions = 20000;  // about 400 bytes each
inline constexpr std::size_t kPresencesPerSecond = 50;
inline constexpr auto kPresenceCoalesce = 1s;
// When we stop: well within the time that closing the calls may take, and as evenly as a server
// likes it: 20,000 in 4 s are 5,000 a second, some 0.8 MB.
inline constexpr auto kFarewell = 4000ms;
inline constexpr auto kFarewellStep = 50ms;

// What is published of ourselves (XEP-0118 §3: several seconds of waiting while somebody skips).
inline constexpr auto kPublishAfter = 5s;      // of nothing changing
inline constexpr auto kPublishAtLatest = 30s;  // of changing all the time
inline constexpr auto kPublishGap = 10s;       // between two at one node
inline constexpr auto kPublishTimeout = 30s;   // for the service's answer
inline constexpr auto kPublishRetry = 60s;     // after a failure that may pass
// A service that does not say what it can is asked after kPublishRetry, and after twice as long
// each time up to this: it may be starting, or its storage be away.
inline constexpr auto kServiceAskedMost = 1h;
// What a component's rooms publish themselves: whom they tell, and how fast. An event has 1 kB.
inline constexpr std::size_t kMaxEventReceivers = 20000;  // clients, in all rooms; 400 bytes each
inline constexpr std::size_t kMaxResourcesTold = 16;      // of one person in one room
inline constexpr std::size_t kMaxNodeSubscriptions = 20000;
// Of one bare JID: all that signaling/pep.h has, in as many rooms as it may see.
inline constexpr std::size_t kMaxNodesPerSubscriber = 10 * kMaxRoomsPerSubscriber;
inline constexpr std::size_t kEventsPerStep = 20;
inline constexpr auto kEventStep = 100ms;
// What somebody asks for and is told at once: lists of many rooms, pictures of up to 87 kB. From
// here on calls overtake it, and it is bounded. Of one user: the pictures of the rooms of which he
// may see the presence.
inline constexpr std::size_t kLargeAnswer = 4096;
inline constexpr int kLargeAnswersPerMinute = kMaxRoomsPerSubscriber;
// Of all; kCoinBurst of it at once is a second of what a call may have to wait behind.
inline constexpr double kLargeAnswerBytes = 64e3;  // per second
// What a dead process has left is known to be over for so long after everybody was probed: until
// the last server has answered.
inline constexpr auto kLeftoverKept = 60s;

// Rate windows (calls a minute, rooms an hour) remember at most so many callers; the oldest go.
inline constexpr std::size_t kMaxRateKeys = 10000;
// A flood must not fill the disk: of one JID a line in so long, of all of them so many a minute.
inline constexpr auto kRefusalLoggedAgain = 10s;
inline constexpr int kRefusalsLoggedPerMinute = 60;
// Calls refused in a minute before their JID is not listened to: no person dials that fast.
inline constexpr int kRefusedCalls = 60;
inline constexpr auto kBlockedFor = 10min;

// IQs of ours whose answers matter; older ones are answered too late to matter.
inline constexpr std::size_t kMaxAwaitedIqs = 20000;
inline constexpr auto kAwaitedFor = 60s;

// Foci that are in a call with us (RFC 4575 §5.6.5). News of a circle take a hop a second at most:
// coalescing, a reply that is awaited, the way.
inline constexpr auto kCascadeSettle = 2s;            // at least, before a link is mixed
inline constexpr auto kCascadeHop = 1s;               // for each conference beyond the first two
inline constexpr auto kCascadeSilence = 5s;           // then it sends no documents
inline constexpr std::size_t kMaxUsersBehind = 2000;  // a link; as many as one mixer has
inline constexpr std::size_t kMaxUserBytes = 4096;    // then without what is foreign to us
// What its partials have added up to: no document alone is larger than
// coin::limits::kDocumentBytes.
inline constexpr std::size_t kMaxViewBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxConferencesBehind = 100;  // a link
inline constexpr std::size_t kMaxCascadeWay = 16;          // conferences on a user's way to us

inline constexpr std::size_t kMaxDisplayCodePoints = 64;
// Of who is in the room, in the chat to a newcomer: it must not grow with the room.
inline constexpr std::size_t kMaxNamesAnnounced = 10;
// What people tell a room (control.h), of one bare JID; and how often it is told how to.
inline constexpr int kControlsPerMinute = 30;
inline constexpr auto kHintAgain = 10min;
inline constexpr std::size_t kMaxChatters = 1000;         // clients that are asked what they are
inline constexpr std::size_t kMaxNamesTold = 100;         // in answer to who is there
inline constexpr std::size_t kMaxMuted = 1000;            // in a room; those who are not here go
inline constexpr std::size_t kMaxReasonCodePoints = 256;  // why somebody was asked, or left
// The same in the log: the condition, which may be any element's name, and the text.
inline constexpr std::size_t kMaxLoggedReasonBytes = 64;
inline constexpr std::size_t kMaxLoggedTextBytes = 256;
// Of one bare JID in a room: others read at most 64 endpoints of a user (coin/limits.h).
inline constexpr std::size_t kMaxCallsPerUser = 50;
// Listed as disconnected at a time: a small room's breaking up; a large one needs no list of it.
inline constexpr std::size_t kMaxDeparted = 100;
inline constexpr std::size_t kMaxLocalBytes = 255;  // of a room's name; nobody dials longer ones
inline constexpr std::size_t kMaxRosterContacts = 10000;

// Playing. A URL, or a path in media-dir.
inline constexpr std::size_t kMaxSourceBytes = 1024;
// Pieces waiting for the one before: an evening of music.
inline constexpr std::size_t kMaxPlayQueue = 100;
inline constexpr std::size_t kShownOfPlayQueue = 10;  // to whoever asks what is played
// Until the engine is ready to record: a disk that does not answer for so long is none.
inline constexpr std::chrono::seconds kRecordReady{5};
// So long alone before there is hold music: whoever comes second is often a moment behind.
inline constexpr std::chrono::seconds kAlone{2};
// Hold music that fails is tried again after kAlone, and after twice as long each time up to this:
// somebody may repair what it needs while a caller waits.
inline constexpr std::chrono::seconds kHoldRetryMost{300};
// From the end of an announcement in the mix to its end in everybody's ear: a bad network's delay.
inline constexpr auto kAnnouncementTravels = 500ms;
// Whoever comes to a recorded call soon after another shares the announcement with those after him.
inline constexpr auto kAnnounceRecordingAgain = 5s;
inline constexpr std::size_t kMaxRecordedNameBytes = 64;  // of a room's, in a file's
// Two chimes in one second are noise.
inline constexpr std::chrono::seconds kBetweenChimes{1};

}  // namespace mixer::limits
