// media/gst/conference_room.h: the part of `opusconference` that ticks: the room's mixer, the edits
// on their way to it, and the pads its packets go to. Control edits it, a tick thread ticks it;
// neither waits for the other.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "media/gst/conference_element.h"
#include "media/gst/gst_ptr.h"
#include "media/gst/leg_sink.h"
#include "media/gst/tick_pool.h"
#include "media/gst/webrtc_dsp.h"
#include "media/handoff.h"
#include "media/play_source.h"
#include "media/room_mixer.h"
#include "media/spsc_ring.h"
#include "media/thread_role.h"

namespace media::gst {

class ConferenceRoom final : public TickPool::Room {
 public:
  struct Leg : MixLeg {
    explicit Leg(const ConferenceLeg& spec) : MixLeg(spec, make_webrtc_dsp(spec.voice)) {}
    // The tick's: where its packets go. Empty: nowhere; with a route: there, past the pad.
    PadPtr src;
    LegRoute route;
  };
  struct Counters {  // of the last tick; `ticks` since start()
    std::atomic<std::uint32_t> encodes{0}, encodes_saved{0}, decodes{0}, pushes{0}, legs{0};
    std::atomic<std::uint64_t> ticks{0};
  };

  ConferenceRoom() = default;
  ~ConferenceRoom() override;  // stopped

  // Control (one thread at a time: the element holds its lock). The edits happen in their order,
  // before the next tick; at once when the room does not tick.
  void configure(TickPool* pool, ConferenceHooks hooks);  // stopped
  void add(Leg& leg);
  void update(Leg& leg, const ConferenceLeg& spec);
  void attach(Leg& leg, PadPtr src, LegRoute route);  // empty: detach
  void remove(std::unique_ptr<Leg> leg);
  void add(PlaySource& source);
  void remove(std::shared_ptr<PlaySource> source);
  void attach_mix(PadPtr src);
  void record(std::shared_ptr<RecordTap> tap);  // empty: no more
  void set_plan(MixPlan plan);

  // Ticks every 20 ms of this clock, until stop(), which waits for the tick that runs. `base_time`:
  // the element's, for the buffers' timestamps.
  void start(GstClock* clock, GstClockTime base_time);
  void stop();

  const Counters& counters() const { return counters_; }  // any thread
  ConferenceLoad load() const;                            // any thread

  void tick() override;  // a tick thread

  // A running time as PacketRing and RoomMixer take it. Any thread.
  static std::uint32_t samples_of(GstClockTime running_time);

 private:
  using Packers = std::vector<std::unique_ptr<FramePacker>>;
  struct Edit {
    enum class Kind { add, update, attach, remove, add_play, remove_play, attach_mix, record } kind;
    Leg* leg = nullptr;
    std::unique_ptr<Leg> owned_leg{};  // remove: travels there and back, and is freed here
    PlaySource* play = nullptr;
    std::shared_ptr<PlaySource> owned_play{};
    PadPtr pad{};
    LegRoute route{};
    std::shared_ptr<RecordTap> tap{};
    ConferenceLeg spec{};
    // What the tick would have to allocate.
    std::unique_ptr<RoomMixer::Space> space{};
    Packers packers{};
    Edit* next = nullptr;
  };
  // A plan on its way; travels back for freeing as well.
  struct PlanNode {
    MixPlan plan;
    Packers packers{};
    PlanNode* next = nullptr;
  };
  struct Gate;

  void post(std::unique_ptr<Edit> edit);
  std::unique_ptr<RoomMixer::Space> more_space();
  void reclaim();
  void apply_edits() ABSL_EXCLUSIVE_LOCKS_REQUIRED(tick_role_);
  void apply(Edit& edit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tick_role_);
  void one_tick(unsigned skipped, std::chrono::nanoseconds late)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tick_role_);
  void count(unsigned skipped, std::chrono::nanoseconds late)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tick_role_);
  void push_packets(GstClockTime pts) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tick_role_);
  void push(Leg& leg, const RoomMixer::Outgoing& out, GstClockTime pts)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tick_role_);
  void push_mix(GstClockTime pts) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tick_role_);
  GstMemory* payload_of(const MixEncoder& stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tick_role_);
  static gboolean on_clock(GstClock*, GstClockTime, GstClockID, gpointer gate) noexcept;
  void due();
  void tell_news();

  // Constant while ticking.
  TickPool* pool_ = nullptr;
  ConferenceHooks hooks_;
  GstClock* clock_ = nullptr;
  GstClockTime first_tick_ = 0, base_time_ = 0;

  // Control.
  bool ticking_ = false;
  GstClockID clock_id_ = nullptr;
  Gate* gate_ = nullptr;               // one of its two references
  std::size_t legs_ = 0, pieces_ = 0;  // as of the last edit posted
  std::size_t space_legs_ = 0, space_pieces_ = 0;

  // Between them.
  Handoff<Edit> edits_, returned_edits_;
  std::atomic<PlanNode*> new_plan_{nullptr};
  Handoff<PlanNode> returned_plans_;
  // What the tick has to tell; the clock's thread tells it, 20 ms later: whoever is told may wait
  // for a lock. More keys than that are a flood.
  SpscRing<DigitPressed, 256> digits_;
  std::atomic<bool> complexity_changed_{false};
  Counters counters_;
  struct Totals {  // ConferenceLoad's; written by the tick
    std::atomic<std::uint64_t> ticks{0}, late{0}, skipped{0}, worst_late_ns{0}, encodes{0},
        saved{0}, dropped{0};
    std::atomic<int> complexity{MixEncoder::kComplexity};
  };
  Totals totals_;

  // The tick's; control's while there is none.
  ThreadRole tick_role_;
  RoomMixer mixer_ ABSL_GUARDED_BY(tick_role_);
  PadPtr mix_pad_ ABSL_GUARDED_BY(tick_role_);
  std::shared_ptr<RecordTap> tap_ ABSL_GUARDED_BY(tick_role_);
  std::unique_ptr<PlanNode> plan_ ABSL_GUARDED_BY(tick_role_);
  std::uint64_t ticks_done_ ABSL_GUARDED_BY(tick_role_) = 0;
  std::vector<std::pair<const MixEncoder*, GstMemory*>> payloads_ ABSL_GUARDED_BY(tick_role_);
};

}  // namespace media::gst
