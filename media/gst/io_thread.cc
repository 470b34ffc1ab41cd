#include "media/gst/io_thread.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>

#include "media/gst/candidate_filter.h"
#include "media/gst/dtls_srtp.h"
#include "media/gst/ice_agent.h"
#include "media/gst/leg_transport.h"
#include "media/gst/socket_poller.h"
#include "media/gst/transport_limits.h"
#include "media/limits.h"
#include "media/outbox.h"

namespace media::gst {
namespace {

using TimePoint = LegTransport::TimePoint;

struct Open {
  TransportSpec spec;
};
struct Connect {
  LegId leg;
  LegRemote remote;
};
struct AddCandidates {
  LegId leg;
  std::vector<IceCandidate> candidates;
};
struct Restart {
  LegId leg;
  IceRestart restart;
};
struct Close {
  LegId leg;
};
struct SetIceServers {
  std::vector<IceServer> servers;
};
using Command = std::variant<SetIceServers, Open, Connect, AddCandidates, Restart, Close>;

struct LegIdHash {
  std::size_t operator()(LegId leg) const { return std::hash<std::uint64_t>()(leg.value); }
};

}  // namespace

class IoThread::Impl {
 public:
  Impl(IceConfig config, const DtlsIdentity& identity, EventSink sink)
      : config_(std::move(config)), context_(g_main_context_new()), poller_([this] {
          io_thread.assert_here();
          return work();
        }) {
    // Throws here, in the caller's thread, when an address cannot be parsed.
    const CandidateFilter check(config_.addresses, config_.deny_peers);
    host_.context = context_.get();
    host_.ice = &config_;
    host_.identity = &identity;
    host_.emit = std::move(sink);
    host_.schedule = [this](LegId leg, TimePoint when) {
      io_thread.assert_here();
      schedule(leg, when);
    };
    thread_ = std::thread([this] { run(); });
  }

  ~Impl() {
    stopping_ = true;
    wake();
    thread_.join();
    flushes_.load(std::memory_order_acquire);  // after the last one
  }

  void post(Command command) {
    {
      const MutexLock lock(mutex_);
      const bool own_thread = std::this_thread::get_id() == thread_.get_id();
      while (!own_thread && commands_.size() >= limits::kIoCommands) space_.wait(mutex_);
      commands_.push_back(std::move(command));
    }
    wake();
  }

  void enqueue(LegId leg, std::span<const std::uint8_t> header,
               std::span<const std::uint8_t> payload) {
    if (!outbox_.push(leg.value, header, payload)) {
      outbox_full_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void flush() {
    if (outbox_.waiting() && !outbox_ready_.exchange(true, std::memory_order_acq_rel)) {
      poller_.signal();
    }
    // A pipeline that was stopped before the destructor orders this by GStreamer's locks only.
    flushes_.fetch_add(1, std::memory_order_release);
  }

  IoCounters counters() const {
    const auto& cells = host_.counters;
    return {.rtp_sent = cells.rtp_sent.get(),
            .rtp_received = cells.rtp_received.get(),
            .rtcp_sent = cells.rtcp_sent.get(),
            .rtcp_received = cells.rtcp_received.get(),
            .srtp_rejected = cells.srtp_rejected.get(),
            .dtls_received = cells.dtls_received.get(),
            .junk = cells.junk.get(),
            .early = cells.early.get(),
            .unsent = cells.unsent.get(),
            .refused = cells.refused.get(),
            .outbox_full = outbox_full_.load(std::memory_order_relaxed),
            .batches = cells.batches.get(),
            .candidates_skipped = cells.candidates_skipped.get()};
  }

 private:
  struct Leg {
    Leg(LegTransport::Host& host, TransportSpec spec) : transport(host, std::move(spec)) {}
    LegTransport transport;
    TimePoint deadline = TimePoint::max();
  };

  void wake() {
    pending_.store(true, std::memory_order_release);
    poller_.signal();
  }

  void run() {
    io_thread.assert_here();
    pthread_setname_np(pthread_self(), "mixer-io");
    g_main_context_push_thread_default(context_.get());
    poller_.install(context_.get());
    while (!stopping_) g_main_context_iteration(context_.get(), TRUE);
    carry_out_commands();  // what was posted before the end still opens and closes in order
    while (!legs_.empty()) close(legs_.begin()->first);
    give_allocations_back();
    // Agents' last callbacks (sources they destroy).
    for (int i = 0; i < 100 && g_main_context_iteration(context_.get(), FALSE); ++i) {
    }
    g_main_context_pop_thread_default(context_.get());
  }

  SocketPoller::Work work() ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread) {
    using Glib = SocketPoller::Work::Glib;
    const bool commands = pending_.exchange(false, std::memory_order_acquire);
    if (commands) carry_out_commands();
    if (outbox_ready_.exchange(false, std::memory_order_acquire)) send_outbox();
    const bool deadlines = meet_deadlines(std::chrono::steady_clock::now());
    return {.next = deadlines_.empty() ? TimePoint::max() : deadlines_.begin()->first,
            .glib = commands    ? Glib::now
                    : deadlines ? Glib::soon
                                : Glib::no};
  }

  void carry_out_commands() ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread) {
    std::deque<Command> batch;
    {
      const MutexLock lock(mutex_);
      batch.swap(commands_);
    }
    space_.notify_all();
    for (auto& command : batch) {
      if (auto* set = std::get_if<SetIceServers>(&command)) {
        config_.servers = std::move(set->servers);
      } else if (auto* open = std::get_if<Open>(&command)) {
        open_leg(std::move(open->spec));
      } else if (auto* connect = std::get_if<Connect>(&command)) {
        if (auto* leg = find(connect->leg)) leg->transport.connect(std::move(connect->remote));
      } else if (auto* add = std::get_if<AddCandidates>(&command)) {
        if (auto* leg = find(add->leg)) leg->transport.add_remote_candidates(add->candidates);
      } else if (auto* restart = std::get_if<Restart>(&command)) {
        if (auto* leg = find(restart->leg)) leg->transport.restart_ice(restart->restart);
      } else {
        close(std::get<Close>(command).leg);
      }
    }
  }

  void send_outbox() ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread) {
    host_.counters.batches++;
    outbox_.drain([this](std::span<const Outbox::Packet> batch) {
      io_thread.assert_here();
      std::array<LegTransport::Packet, Outbox::kAtOnce> packets;
      std::size_t count = 0;
      for (const Outbox::Packet& each : batch) {
        if (auto* leg = find(LegId{each.to})) {
          packets[count++] = {&leg->transport, each.buffer, each.size};
        } else {
          host_.counters.unsent++;
        }
      }
      LegTransport::send(std::span(packets).first(count));
    });
  }

  void give_allocations_back() {
    bool late = false;
    GSource* limit = g_timeout_source_new(static_cast<guint>(limits::kGiveBackTime.count()));
    const GSourceFunc passed = [](gpointer flag) noexcept -> gboolean {
      *static_cast<bool*>(flag) = true;
      return G_SOURCE_REMOVE;
    };
    g_source_set_callback(limit, passed, &late, nullptr);
    g_source_attach(limit, context_.get());
    while (IceAgent::giving_back() > 0 && !late) g_main_context_iteration(context_.get(), TRUE);
    g_source_destroy(limit);
    g_source_unref(limit);
  }

  void open_leg(TransportSpec spec) ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread) {
    const auto id = spec.leg;
    const auto [entry, fresh] = legs_.try_emplace(id, host_, std::move(spec));
    if (fresh) entry->second.transport.open();
  }

  void close(LegId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread) {
    const auto entry = legs_.find(id);
    if (entry == legs_.end()) return;
    entry->second.transport.say_bye();
    const auto statistics = entry->second.transport.statistics();
    deadlines_.erase({entry->second.deadline, id});
    legs_.erase(entry);
    host_.emit(LegClosed{id, statistics});
  }

  Leg* find(LegId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread) {
    const auto entry = legs_.find(id);
    return entry == legs_.end() ? nullptr : &entry->second;
  }

  void schedule(LegId id, TimePoint when) ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread) {
    auto* leg = find(id);
    if (!leg || leg->deadline == when) return;
    deadlines_.erase({leg->deadline, id});
    leg->deadline = when;
    if (when != TimePoint::max()) deadlines_.insert({when, id});
  }

  // True: some were due.
  bool meet_deadlines(TimePoint now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(io_thread) {
    // Due ones first into a list: a leg may set its next one, which is not to be met in this round.
    std::vector<LegId> due;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      due.push_back(deadlines_.begin()->second);
      legs_.at(due.back()).deadline = TimePoint::max();
      deadlines_.erase(deadlines_.begin());
    }
    for (const auto id : due) {
      if (auto* leg = find(id)) leg->transport.on_deadline(now);
    }
    return !due.empty();
  }

  // Constant after construction, but config_.servers, which is the I/O thread's.
  IceConfig config_;
  ContextPtr context_;
  std::thread thread_;

  // I/O thread; the counters are read by any.
  LegTransport::Host host_;
  std::unordered_map<LegId, Leg, LegIdHash> legs_ ABSL_GUARDED_BY(io_thread);
  std::set<std::pair<TimePoint, LegId>> deadlines_ ABSL_GUARDED_BY(io_thread);

  SocketPoller poller_;

  // Any thread.
  std::atomic<bool> pending_{false}, outbox_ready_{false}, stopping_{false};
  Outbox outbox_{limits::kOutboxBytes, DtlsSrtp::kTrailer};
  std::atomic<std::uint64_t> outbox_full_{0}, flushes_{0};
  Mutex mutex_;
  std::condition_variable_any space_;
  std::deque<Command> commands_ ABSL_GUARDED_BY(mutex_);
};

IoThread::IoThread(IceConfig config, const DtlsIdentity& identity, EventSink sink)
    : impl_(std::make_unique<Impl>(std::move(config), identity, std::move(sink))) {}
IoThread::~IoThread() = default;

void IoThread::set_ice_servers(std::vector<IceServer> servers) {
  impl_->post(SetIceServers{std::move(servers)});
}
void IoThread::open(TransportSpec spec) { impl_->post(Open{std::move(spec)}); }
void IoThread::connect(LegId leg, LegRemote remote) {
  impl_->post(Connect{leg, std::move(remote)});
}
void IoThread::add_remote_candidates(LegId leg, std::vector<IceCandidate> candidates) {
  impl_->post(AddCandidates{leg, std::move(candidates)});
}
void IoThread::restart_ice(LegId leg, IceRestart restart) {
  impl_->post(Restart{leg, std::move(restart)});
}
void IoThread::close(LegId leg) { impl_->post(Close{leg}); }
void IoThread::enqueue(LegId leg, std::span<const std::uint8_t> header,
                       std::span<const std::uint8_t> payload) {
  impl_->enqueue(leg, header, payload);
}
void IoThread::enqueue(LegId leg, BufferPtr rtp) {
  // One byte more than is sent, so that what is too long is seen to be.
  std::array<std::uint8_t, limits::kMaxPacketBytes + 1> bytes;
  const auto size = gst_buffer_extract(rtp.get(), 0, bytes.data(), bytes.size());
  impl_->enqueue(leg, std::span(bytes).first(size), {});
}
void IoThread::flush() { impl_->flush(); }
IoCounters IoThread::counters() const { return impl_->counters(); }

}  // namespace media::gst
