// tools/bench/voice.h: what benchmarks' callers say. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "media/audio_frame.h"

namespace bench {

using Second = std::array<media::Frame, 50>;

// Something like speech: twelve harmonics of a pitch, three syllables a second. Again and again it
// has no seam where the pitch is a whole number.
Second voice(double pitch_hz);
// As a client would send it: 32 kbit/s, a packet of 20 ms for each frame.
std::vector<std::vector<std::uint8_t>> encoded(std::span<const media::Frame> frames);

}  // namespace bench
