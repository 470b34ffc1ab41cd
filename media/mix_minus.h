// media/mix_minus.h: every listener hears all others, not himself (RFC 3550 §7.1 mixer).
// Sums are int32 and never wrap (limits::kMaxLegs); limiting comes after, per listener.
// Any thread; no allocation.
#pragma once

#include <span>

#include "media/audio_frame.h"

namespace media {

// in[k]: one frame of leg k; nullptr = leg k is silent this tick.
// minus[k] = total - in[k], exact. O(legs), not O(legs²).
// Requires: minus.size() == in.size() <= limits::kMaxLegs.
// Law: minus[k] + in[k] == total.                             tests/media/mix_minus_test.cc
void mix_minus(std::span<const Frame* const> in, Sum& total, std::span<Sum> minus);

// Its two halves, for who needs only a few of the minuses (a room has one for each speaker, and one
// total for everybody else).
void sum_frames(std::span<const Frame* const> in, Sum& total);
// minus = total - own; total itself for nullptr.
void subtract(const Sum& total, const Frame* own, Sum& minus);

}  // namespace media
