// media/gst/player.h: one piece on its way into the room: a thread that gets its sound and writes
// it to what is behind the conference's pad play_%u, as fast as the room hears it.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "media/media_engine.h"
#include "media/play_source.h"

namespace media::gst {

class Player {
 public:
  struct Parts {                          // called on the piece's thread; must not block
    std::function<void(Event)> on_event;  // PlayStarted, PlayTagged
    std::function<void(PlayEnded)> over;  // once; not after the destructor has begun
  };
  // `source` outlives it, and is written to by nobody else.
  Player(PlaySpec spec, PlaySource& source, Parts parts);
  // Stops wherever it is, and joins.
  ~Player();
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  // Control thread.
  void pause(bool on) { source_.pause(on); }
  void seek(std::chrono::milliseconds) {}  // no sound of ours is long enough for that

 private:
  void run();
  PlayEnded play(Sound sound);

  // Constant after construction.
  const PlaySpec spec_;
  PlaySource& source_;
  const Parts parts_;

  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace media::gst
