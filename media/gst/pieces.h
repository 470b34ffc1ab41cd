// media/gst/pieces.h: what is played into all rooms. A piece that is stopped is over at once for
// everybody but its thread, which may be where nothing can stop it, in a file system that does not
// answer: it is joined when it says that it is over, and until then counts as one of those played.
// Control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "media/gst/gst_ptr.h"
#include "media/gst/player.h"
#include "media/media_engine.h"
#include "media/thread_role.h"

namespace media::gst {

class RoomPipeline;

class Pieces {
 public:
  // `parts`: what a player tells comes back by tell() and over(). `emit` gets PlayStarted,
  // PlayTagged and PlayEnded.
  Pieces(Player::Parts parts, std::function<void(Event)> emit)
      : parts_(std::move(parts)), emit_(std::move(emit)) {}

  // `room`: outlives what is played in it, that is until it is stopped; nullptr: nobody is there.
  void play(const PlaySpec& spec, RoomPipeline* room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);
  // nullptr: none, or it is stopped.
  Player* find(PlayId play) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);
  // Unknown pieces are ignored.
  void stop(PlayId play) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread) {
    end({play, PlayEnd::stopped});
  }
  void stop_all(RoomId room) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);
  // Stops all, and joins: waits for whatever their threads wait for.
  void clear() ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);

  // PlayStarted, PlayTagged.
  void tell(PlayId play, Event event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);
  void over(PlayEnded end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);

 private:
  struct Piece {
    RoomPipeline* room = nullptr;  // nullptr: stopped
    PadPtr pad;                    // the room's
    std::unique_ptr<Player> player;
  };
  void end(PlayEnded end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(control_thread);

  // Constant after construction.
  const Player::Parts parts_;
  const std::function<void(Event)> emit_;

  std::map<PlayId, Piece> pieces_ ABSL_GUARDED_BY(control_thread);
};

}  // namespace media::gst
