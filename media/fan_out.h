// media/fan_out.h: which I/O thread a leg goes to, and stays on until it is closed: so that a large
// room is sent by all of them. Pure; one thread.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "media/mix_plan.h"

namespace media {

class FanOut {
 public:
  // Requires: threads > 0.
  explicit FanOut(std::size_t threads) : legs_(threads) {}

  // That with the fewest legs of the room; among equals that with the fewest of all rooms.
  std::size_t add(RoomId room);
  // A leg of the room that was there has gone.
  void remove(RoomId room, std::size_t thread);

 private:
  std::vector<std::size_t> legs_;                       // on each thread
  std::map<RoomId, std::vector<std::size_t>> of_room_;  // of these; rooms with any
};

}  // namespace media
