// media/media_engine.h: SEAM between the focus and the audio. Commands go in, events come out; both
// are values. Commands never block and may be called from one thread (the signaling thread); events
// are handed to the sink that the engine was built with, from the engine's own threads, so the sink
// must be a thread-safe queue.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "media/mix_plan.h"
#include "media/sounds.h"
#include "media/voice_filter.h"

namespace media {

// ICE (RFC 8445) in the engine's words; the focus translates from and to XEP-0176.
enum class CandidateType { host, prflx, relay, srflx };
struct IceCandidate {
  int component = 1;  // 1 RTP, 2 RTCP
  std::string foundation;
  std::string ip;
  std::uint16_t port = 0;
  std::uint32_t priority = 0;
  CandidateType type = CandidateType::host;
  std::string rel_addr;
  std::uint16_t rel_port = 0;
  bool operator==(const IceCandidate&) const = default;
};
struct IceCredentials {
  std::string ufrag, pwd;
  bool operator==(const IceCredentials&) const = default;
};

struct DtlsFingerprint {  // RFC 8122: hash is "sha-256" or stronger, value upper-case hex pairs
                          // with colons
  std::string hash, value;
  bool operator==(const DtlsFingerprint&) const = default;
};
enum class DtlsRole { client, server };  // ours: client = setup 'active'

// What was negotiated for sending to and receiving from the peer (XEP-0167, RFC 7587).
struct RtpParameters {
  std::uint8_t opus_payload_type = 111;
  std::optional<std::uint8_t> telephone_event{};  // RFC 4733
  std::uint8_t ssrc_audio_level = 0;              // RFC 6464 extension id; 0 = not agreed
  std::uint8_t csrc_audio_level = 0;              // RFC 6465 extension id; 0 = not agreed
  bool rtcp_mux = true;                           // false: component 2 carries RTCP
  std::uint32_t max_bitrate_bps = 32000;          // what we send at most
  bool use_dtx = false;                           // the peer likes silence not to be sent
  bool use_fec = false;                           // the peer's decoder uses in-band FEC
  std::uint32_t telephone_event_rate_hz = 48000;  // clock rate of telephone_event
  std::uint32_t max_playback_rate_hz = 48000;     // the peer can play no more of the spectrum
  bool constant_bitrate = false;                  // the peer prefers it
  bool stereo = false;                            // the peer likes to receive it
  std::uint8_t packet_ms = 20;                    // of sound in what we send: 20, 40 or 60
  bool operator==(const RtpParameters&) const = default;
};

struct LegRemote {  // the peer's half
  IceCredentials ice;
  std::vector<IceCandidate> candidates;
  DtlsFingerprint fingerprint;
  DtlsRole our_role = DtlsRole::client;
  RtpParameters rtp;
  bool operator==(const LegRemote&) const = default;
};

// A STUN (RFC 8489) or TURN (RFC 8656) server, spoken to over UDP.
struct IceServer {
  enum class Kind { stun, turn };
  Kind kind = Kind::stun;
  std::string host{};  // a name or an address
  std::uint16_t port = 3478;
  std::string username{}, password{};  // of a TURN server; empty: it asks for none
  bool operator==(const IceServer&) const = default;
};

struct LegSpec {
  RoomId room;
  LegId leg;
  std::uint32_t contributor_id =
      0;  // this leg's CSRC in what others receive; unique in the room, fixed for the session
  bool ice_controlling = false;  // true when we are the Jingle initiator
  bool rtcp_mux = true;          // false: gather component 2 too
  VoiceProcessing voice = {};
  std::optional<LegRemote> remote;  // absent when we dial out: connect_leg() follows
  bool operator==(const LegSpec&) const = default;
};

// Playing: a piece is one thing that is played into a room, once.
struct PlayId {  // unique in the process, as its room is
  RoomId room;
  std::uint32_t number = 0;
  auto operator<=>(const PlayId&) const = default;
};
struct PlayFile {
  std::string directory, name;  // opened beneath the directory, whatever ".." and links say
  bool operator==(const PlayFile&) const = default;
};
struct PlayUrl {
  std::string url;  // https only, and only from where the engine's configuration allows
  bool operator==(const PlayUrl&) const = default;
};
struct PlaySpec {
  PlayId play;
  std::variant<Sound, PlayFile, PlayUrl> what{};
  bool loop = false;           // a sound's end is followed by its beginning
  bool urgent = false;         // does not sink under speech; what is not sinks under it
  double loudness_lufs = -23;  // EBU R 128
  bool operator==(const PlaySpec&) const = default;
};
struct PlayTags {  // as the source says; each at most limits::kMaxTagBytes of UTF-8
  std::string title{}, artist{}, album{}, track{}, genre{};
  std::string composer{}, language{}, performer{};
  std::string date{};  // ISO 8601, as much of it as is known
  bool operator==(const PlayTags&) const = default;
};

// Recording: of a room at most one at a time.
struct RecordId {  // unique in the process, as its room is
  RoomId room;
  std::uint32_t number = 0;
  auto operator<=>(const RecordId&) const = default;
};
struct RecordSpec {
  RecordId record;
  // NAME.opus in `directory`, mode 0600, is the mix; NAME-N.opus what the participant with the
  // contributor id N sends. If there is such a NAME, NAME-2 takes its place.
  // A directory that is not there is made.
  std::string directory, name;
  std::vector<std::string> comments{};  // "TITLE=...", in each file (RFC 7845 §5.2)
  bool speakers = false;                // files of each of them, too
  // It ends when it has lasted so long, when all files in the directory have so many bytes, and
  // when their disk has less left, to within what a few seconds bring. 0: there is no such bound.
  std::chrono::seconds longest{0};
  std::uint64_t most_bytes = 0, least_free_bytes = 0;
  bool operator==(const RecordSpec&) const = default;
};

// Events.
struct LegOpened {  // gathering of host candidates is done; those of servers follow as
                    // CandidatesGathered
  LegId leg;
  IceCredentials ice;
  std::vector<IceCandidate> candidates;
  DtlsFingerprint fingerprint;
  std::uint32_t ssrc = 0;  // what we send with
  bool operator==(const LegOpened&) const = default;
};
struct CandidatesGathered {
  LegId leg;
  std::vector<IceCandidate> candidates;
  bool operator==(const CandidatesGathered&) const = default;
};
// Of restart_ice(): what the peer is to be told (RFC 8445 §9). Sound goes on over the pair in use;
// LegConnected comes again when the new one carries it. If none connects in time, the old one
// stays. Empty credentials: it could not begin (no port left, unusable credentials, too busy).
struct IceRestarted {
  LegId leg;
  IceCredentials ice;
  std::vector<IceCandidate> candidates;  // CandidatesGathered are of these credentials from now on
  std::string remote_ufrag{};            // of the call it is the outcome of; empty: we offer
  bool operator==(const IceRestarted&) const = default;
};
struct LegConnected {  // ICE, DTLS and the fingerprint check are done: sound can flow both ways;
                       // again when a restart has changed the pair
  LegId leg;
  std::string local, remote;  // the selected pair, "host 192.0.2.1:4000"
  bool operator==(const LegConnected&) const = default;
};
enum class LegFailure {
  no_port,               // no socket or port left: resource-constraint
  ice_failed,            // no pair connected in time: failed-transport
  consent_lost,          // RFC 7675: connectivity-error, unless restart_ice() saves the leg
  fingerprint_mismatch,  // security-error
  dtls_failed,           // security-error
  media_error,
};
struct LegFailed {
  LegId leg;
  LegFailure cause = LegFailure::media_error;
  std::string text;  // for the log
  bool operator==(const LegFailed&) const = default;
};
struct LegQuiet {  // no RTP for 3 s, nor any other sign of life when due; LegHeard ends it
  LegId leg;
  bool operator==(const LegQuiet&) const = default;
};
struct LegHeard {
  LegId leg;
  bool operator==(const LegHeard&) const = default;
};
struct DigitPressed {  // RFC 4733, once per key
  LegId leg;
  char digit = '0';  // 0-9 * # A-D
  std::chrono::milliseconds duration{};
  bool operator==(const DigitPressed&) const = default;
};
struct LegStatistics {
  std::uint64_t sent = 0, received = 0;  // RTP packets
  std::int64_t lost = 0;                 // of those the peer sent (RFC 3550 §6.4.1)
  double jitter_ms = 0, rtt_ms = 0;
  bool operator==(const LegStatistics&) const = default;
};
// The last event of a leg, once for each close_leg(). A key of its last moment is not told any
// more.
struct LegClosed {
  LegId leg;
  LegStatistics statistics;
  bool operator==(const LegClosed&) const = default;
};

struct PlayStarted {  // its first sound is on its way into the mix
  PlayId play;
  PlayTags tags{};
  std::optional<std::chrono::milliseconds> duration{};
  bool seekable = false;
  bool has_video = false;  // of which the sound is played
  bool broadcast = false;  // its server says that it is a station
  bool operator==(const PlayStarted&) const = default;
};
struct PlayTagged {  // they have changed; at most one a second
  PlayId play;
  PlayTags tags;
  bool operator==(const PlayTagged&) const = default;
};
enum class PlayEnd { finished, stopped, error };
// The last event of a piece, exactly once.
struct PlayEnded {
  PlayId play;
  PlayEnd cause = PlayEnd::finished;
  std::string text{};  // of an error: one sentence for whoever wanted to hear it
  bool operator==(const PlayEnded&) const = default;
};

struct RecordReady {  // its folder and its disk take one
  RecordId record;
  bool operator==(const RecordReady&) const = default;
};
struct RecordStarted {
  RecordId record;
  std::string file;  // of the mix
  bool operator==(const RecordStarted&) const = default;
};
struct RecordLost {  // the disk is too slow: silence stands for what there was no room for
  RecordId record;
  std::uint64_t packets = 0;  // since the beginning
  bool operator==(const RecordLost&) const = default;
};
// From now on, whoever has no file yet is in the mix only: so many speakers have one.
struct RecordCrowded {
  RecordId record;
  std::size_t speakers = 0;
  bool operator==(const RecordCrowded&) const = default;
};
enum class RecordEnd { stopped, bound, error };  // bound: of its spec
// The last event of a recording, exactly once. The files are complete up to here, or, after an
// error, to within a second.
struct RecordEnded {
  RecordId record;
  RecordEnd cause = RecordEnd::stopped;
  std::string text{};  // of a bound and an error: one sentence for whoever wanted it
  std::string file{};  // of the mix; empty: there is none
  std::chrono::milliseconds length{};
  std::size_t files = 0;
  std::uint64_t bytes = 0, lost = 0;  // of all files; packets
  bool operator==(const RecordEnded&) const = default;
};

using Event =
    std::variant<LegOpened, CandidatesGathered, IceRestarted, LegConnected, LegFailed, LegQuiet,
                 LegHeard, DigitPressed, LegClosed, PlayStarted, PlayTagged, PlayEnded, RecordReady,
                 RecordStarted, RecordLost, RecordCrowded, RecordEnded>;

// Whose event it is; nullopt: a piece's or a recording's.
inline std::optional<LegId> leg_of(const Event& event) {
  return std::visit(
      [](const auto& e) -> std::optional<LegId> {
        if constexpr (requires { e.leg; }) return e.leg;
        return std::nullopt;
      },
      event);
}

class MediaEngine {
 public:
  virtual ~MediaEngine() = default;

  // For the legs opened from then on, in order of preference; running legs keep theirs. Names are
  // looked up behind this call: a leg opened meanwhile does without those not found yet.
  virtual void set_ice_servers(std::vector<IceServer> servers) = 0;
  // LegOpened or LegFailed follows. A room comes to be with its first leg and ends with its last.
  virtual void open_leg(LegSpec spec) = 0;
  // The peer's half, for a leg opened without.
  virtual void connect_leg(LegId leg, LegRemote remote) = 0;
  // Trickled (XEP-0176 §5.6). Unknown legs are ignored: the close may have overtaken.
  virtual void add_remote_candidates(LegId leg, std::vector<IceCandidate> candidates) = 0;
  // RFC 8445 §9: other credentials and candidates; IceRestarted follows, once, also if it fails.
  // Remote candidates are of the new credentials from here on; DTLS and SRTP stay as they are.
  // `remote`: the peer's new ones. Absent: we are the one who offers; the second call brings them,
  // and no second IceRestarted, unless the first could not begin. An unfinished restart ends with
  // the next.
  virtual void restart_ice(LegId leg, std::optional<IceCredentials> remote) = 0;
  // LegClosed follows, exactly once.
  virtual void close_leg(LegId leg) = 0;
  // Replaces the room's plan from the next tick on. A leg that the plan does not name neither
  // speaks nor hears.
  virtual void set_mix_plan(RoomId room, MixPlan plan) = 0;

  // PlayEnded follows, exactly once, whatever happens; at once if nobody is connected in the room.
  // Several pieces of a room sound at the same time.
  virtual void play(PlaySpec spec) = 0;
  // Unknown pieces are ignored: the end may have overtaken.
  virtual void pause_play(PlayId play, bool on) = 0;
  virtual void seek_play(PlayId play, std::chrono::milliseconds to) = 0;  // if it is seekable
  virtual void stop_play(PlayId play) = 0;

  // RecordReady follows when it can begin; RecordEnded, exactly once, whatever happens; also when
  // the room's last leg is closed. There is no file before it begins.
  virtual void prepare_record(RecordSpec spec) = 0;
  // What is ready begins: RecordStarted follows. What is said by whom the room's plan does not let
  // be recorded is in no file. Unknown recordings are ignored: the end may have overtaken.
  virtual void record(RecordId record) = 0;
  virtual void stop_record(RecordId record) = 0;
};

}  // namespace media
