#include "media/gst/gst_engine.h"

#include <pthread.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "media/fan_out.h"
#include "media/gst/child_process.h"
#include "media/gst/conference_element.h"
#include "media/gst/control_queue.h"
#include "media/gst/dropped.h"
#include "media/gst/dtls_srtp.h"
#include "media/gst/heap.h"
#include "media/gst/ice_servers.h"
#include "media/gst/io_thread.h"
#include "media/gst/leg_src.h"
#include "media/gst/pieces.h"
#include "media/gst/recorder.h"
#include "media/gst/room_pipeline.h"
#include "media/gst/start.h"
#include "media/gst/tick_pool.h"
#include "media/gst/transport_limits.h"
#include "media/gst/webrtc_dsp.h"
#include "media/thread_role.h"

namespace media::gst {
namespace {

constexpr const char* kTooBusy = "The mixer is too busy.";
// One thread encodes for hundreds of legs; more than four only fight with the I/O threads.
constexpr unsigned kMaxTickThreads = 4;

unsigned cores() { return std::max(1U, std::thread::hardware_concurrency()); }

unsigned io_threads(const EngineConfig& config) {
  return config.io_threads > 0 ? config.io_threads : cores();
}

IceConfig ice_config(const EngineConfig& config) {
  IceConfig ice;
  ice.addresses = config.addresses;
  ice.port_min = config.port_min;
  ice.port_max = config.port_max;
  ice.external_address = config.external_address;
  ice.deny_peers = config.deny_peers;
  return ice;
}

class GstEngine final : public MediaEngine {
 public:
  GstEngine(const EngineConfig& config, std::function<void(Event)> sink)
      : sink_(std::move(sink)),
        log_(config.log ? config.log : [](std::string_view) {}),
        note_(config.note ? config.note : [](std::string_view) {}),
        pool_(std::min(kMaxTickThreads, cores())),
        resolver_([this] { queue_.push(IceServersResolvedCommand{}); }, log_),
        pieces_({.on_event =
                     [this](PlayId play, Event event) {
                       queue_.push(PlayEventCommand{play, std::move(event)});
                     },
                 .over = [this](PlayEnded end) { queue_.push(PlayOverCommand{std::move(end)}); },
                 .program = config.decoder,
                 .fetch = config.fetch},
                [this](Event event) { emit(std::move(event)); }),
        fan_out_(io_threads(config)) {
    const auto ice = ice_config(config);
    for (unsigned i = 0; i < io_threads(config); ++i) {
      io_.push_back(std::make_unique<IoThread>(
          ice, identity_, [this](Event event) { emit_of_transport(std::move(event)); }));
    }
    control_ = std::thread([this] { run(); });
  }

  // 1. control takes what is queued, then takes every pipeline down: no tick, no push any more;
  // 2. the I/O threads end (members in reverse), each leg with its LegClosed;
  // 3. the tick pool, which no room uses, joins.
  ~GstEngine() override {
    queue_.stop();
    control_.join();
  }

  void set_ice_servers(std::vector<IceServer> servers) override {
    queue_.push(SetIceServersCommand{std::move(servers)});
  }
  void open_leg(LegSpec spec) override {
    const auto leg = spec.leg;
    if (queue_.push(OpenLegCommand{std::move(spec)})) return;
    {
      const MutexLock lock(events_mutex_);
      refused_.insert(leg);
    }
    emit(LegFailed{leg, LegFailure::media_error, "too many commands waiting"});
  }
  void connect_leg(LegId leg, LegRemote remote) override {
    queue_.push(ConnectLegCommand{leg, std::move(remote)});
  }
  void add_remote_candidates(LegId leg, std::vector<IceCandidate> candidates) override {
    queue_.push(AddCandidatesCommand{leg, std::move(candidates)});
  }
  void restart_ice(LegId leg, std::optional<IceCredentials> remote) override {
    std::string ufrag = remote ? remote->ufrag : "";
    if (queue_.push(RestartIceCommand{leg, std::move(remote)})) return;
    emit(IceRestarted{leg, {}, {}, std::move(ufrag)});
  }
  void close_leg(LegId leg) override {
    bool refused = false;
    {
      const MutexLock lock(events_mutex_);
      refused = refused_.erase(leg) > 0;
    }
    if (refused) {
      emit(LegClosed{leg, {}});
    } else {
      queue_.push(CloseLegCommand{leg});
    }
  }
  void set_mix_plan(RoomId room, MixPlan plan) override {
    queue_.push(SetPlanCommand{room, std::move(plan)});
  }
  void play(PlaySpec spec) override {
    const auto play = spec.play;
    if (queue_.push(PlayCommand{std::move(spec)})) return;
    emit(PlayEnded{play, PlayEnd::error, kTooBusy});
  }
  void pause_play(PlayId play, bool on) override { queue_.push(PausePlayCommand{play, on}); }
  void seek_play(PlayId play, std::chrono::milliseconds to) override {
    queue_.push(SeekPlayCommand{play, to});
  }
  void stop_play(PlayId play) override { queue_.push(StopPlayCommand{play}); }
  void prepare_record(RecordSpec spec) override {
    const auto record = spec.record;
    if (queue_.push(PrepareRecordCommand{std::move(spec)})) return;
    emit(RecordEnded{.record = record, .cause = RecordEnd::error, .text = kTooBusy});
  }
  void record(RecordId record) override { queue_.push(RecordCommand{record}); }
  void stop_record(RecordId record) override { queue_.push(StopRecordCommand{record}); }

 private:
  struct Leg {
    RoomId room;
    std::uint32_t contributor_id = 0, ssrc = 0;
    VoiceProcessing voice;
    std::size_t thread = 0;
    IoThread* io = nullptr;  // that one
    ElementPtr leg_src;
  };
  struct Room {
    std::unique_ptr<RoomPipeline> pipeline;  // none before the first leg's peer is known
    std::set<LegId> legs;
    std::optional<MixPlan> plan;  // that came before the pipeline
    std::optional<RecordId> recorded;
  };

  // Any of the engine's threads. At most one LegFailed a leg, whoever finds fault first, but for
  // consent_lost, after which a restart may come.
  void emit(Event event) {
    {
      const MutexLock lock(events_mutex_);
      if (const auto* failed = std::get_if<LegFailed>(&event)) {
        const bool final = failed->cause != LegFailure::consent_lost;
        if (final ? !failed_.insert(failed->leg).second : failed_.contains(failed->leg)) return;
      } else if (const auto* closed = std::get_if<LegClosed>(&event)) {
        failed_.erase(closed->leg);
      }
    }
    sink_(std::move(event));
  }

  // I/O threads.
  void emit_of_transport(Event event) {
    const bool closed = std::holds_alternative<LegClosed>(event);
    emit(std::move(event));
    if (closed && worth_trimming()) queue_.push(TrimHeapCommand{});
  }
  bool worth_trimming() {
    const MutexLock lock(events_mutex_);
    return heap_.closed();
  }

  void run() {
    control_thread.assert_here();
    pthread_setname_np(pthread_self(), "mixer-control");
    while (auto command = queue_.wait(dropped_log_.due())) {
      std::visit(
          [this](auto&& typed) {
            control_thread.assert_here();
            carry_out(std::move(typed));
          },
          std::move(*command));
    }
    carry_out(TimePassedCommand{});
    pieces_.clear();
    rooms_.clear();
    legs_.clear();
    for (auto& [id, recorder] : records_) recorder->finish();
    records_.clear();  // each with its RecordEnded, which nobody is left to take from the queue
    while (auto command = queue_.wait()) {
      if (auto* over = std::get_if<RecordOverCommand>(&*command)) emit(std::move(over->end));
    }
  }

  void carry_out(SetIceServersCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    resolver_.set(std::move(command.servers));
    carry_out(IceServersResolvedCommand{});
  }

  void carry_out(IceServersResolvedCommand) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    for (const auto& io : io_) io->set_ice_servers(resolver_.servers());
  }

  void carry_out(OpenLegCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    auto& spec = command.spec;
    if (legs_.contains(spec.leg)) return;  // unique in the process, says its type
    Leg leg;
    leg.room = spec.room;
    leg.contributor_id = spec.contributor_id;
    leg.voice = spec.voice;
    leg.ssrc = random_ssrc();
    leg.thread = fan_out_.add(spec.room);
    leg.io = io_.at(leg.thread).get();
    leg.leg_src = make_leg_src();
    {
      const MutexLock lock(events_mutex_);
      heap_.opened();
    }
    dropped_log_.begin(std::chrono::steady_clock::now());
    rooms_[spec.room].legs.insert(spec.leg);
    leg.io->open({.leg = spec.leg,
                  .ssrc = leg.ssrc,
                  .cname = {},
                  .ice_controlling = spec.ice_controlling,
                  .rtcp_mux = spec.rtcp_mux,
                  .leg_src = leg.leg_src});
    legs_.emplace(spec.leg, std::move(leg));
    if (spec.remote) carry_out(ConnectLegCommand{spec.leg, std::move(*spec.remote)});
  }

  // The leg joins the room's pipeline when it is known what it speaks; what it is sent until it is
  // connected ends at its transport.
  void carry_out(ConnectLegCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const auto entry = legs_.find(command.leg);
    if (entry == legs_.end()) return;
    auto& leg = entry->second;
    try {
      auto& room = rooms_.at(leg.room);
      if (!room.pipeline) {
        room.pipeline = make_pipeline(leg.room);
        if (room.plan) room.pipeline->set_plan(*std::exchange(room.plan, std::nullopt));
      }
      room.pipeline->attach({.leg = command.leg,
                             .contributor_id = leg.contributor_id,
                             .ssrc = leg.ssrc,
                             .rtp = command.remote.rtp,
                             .voice = leg.voice},
                            leg.leg_src, *leg.io);
    } catch (const std::runtime_error& error) {
      emit(LegFailed{command.leg, LegFailure::media_error, error.what()});
      return;
    }
    leg.io->connect(command.leg, std::move(command.remote));
  }

  void carry_out(AddCandidatesCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const auto entry = legs_.find(command.leg);
    if (entry == legs_.end()) return;
    entry->second.io->add_remote_candidates(command.leg, std::move(command.candidates));
  }

  void carry_out(RestartIceCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const auto entry = legs_.find(command.leg);
    if (entry == legs_.end()) return;
    entry->second.io->restart_ice(command.leg, {.remote = std::move(command.remote)});
  }

  void carry_out(CloseLegCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    auto node = legs_.extract(command.leg);
    if (node.empty()) return;
    const auto room = rooms_.find(node.mapped().room);
    if (room->second.pipeline) room->second.pipeline->detach(command.leg);
    room->second.legs.erase(command.leg);
    fan_out_.remove(room->first, node.mapped().thread);
    if (room->second.legs.empty()) close(room);
    node.mapped().io->close(command.leg);  // LegClosed comes from there, after all others
  }

  void carry_out(SetPlanCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const auto room = rooms_.find(command.room);
    if (room == rooms_.end()) return;
    if (room->second.pipeline) {
      room->second.pipeline->set_plan(std::move(command.plan));
    } else {
      room->second.plan = std::move(command.plan);
    }
  }

  void carry_out(PlayCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const auto room = rooms_.find(command.spec.play.room);
    pieces_.play(command.spec, room == rooms_.end() ? nullptr : room->second.pipeline.get());
  }

  void carry_out(PausePlayCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    if (Player* const found = pieces_.find(command.play)) found->pause(command.on);
  }

  void carry_out(SeekPlayCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    if (Player* const found = pieces_.find(command.play)) found->seek(command.to);
  }

  void carry_out(StopPlayCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    pieces_.stop(command.play);
  }

  // By this way, because it must not come after the piece's PlayEnded.
  void carry_out(PlayEventCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    pieces_.tell(command.play, std::move(command.event));
  }

  void carry_out(PlayOverCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    pieces_.over(std::move(command.end));
  }

  void carry_out(PrepareRecordCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const RecordId id = command.spec.record;
    const auto refuse = [&](const char* text) {
      emit(RecordEnded{.record = id, .cause = RecordEnd::error, .text = text});
    };
    if (records_.contains(id)) return;  // unique in the process, says its type
    const auto room = rooms_.find(id.room);
    if (room == rooms_.end() || !room->second.pipeline) return refuse("Nobody is there.");
    if (room->second.recorded) return refuse("The call is being recorded already.");
    if (records_.size() >= limits::kMaxRecords) return refuse("Too much is recorded at once.");
    std::unique_ptr<Recorder> recorder;
    try {
      recorder = std::make_unique<Recorder>(
          std::move(command.spec),
          Recorder::Parts{
              .on_event = [this](Event event) { emit(std::move(event)); },
              .over = [this](RecordEnded end) { queue_.push(RecordOverCommand{std::move(end)}); }});
    } catch (const std::system_error&) {
      return refuse(kNoThreadLeft);
    }
    room->second.recorded = id;
    records_.emplace(id, std::move(recorder));
  }

  void carry_out(RecordCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const auto found = records_.find(command.record);
    const auto room = rooms_.find(command.record.room);
    if (found == records_.end() || room == rooms_.end()) return;
    if (room->second.recorded != command.record) return;  // of a room before it with this id
    found->second->begin();
    room->second.pipeline->record(found->second->tap());
  }

  // What it has left to write does not keep this thread; RecordOverCommand follows.
  void carry_out(StopRecordCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const auto found = records_.find(command.record);
    if (found != records_.end()) found->second->finish();
  }

  void carry_out(RecordOverCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const RecordId id = command.end.record;
    const auto room = rooms_.find(id.room);
    if (room != rooms_.end() && room->second.recorded == id) {
      room->second.recorded.reset();
      room->second.pipeline->record({});
    }
    records_.erase(id);
    emit(std::move(command.end));
  }

  void close(std::map<RoomId, Room>::iterator room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    pieces_.stop_all(room->first);
    if (room->second.recorded) carry_out(StopRecordCommand{*room->second.recorded});
    if (room->second.pipeline) {
      const ConferenceLoad load = room->second.pipeline->load();
      tell(note_, "room closed", room->first, load);
      dropped_in_closed_rooms_ += load.dropped;
    }
    rooms_.erase(room);
  }

  void carry_out(PipelineErrorCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const auto room = rooms_.find(command.room);
    if (room == rooms_.end()) return;
    for (const auto leg : room->second.legs) {
      if (command.leg && *command.leg != leg) continue;
      emit(LegFailed{leg, LegFailure::media_error, command.text});
    }
  }

  // By this way, because it must not come after the leg's LegClosed.
  void carry_out(TickEventCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    const auto leg = leg_of(command.event);
    if (leg && legs_.contains(*leg)) emit(std::move(command.event));
  }

  void carry_out(TimePassedCommand) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    Dropped all{.ring_full = dropped_in_closed_rooms_};
    for (const auto& io : io_) all += io->counters();
    for (const auto& [id, room] : rooms_) {
      if (room.pipeline) all.ring_full += room.pipeline->load().dropped;
    }
    dropped_log_.tell(all, rooms_.empty(), std::chrono::steady_clock::now());
  }

  void carry_out(TrimHeapCommand) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) { trim_heap(); }

  void carry_out(ComplexityChangedCommand command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    tell(log_, "late ticks have changed the encoders' complexity", command.room, command.load);
  }

  static void tell(const std::function<void(std::string_view)>& log, const std::string& what,
                   RoomId room, const ConferenceLoad& load) {
    log(what + ": room=" + std::to_string(room.value) + " " + to_string(load));
  }

  std::unique_ptr<RoomPipeline> make_pipeline(RoomId room) {
    ConferenceHooks hooks;
    hooks.after_tick = [this] {
      for (const auto& io : io_) io->flush();
    };
    hooks.on_event = [this](Event event) { queue_.push(TickEventCommand{std::move(event)}); };
    hooks.on_complexity = [this, room](const ConferenceLoad& load) {
      queue_.push(ComplexityChangedCommand{room, load});
    };
    return std::make_unique<RoomPipeline>(
        pool_, std::move(hooks), [this, room](std::optional<LegId> leg, std::string text) {
          queue_.push(PipelineErrorCommand{room, leg, std::move(text)});
        });
  }

  std::uint32_t random_ssrc() { return std::uniform_int_distribution<std::uint32_t>(1)(random_); }

  // Constant after construction. Order matters, see the destructor.
  const std::function<void(Event)> sink_;
  const std::function<void(std::string_view)> log_, note_;
  DtlsIdentity identity_;
  TickPool pool_;
  ControlQueue queue_{limits::kControlCommands};
  IceServerResolver resolver_;
  Mutex events_mutex_;
  std::set<LegId> failed_ ABSL_GUARDED_BY(events_mutex_);
  std::set<LegId> refused_ ABSL_GUARDED_BY(events_mutex_);
  HeapTrim heap_ ABSL_GUARDED_BY(events_mutex_);
  std::vector<std::unique_ptr<IoThread>> io_;

  // Control thread.
  std::map<RoomId, Room> rooms_ ABSL_GUARDED_BY(control_thread);
  std::map<LegId, Leg> legs_ ABSL_GUARDED_BY(control_thread);
  Pieces pieces_ ABSL_GUARDED_BY(control_thread);
  std::map<RecordId, std::unique_ptr<Recorder>> records_ ABSL_GUARDED_BY(control_thread);
  DroppedLog dropped_log_ ABSL_GUARDED_BY(control_thread){log_, note_};
  std::uint64_t dropped_in_closed_rooms_ ABSL_GUARDED_BY(control_thread) = 0;
  FanOut fan_out_ ABSL_GUARDED_BY(control_thread);
  std::random_device random_;

  std::thread control_;
};

}  // namespace

std::unique_ptr<MediaEngine> make_gst_engine(EngineConfig config, std::function<void(Event)> sink) {
  start_gstreamer();
  if (config.voice_processing && !has_webrtc_dsp()) {
    throw std::runtime_error(
        "denoise and automatic-gain need GStreamer's webrtcdsp (gstreamer1.0-plugins-bad)");
  }
  return std::make_unique<GstEngine>(config, std::move(sink));
}

}  // namespace media::gst
