// media/mix_plan.h: what each leg of a room may do, as the focus decides it. Who is speaking is
// decided in the tick. Values; any thread.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "media/limits.h"

namespace media {

struct RoomId {
  std::uint64_t value = 0;
  auto operator<=>(const RoomId&) const = default;
};
struct LegId {  // unique in the process
  std::uint64_t value = 0;
  auto operator<=>(const LegId&) const = default;
};

struct LegPlan {
  LegId leg;
  bool in_mix = true;                 // false: muted or on hold; not decoded
  bool receives = true;               // false: on hold; is sent RTCP only
  float gain = 1.0F;                  // applied to what the leg says, 0 to 4
  std::uint32_t max_bitrate_bps = 0;  // what it is sent, in place of what was agreed; 0: as agreed
  std::uint8_t packet_ms = 0;         // 20, 40 or 60 of sound in each packet; 0: as agreed
  // It is a mixer itself: who it says contributed (its packets' CSRCs) is passed on in place of its
  // own contributor id (RFC 3550 §7.3), to everybody but itself. It cannot name our own legs.
  bool is_mixer = false;
  bool recorded = true;  // false: recordings of the room are without what it says
  bool operator==(const LegPlan&) const = default;
};
struct MixPlan {
  std::vector<LegPlan> legs;
  std::size_t max_speakers = limits::kDefaultSpeakers;  // heard at once
  bool operator==(const MixPlan&) const = default;
};

}  // namespace media
