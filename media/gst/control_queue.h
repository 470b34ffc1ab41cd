// media/gst/control_queue.h: commands on their way to the control thread. Bounded; what happens
// when it is full is decided here (limits::kControlCommands): opening, playing and recording are
// refused, trickled candidates, ICE restarts, pauses and seeks are lost, reports of load and keys
// too; a leg's connect, error and close (one each), a piece's or recording's stop and end (one
// each), what a piece tells (one a second), a room's plan (the latest) and the servers for
// ICE are always taken.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "media/gst/conference_element.h"
#include "media/media_engine.h"
#include "media/thread_role.h"

namespace media::gst {

struct SetIceServersCommand {
  std::vector<IceServer> servers;
};
struct IceServersResolvedCommand {};
struct OpenLegCommand {
  LegSpec spec;
};
struct ConnectLegCommand {
  LegId leg;
  LegRemote remote;
};
struct AddCandidatesCommand {
  LegId leg;
  std::vector<IceCandidate> candidates;
};
struct RestartIceCommand {
  LegId leg;
  std::optional<IceCredentials> remote;
};
struct CloseLegCommand {
  LegId leg;
};
struct SetPlanCommand {
  RoomId room;
  MixPlan plan;
};
struct PlayCommand {
  PlaySpec spec;
};
struct PausePlayCommand {
  PlayId play;
  bool on = true;
};
struct SeekPlayCommand {
  PlayId play;
  std::chrono::milliseconds to{};
};
struct StopPlayCommand {
  PlayId play;
};
struct PlayEventCommand {  // from the piece's own thread
  PlayId play;
  Event event;
};
struct PlayOverCommand {  // the same, its last
  PlayEnded end;
};
struct PrepareRecordCommand {
  RecordSpec spec;
};
struct RecordCommand {
  RecordId record;
};
struct StopRecordCommand {
  RecordId record;
};
struct RecordOverCommand {  // from the recording's own thread
  RecordEnded end;
};
struct PipelineErrorCommand {  // from a room's bus
  RoomId room;
  std::optional<LegId> leg;  // whose element said so; none: the room's own
  std::string text;
};
struct TickEventCommand {  // from a room's tick
  Event event;
};
struct TimePassedCommand {};       // from wait() itself
struct TrimHeapCommand {};         // from an I/O thread: many legs are gone
struct ComplexityChangedCommand {  // from a room's tick, for the log
  RoomId room;
  ConferenceLoad load;
};
using ControlCommand =
    std::variant<SetIceServersCommand, IceServersResolvedCommand, OpenLegCommand, ConnectLegCommand,
                 AddCandidatesCommand, RestartIceCommand, CloseLegCommand, SetPlanCommand,
                 PlayCommand, PausePlayCommand, SeekPlayCommand, StopPlayCommand, PlayEventCommand,
                 PlayOverCommand, PrepareRecordCommand, RecordCommand, StopRecordCommand,
                 RecordOverCommand, PipelineErrorCommand, TickEventCommand, TimePassedCommand,
                 TrimHeapCommand, ComplexityChangedCommand>;

class ControlQueue {
 public:
  explicit ControlQueue(std::size_t capacity) : capacity_(capacity) {}

  // Any thread; never blocks. False: full, not taken.
  bool push(ControlCommand command);
  // Any thread: wait() returns nullopt when all before has been taken.
  void stop();
  using TimePoint = std::chrono::steady_clock::time_point;
  // Control thread: blocks until there is a command. From `until` on that is TimePassedCommand,
  // whatever else waits.
  std::optional<ControlCommand> wait(TimePoint until = TimePoint::max());

 private:
  const std::size_t capacity_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<ControlCommand> commands_ ABSL_GUARDED_BY(mutex_);
  // What a SetPlanCommand in the queue will deliver: the latest, however many were pushed.
  std::map<RoomId, MixPlan> plans_ ABSL_GUARDED_BY(mutex_);
  // Whose PipelineErrorCommand is in the queue: the first is told, however many follow.
  std::set<std::pair<RoomId, std::optional<LegId>>> errors_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace media::gst
