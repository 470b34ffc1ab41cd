// media/gst/room_pipeline.h: one room as a GstPipeline around `opusconference`, on the system
// clock, from the first leg to the last. Control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "media/gst/conference_element.h"
#include "media/gst/gst_ptr.h"
#include "media/media_engine.h"
#include "media/thread_role.h"

namespace media::gst {

class IoThread;
class TickPool;

class RoomPipeline {
 public:
  // An error on the bus, from whatever thread posted it: of a leg's own element, or (none) of the
  // room's. Must not block.
  using OnError = std::function<void(std::optional<LegId>, std::string)>;

  // `pool` outlives it. Throws std::runtime_error when the pipeline does not start.
  RoomPipeline(TickPool& pool, ConferenceHooks hooks, OnError on_error);
  // Stops. Legs still attached are detached.
  ~RoomPipeline();
  RoomPipeline(const RoomPipeline&) = delete;
  RoomPipeline& operator=(const RoomPipeline&) = delete;

  // From now on what `leg_src` pushes is mixed, and `io` is handed what the leg hears. Throws
  // std::runtime_error when GStreamer does not link them.
  void attach(const ConferenceLeg& leg, ElementPtr leg_src, IoThread& io)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);
  // Afterwards nobody is inside the leg's elements; a tick under way may still tell a key that the
  // leg pressed. Unknown legs are ignored.
  void detach(LegId leg) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);
  ConferenceLoad load() const { return conference_load(conference_); }
  void set_plan(MixPlan plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);

  // Where a piece is played: the conference's pad, and what is behind it.
  std::pair<PadPtr, std::shared_ptr<PlaySource>> add_play()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);
  // Faded.
  void remove_play(PadPtr pad) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);
  // What the tick hands over goes there; empty: nowhere.
  void record(std::shared_ptr<RecordTap> tap) { conference_record(conference_, std::move(tap)); }

 private:
  struct Leg {
    guint index = 0;  // of the conference's pads
    ElementPtr leg_src, leg_sink;
    PadPtr sink_pad, src_pad;  // the conference's
  };
  static GstBusSyncReply on_message(GstBus* bus, GstMessage* message, gpointer self);
  guint free_index();
  bool link(Leg& leg);
  void release(Leg& leg);

  OnError on_error_;  // constant after construction
  ElementPtr pipeline_;
  GstElement* conference_ = nullptr;  // the pipeline's
  std::map<LegId, Leg> legs_;
  guint next_index_ = 0;             // all below are in use, or
  std::vector<guint> free_indices_;  // were
};

}  // namespace media::gst
