#include "media/gst/conference_room.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <utility>

#include "media/check.h"
#include "media/gst/io_thread.h"

namespace media::gst {
namespace {

constexpr GstClockTime kTick_ns = 20 * GST_MSECOND;
// A room that is one tick late makes both; later than that the rest is left out, not made up for in
// a burst.
constexpr std::uint64_t kMostAtOnce = 2;

GstMemory* copy_of(std::span<const std::uint8_t> bytes) {
  GstMemory* const memory = gst_allocator_alloc(nullptr, bytes.size(), nullptr);
  GstMapInfo map;
  CHECK(gst_memory_map(memory, &map, GST_MAP_WRITE));
  std::memcpy(map.data, bytes.data(), bytes.size());
  gst_memory_unmap(memory, &map);
  return memory;
}

}  // namespace

// What the clock's callback holds: it may still be under way when the room is stopped.
// Counted by ourselves: a hand-over by shared_ptr would rest on the clock's lock alone.
struct ConferenceRoom::Gate {
  Mutex mutex;
  ConferenceRoom* room ABSL_GUARDED_BY(mutex) = nullptr;
  std::atomic<int> references{2};  // the room's and the clock's
  // Every gate is published by adding to it and taken by reading it: the order that the clock's own
  // lock gives as well, but visibly to ThreadSanitizer.
  static inline std::atomic<std::uint64_t> published{0};

  static Gate* take(gpointer gate) {
    (void)published.load(std::memory_order_acquire);
    return static_cast<Gate*>(gate);
  }
  // Also from the clock's thread, and there without a callback before it when the room stopped at
  // once.
  static void release(gpointer gate) {
    Gate* const self = take(gate);
    if (self->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete self;
  }
};

ConferenceRoom::~ConferenceRoom() {
  CHECK(!ticking_);
  reclaim();
  delete new_plan_.load(std::memory_order_acquire);
}

void ConferenceRoom::configure(TickPool* pool, ConferenceHooks hooks) {
  CHECK(!ticking_);
  pool_ = pool;
  hooks_ = std::move(hooks);
}

void ConferenceRoom::add(Leg& leg) {
  auto edit = std::make_unique<Edit>();
  edit->kind = Edit::Kind::add;
  edit->leg = &leg;
  edit->packers.push_back(std::make_unique<FramePacker>(1));
  ++legs_;
  edit->space = more_space();
  post(std::move(edit));
}

void ConferenceRoom::update(Leg& leg, const ConferenceLeg& spec) {
  auto edit = std::make_unique<Edit>();
  edit->kind = Edit::Kind::update;
  edit->leg = &leg;
  edit->spec = spec;
  edit->packers.push_back(std::make_unique<FramePacker>(1));
  post(std::move(edit));
}

void ConferenceRoom::attach(Leg& leg, PadPtr src, LegRoute route) {
  auto edit = std::make_unique<Edit>();
  edit->kind = Edit::Kind::attach;
  edit->leg = &leg;
  edit->pad = std::move(src);
  edit->route = route;
  post(std::move(edit));
}

void ConferenceRoom::remove(std::unique_ptr<Leg> leg) {
  auto edit = std::make_unique<Edit>();
  edit->kind = Edit::Kind::remove;
  edit->leg = leg.get();
  edit->owned_leg = std::move(leg);
  --legs_;
  post(std::move(edit));
}

void ConferenceRoom::add(PlaySource& source) {
  auto edit = std::make_unique<Edit>();
  edit->kind = Edit::Kind::add_play;
  edit->play = &source;
  ++pieces_;
  edit->space = more_space();
  post(std::move(edit));
}

void ConferenceRoom::remove(std::shared_ptr<PlaySource> source) {
  auto edit = std::make_unique<Edit>();
  edit->kind = Edit::Kind::remove_play;
  edit->play = source.get();
  edit->owned_play = std::move(source);
  --pieces_;
  post(std::move(edit));
}

void ConferenceRoom::attach_mix(PadPtr src) {
  auto edit = std::make_unique<Edit>();
  edit->kind = Edit::Kind::attach_mix;
  edit->pad = std::move(src);
  post(std::move(edit));
}

void ConferenceRoom::record(std::shared_ptr<RecordTap> tap) {
  auto edit = std::make_unique<Edit>();
  edit->kind = Edit::Kind::record;
  edit->tap = std::move(tap);
  post(std::move(edit));
}

void ConferenceRoom::set_plan(MixPlan plan) {
  std::sort(plan.legs.begin(), plan.legs.end(),
            [](const LegPlan& a, const LegPlan& b) { return a.leg < b.leg; });
  auto node = std::make_unique<PlanNode>(PlanNode{.plan = std::move(plan)});
  for (const LegPlan& leg : node->plan.legs) {
    if (leg.packet_ms > kTick.count()) node->packers.push_back(std::make_unique<FramePacker>(1));
  }
  // A plan that was not taken yet is replaced.
  delete new_plan_.exchange(node.release(), std::memory_order_acq_rel);
  if (!ticking_) {
    tick_role_.assert_here();
    apply_edits();
  }
  reclaim();
}

// Twice as much as before, so that many joins move little.
std::unique_ptr<RoomMixer::Space> ConferenceRoom::more_space() {
  if (legs_ <= space_legs_ && pieces_ <= space_pieces_) return nullptr;
  if (legs_ > space_legs_) space_legs_ = std::max<std::size_t>(2 * legs_, 8);
  space_pieces_ = std::max(space_pieces_, pieces_);
  return std::make_unique<RoomMixer::Space>(space_legs_, space_pieces_);
}

void ConferenceRoom::post(std::unique_ptr<Edit> edit) {
  edits_.push(std::move(edit));
  if (!ticking_) {
    tick_role_.assert_here();
    apply_edits();
  }
  reclaim();
}

// What the tick is done with is freed here, not there.
void ConferenceRoom::reclaim() {
  returned_edits_.drain([](std::unique_ptr<Edit>) {});
  returned_plans_.drain([](std::unique_ptr<PlanNode>) {});
}

void ConferenceRoom::apply_edits() {
  edits_.drain([this](std::unique_ptr<Edit> edit) {
    tick_role_.assert_here();
    apply(*edit);
    returned_edits_.push(std::move(edit));
  });
  if (PlanNode* const plan = new_plan_.exchange(nullptr, std::memory_order_acq_rel)) {
    mixer_.lend(plan->packers);
    mixer_.set_plan(plan->plan);
    mixer_.lend(plan->packers);
    if (plan_) returned_plans_.push(std::move(plan_));
    plan_.reset(plan);
  }
  counters_.legs.store(static_cast<std::uint32_t>(mixer_.legs()), std::memory_order_relaxed);
}

void ConferenceRoom::apply(Edit& edit) {
  if (edit.space) mixer_.move_to(*edit.space);
  mixer_.lend(edit.packers);
  switch (edit.kind) {
    case Edit::Kind::add:
      mixer_.add(*edit.leg);
      mixer_.attach(*edit.leg, false);
      break;
    case Edit::Kind::update: mixer_.update(*edit.leg, edit.spec); break;
    case Edit::Kind::attach:
      mixer_.attach(*edit.leg, static_cast<bool>(edit.pad));
      std::swap(edit.leg->src, edit.pad);
      edit.leg->route = edit.route;
      break;
    case Edit::Kind::remove: mixer_.remove(*edit.leg); break;
    case Edit::Kind::add_play: mixer_.add(*edit.play); break;
    case Edit::Kind::remove_play: mixer_.remove(*edit.play); break;
    case Edit::Kind::attach_mix: std::swap(mix_pad_, edit.pad); break;
    case Edit::Kind::record:
      std::swap(tap_, edit.tap);  // the old one goes with the edit, and not here
      mixer_.record(tap_.get());
      break;
  }
  mixer_.lend(edit.packers);
}

void ConferenceRoom::start(GstClock* clock, GstClockTime base_time) {
  CHECK(!ticking_);
  ticking_ = true;
  clock_ = GST_CLOCK(gst_object_ref(clock));
  base_time_ = base_time;
  const GstClockTime stagger = pool_ ? pool_->next_stagger_ms() * GST_MSECOND : 0;
  first_tick_ = gst_clock_get_time(clock) + kTick_ns + stagger;
  {
    tick_role_.assert_here();
    ticks_done_ = 0;
  }
  counters_.ticks = 0;
  gate_ = new Gate;
  {
    MutexLock lock(gate_->mutex);
    gate_->room = this;
  }
  clock_id_ = gst_clock_new_periodic_id(clock, first_tick_, kTick_ns);
  Gate::published.fetch_add(1, std::memory_order_release);
  gst_clock_id_wait_async(clock_id_, on_clock, gate_, Gate::release);
}

void ConferenceRoom::stop() {
  if (!ticking_) return;
  gst_clock_id_unschedule(clock_id_);
  {
    // Waits for a callback that is under way (with its tick, when there is no pool).
    MutexLock lock(gate_->mutex);
    gate_->room = nullptr;
  }
  if (pool_) pool_->remove(this);
  gst_clock_id_unref(std::exchange(clock_id_, nullptr));
  Gate::release(std::exchange(gate_, nullptr));
  gst_object_unref(std::exchange(clock_, nullptr));
  ticking_ = false;
  tick_role_.assert_here();
  apply_edits();
  reclaim();
  tell_news();
}

gboolean ConferenceRoom::on_clock(GstClock*, GstClockTime, GstClockID, gpointer gate) noexcept {
  Gate* const held = Gate::take(gate);  // the clock's reference lasts beyond this call
  MutexLock lock(held->mutex);
  if (held->room) held->room->due();
  return TRUE;
}

void ConferenceRoom::due() {
  if (pool_) {
    pool_->queue(this);
  } else {
    tick();
  }
  tell_news();
}

void ConferenceRoom::tell_news() {
  while (const auto digit = digits_.pop()) {
    if (hooks_.on_event) hooks_.on_event(*digit);
  }
  if (complexity_changed_.load(std::memory_order_relaxed) &&
      complexity_changed_.exchange(false, std::memory_order_acquire) && hooks_.on_complexity) {
    hooks_.on_complexity(load());
  }
}

void ConferenceRoom::tick() {
  tick_role_.assert_here();
  const GstClockTime now = gst_clock_get_time(clock_);
  if (now < first_tick_) return;
  const std::uint64_t due = (now - first_tick_) / kTick_ns + 1;
  if (due <= ticks_done_) return;  // made up for already
  const std::uint64_t behind = due - ticks_done_;
  const std::chrono::nanoseconds late(now - (first_tick_ + ticks_done_ * kTick_ns));
  if (behind > kMostAtOnce) {
    one_tick(static_cast<unsigned>(std::min<std::uint64_t>(behind - 1, 1U << 20)), late);
    ticks_done_ = due;
    return;
  }
  one_tick(0, late);
  // What made the first one late is counted once.
  if (ticks_done_ < due) one_tick(0, {});
}

std::uint32_t ConferenceRoom::samples_of(GstClockTime running_time) {
  if (!GST_CLOCK_TIME_IS_VALID(running_time)) return PacketRing::kUnknown;
  const auto samples = gst_util_uint64_scale(running_time, kSampleRate_hz, GST_SECOND);
  return static_cast<std::uint32_t>(samples) | 1;  // never kUnknown
}

void ConferenceRoom::one_tick(unsigned skipped, std::chrono::nanoseconds late) {
  apply_edits();
  const GstClockTime time = first_tick_ + (ticks_done_ + skipped) * kTick_ns;
  const GstClockTime pts = time > base_time_ ? time - base_time_ : 0;
  mixer_.tick(skipped, late, samples_of(pts));
  ++ticks_done_;
  counters_.encodes.store(mixer_.counters().encodes, std::memory_order_relaxed);
  counters_.encodes_saved.store(mixer_.counters().encodes_saved, std::memory_order_relaxed);
  counters_.decodes.store(mixer_.counters().decodes, std::memory_order_relaxed);
  counters_.pushes.store(static_cast<std::uint32_t>(mixer_.outgoing().size()),
                         std::memory_order_relaxed);
  push_packets(pts);
  if (mix_pad_) push_mix(pts);
  for (const DigitPressed& digit : mixer_.digits()) digits_.push(digit);
  count(skipped, late);
  counters_.ticks.fetch_add(1, std::memory_order_release);
  if (hooks_.after_tick) hooks_.after_tick();
}

void ConferenceRoom::count(unsigned skipped, std::chrono::nanoseconds late) {
  const auto add = [](std::atomic<std::uint64_t>& total, std::uint64_t more) {
    total.store(total.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  };
  const RoomMixer::Counters& now = mixer_.counters();
  add(totals_.ticks, 1);
  add(totals_.late, late >= ComplexityGovernor::kLate ? 1 : 0);
  add(totals_.skipped, skipped);
  add(totals_.encodes, now.encodes);
  add(totals_.saved, now.encodes_saved);
  add(totals_.dropped, now.dropped);
  const auto late_ns = static_cast<std::uint64_t>(late.count());
  if (late_ns > totals_.worst_late_ns.load(std::memory_order_relaxed)) {
    totals_.worst_late_ns.store(late_ns, std::memory_order_relaxed);
  }
  const int before = totals_.complexity.exchange(now.complexity, std::memory_order_relaxed);
  if (before != now.complexity) complexity_changed_.store(true, std::memory_order_release);
}

ConferenceLoad ConferenceRoom::load() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  return {.ticks = totals_.ticks.load(kRelaxed),
          .late = totals_.late.load(kRelaxed),
          .skipped = totals_.skipped.load(kRelaxed),
          .worst_late = std::chrono::nanoseconds(totals_.worst_late_ns.load(kRelaxed)),
          .encodes = totals_.encodes.load(kRelaxed),
          .encodes_saved = totals_.saved.load(kRelaxed),
          .complexity = totals_.complexity.load(kRelaxed),
          .dropped = totals_.dropped.load(kRelaxed)};
}

std::string to_string(const ConferenceLoad& load) {
  char text[256];
  std::snprintf(text, sizeof text,
                "ticks=%" PRIu64 " late=%" PRIu64 " worst_late_ms=%.1f skipped=%" PRIu64
                " encodes=%" PRIu64 " encodes_saved=%" PRIu64 " complexity=%d dropped=%" PRIu64,
                load.ticks, load.late, static_cast<double>(load.worst_late.count()) / 1e6,
                load.skipped, load.encodes, load.encodes_saved, load.complexity, load.dropped);
  return text;
}

// One memory for each payload of this tick, however many listen to it.
GstMemory* ConferenceRoom::payload_of(const MixEncoder& stream) {
  for (auto payload = payloads_.rbegin(); payload != payloads_.rend(); ++payload) {
    if (payload->first == &stream) return payload->second;
  }
  payloads_.emplace_back(&stream, copy_of(stream.payload()));
  return payloads_.back().second;
}

void ConferenceRoom::push_packets(GstClockTime pts) {
  for (const RoomMixer::Outgoing& out : mixer_.outgoing()) {
    Leg& leg = *static_cast<Leg*>(out.leg);
    if (leg.route.io != nullptr) {
      leg.route.io->enqueue(leg.route.leg, out.header, out.payload());
    } else {
      push(leg, out, pts);
    }
  }
  for (const auto& payload : payloads_) gst_memory_unref(payload.second);
  payloads_.clear();
}

// To elements that are not ours: GStreamer allocates and locks.
void ConferenceRoom::push(Leg& leg, const RoomMixer::Outgoing& out, GstClockTime pts) {
  GstBuffer* const buffer = gst_buffer_new();
  gst_buffer_append_memory(buffer, copy_of(out.header));
  gst_buffer_append_memory(
      buffer, out.packed.empty() ? gst_memory_ref(payload_of(*out.stream)) : copy_of(out.packed));
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = kTick_ns;
  // What becomes of it is the leg's affair: one that is being taken down answers FLUSHING.
  gst_pad_push(leg.src.get(), buffer);
}

void ConferenceRoom::push_mix(GstClockTime pts) {
  Frame mix;
  mixer_.full_mix(mix);
  GstBuffer* const buffer = gst_buffer_new();
  gst_buffer_append_memory(
      buffer, copy_of({reinterpret_cast<const std::uint8_t*>(mix.data()), sizeof mix}));
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_DURATION(buffer) = kTick_ns;
  gst_pad_push(mix_pad_.get(), buffer);
}

}  // namespace media::gst
