// media/mix_minus.h: every listener hears all others, not himself (RFC 3550 §7.1 mixer).
// in[k]: one frame of leg k; nullptr = leg k is silent this tick.
// minus[k] = total - in[k], exact because sums are int32; limiting comes after, per listener.
// Requires: minus.size() == in.size() <= limits::kMaxLegs. Any thread; no allocation.
// O(legs), not O(legs²).
#pragma once

#include <span>

#include "media/audio_frame.h"

namespace media {

void mix_minus(std::span<const Frame* const> in, Sum& total, std::span<Sum> minus);

}  // namespace media
