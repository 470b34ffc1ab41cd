// media/gst/io_thread.h: one of the few threads on which legs' transports live: ICE, DTLS, SRTP and
// RTCP of each leg are touched here and nowhere else. Others speak to it by value: commands through
// a queue, RTP through a preallocated outbox; GLib only wakes.
//
// Used by the engine, and by anything that is a caller itself: open() a transport whose packets go
// to a leg_src (leg_src.h) of the caller's own pipeline, send through a leg_sink (leg_sink.h),
// connect() when the peer's half is known, close() at the end.
//
// Lifetime. An IoThread outlives every leg_sink made for it and every pipeline around them. A leg
// ends like this; each step is safe whatever the other threads do meanwhile:
//   1. control sets leg_src and leg_sink to NULL and takes them out of the pipeline, while this
//      thread may be inside leg_src_push(): it holds a reference to the element (TransportSpec), so
//      the push ends in "flushing" or "not linked" and the packet is dropped;
//   2. a tick under way, which goes past the leg_sink, puts one more packet into the outbox;
//   3. control calls close(leg). The transport is destroyed on this thread, never from within a
//      callback of its own; LegClosed is its last event;
//   4. packets still in the outbox name the leg by its id, find none, and are dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/gst/gst_ptr.h"
#include "media/gst/ice_config.h"
#include "media/media_engine.h"
#include "media/thread_role.h"

namespace media::gst {

class DtlsIdentity;

// "Runs on the I/O thread of the leg at hand."
inline constexpr ThreadRole io_thread;

struct TransportSpec {
  LegId leg;               // unique on this IoThread while open
  std::uint32_t ssrc = 0;  // of what we send: RTP with another one is dropped
  std::string cname{};     // RFC 3550 §6.5.1, in our RTCP; empty: made from the ssrc
  bool ice_controlling = false;
  bool rtcp_mux = true;  // false: component 2 is gathered too
  ElementPtr leg_src{};  // where what was received goes; null: only counted
};

struct IceRestart {
  std::optional<IceCredentials> remote{};  // MediaEngine::restart_ice()
  // For a caller that moves to another network: its local addresses there, and the old sockets are
  // closed at once.
  std::vector<std::string> moved_to{};
};

// What happened on the thread so far; hostile packets show here and in the sums that the log is
// told (dropped.h).
template <class Cell>
struct BasicIoCounters {
  Cell rtp_sent{}, rtp_received{};
  Cell rtcp_sent{}, rtcp_received{};
  Cell srtp_rejected{};  // bad tag, replayed, malformed
  Cell dtls_received{};  // datagrams that reached a DTLS association
  Cell junk{};           // neither STUN, DTLS nor RTP (RFC 7983), or too long
  Cell early{};          // media before DTLS was done: dropped
  Cell unsent{};         // not connected (any more), foreign SSRC
  Cell refused{};        // ready to go, but the socket is full or there is no route
  Cell outbox_full{};    // pushed faster than this thread sends
  Cell batches{};        // times that it was woken for its outbox
  Cell candidates_skipped{};
};
using IoCounters = BasicIoCounters<std::uint64_t>;

class IoThread {
 public:
  // Called on this thread with the events of its transports: LegOpened, CandidatesGathered,
  // IceRestarted, LegConnected, LegFailed (of each leg once, but for consent_lost), LegQuiet,
  // LegHeard, and LegClosed as the last.
  // Must not block. It may post commands: they are carried out later, never from within the call.
  using EventSink = std::function<void(Event)>;

  // `identity` outlives the thread. Throws std::invalid_argument for an address in `config` that is
  // none; servers are given by address (ice_servers.h).
  IoThread(IceConfig config, const DtlsIdentity& identity, EventSink sink);
  // Closes every transport (each with its LegClosed) and joins.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Any thread. In order; at most limits::kIoCommands wait, then the caller does (never this thread
  // itself, which is exempt). Commands for a leg that is not open are ignored.
  void set_ice_servers(std::vector<IceServer> servers);  // by address; for legs opened from then on
  void open(TransportSpec spec);                         // LegOpened or LegFailed follows
  void connect(LegId leg, LegRemote remote);  // the peer's half; LegConnected or LegFailed follows
  void add_remote_candidates(LegId leg, std::vector<IceCandidate> candidates);
  void restart_ice(LegId leg, IceRestart restart);
  void close(LegId leg);  // LegClosed follows, exactly once

  // Any thread; takes no lock, allocates nothing, copies: header and payload one behind the other.
  // Sent after the next flush(). Full outbox (limits::kOutboxBytes): dropped and counted.
  void enqueue(LegId leg, std::span<const std::uint8_t> header,
               std::span<const std::uint8_t> payload);
  void enqueue(LegId leg, BufferPtr rtp);
  // Any thread; takes no lock. Wakes the thread when something was enqueued since it last looked.
  void flush();

  IoCounters counters() const;  // any thread

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace media::gst
