// media/mix_minus.h: every listener hears all others, not himself (RFC 3550 §7.1 mixer).
// Sums are int32 and never wrap (limits::kMaxLegs); limiting comes after, per listener.
// Any thread; no allocation.
#pragma once

#include <span>

#include "media/audio_frame.h"

namespace media {

// in[k]: one frame of a leg; nullptr = it is silent this tick. Once per room and tick: O(legs).
// Requires: in.size() <= limits::kMaxLegs.
void sum_frames(std::span<const Frame* const> in, Sum& total);
// minus = total - own, exact; total itself for nullptr. Once per speaker: who is not in the sum
// hears the total, so a room is O(legs), not O(legs²). Law: minus + own == total.
// tests/media/mix_minus_test.cc
void subtract(const Sum& total, const Frame* own, Sum& minus);

}  // namespace media
