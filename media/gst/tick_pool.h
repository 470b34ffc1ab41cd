// media/gst/tick_pool.h: the few threads on which all rooms tick. A room is queued when its clock
// says so and is ticked by one thread at a time; rooms are staggered over the 20 ms.
#pragma once

#include <cstddef>
#include <memory>

namespace media::gst {

class TickPool {
 public:
  class Room {  // called on one pool thread at a time
   public:
    virtual ~Room() = default;
    virtual void tick() = 0;
  };

  explicit TickPool(std::size_t threads);
  ~TickPool();  // joins; no room may be registered

  // Any thread. A tick of `room` begins after this; calls that come before it does are one: how
  // much is to be made up for, the room's clock tells it.
  void queue(Room* room);
  // Control thread: returns when `room` is neither queued nor being ticked, and will not be again
  // unless it is queued after this: whoever queues it stops first.
  void remove(Room* room);
  // 0..kTick: where in the 20 ms the next room should tick.
  std::size_t next_stagger_ms();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace media::gst
