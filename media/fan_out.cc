#include "media/fan_out.h"

#include <algorithm>
#include <utility>

namespace media {

std::size_t FanOut::add(RoomId room) {
  auto& of_room = of_room_.try_emplace(room, legs_.size()).first->second;
  std::size_t thread = 0;
  for (std::size_t i = 1; i < legs_.size(); ++i) {
    if (std::pair(of_room[i], legs_[i]) < std::pair(of_room[thread], legs_[thread])) thread = i;
  }
  ++of_room[thread];
  ++legs_[thread];
  return thread;
}

void FanOut::remove(RoomId room, std::size_t thread) {
  const auto of_room = of_room_.find(room);
  --of_room->second.at(thread);
  --legs_.at(thread);
  if (std::ranges::all_of(of_room->second, [](std::size_t legs) { return legs == 0; })) {
    of_room_.erase(of_room);
  }
}

}  // namespace media
