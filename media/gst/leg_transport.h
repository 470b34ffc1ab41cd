// media/gst/leg_transport.h: one leg's transport: ICE, DTLS, SRTP, RTCP. Lives on its I/O thread;
// from elsewhere it is reached through IoThread's commands. Trickled candidates may come before the
// peer's half, packets before DTLS is done: the former are held (bounded), the latter dropped, for
// the peer cannot have keys either.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "media/gst/dtls_srtp.h"
#include "media/gst/io_thread.h"
#include "media/limits.h"
#include "media/media_engine.h"
#include "media/outbox.h"

namespace media::gst {

// A counter written by one thread and read by any.
class CounterCell {
 public:
  void operator++(int) {
    value_.store(value_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};
using IoCounterCells = BasicIoCounters<CounterCell>;

class LegTransport {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // What all transports of a thread share; outlives them.
  struct Host {
    GMainContext* context = nullptr;
    const IceConfig* ice = nullptr;
    const DtlsIdentity* identity = nullptr;
    IoThread::EventSink emit;
    std::function<void(LegId, TimePoint)> schedule;  // on_deadline() at that time, once; replaces
    IoCounterCells counters;
    // What is being made to be sent.
    std::array<std::uint8_t, limits::kMaxPacketBytes + DtlsSrtp::kTrailer> scratch{};
  };

  LegTransport(Host& host, TransportSpec spec);
  ~LegTransport();  // not from within a callback of its own; emits nothing
  LegTransport(const LegTransport&) = delete;
  LegTransport& operator=(const LegTransport&) = delete;

  // Gathers; LegOpened or LegFailed{no_port}.
  void open() ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread);
  // Not connected limits::kConnectTime later: LegFailed{ice_failed}, or dtls_failed.
  void connect(LegRemote remote) ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread);
  void add_remote_candidates(const std::vector<IceCandidate>& candidates)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread);
  // RFC 8445 §9, with a second agent beside the one in use: IceRestarted, then LegConnected again.
  // Not connected limits::kConnectTime later: the old pair stays; if it is lost meanwhile, only
  // then LegFailed{consent_lost}. Ignored before connect().
  void restart_ice(const IceRestart& restart) ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread);
  // RTP of `size` bytes at the beginning of `buffer`; protected there, as DtlsSrtp says.
  struct Packet {
    LegTransport* leg = nullptr;
    std::span<std::uint8_t> buffer{};
    std::size_t size = 0;
  };
  // In their order; at most kAtOnce. What hundreds of legs need for sending is in no cache when its
  // turn comes: each step is taken for all of them before the next, so that memory is waited for
  // together, and each step's code is at hand.
  static constexpr std::size_t kAtOnce = Outbox::kAtOnce;
  static void send(std::span<const Packet> packets) ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread);
  void on_deadline(TimePoint now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread);
  // RTCP BYE (RFC 3550 §6.6) and DTLS close_notify before the end, if connected.
  void say_bye() ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread);
  LegStatistics statistics() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace media::gst
