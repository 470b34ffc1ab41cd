// media/audio_frame.h: the shape of sound inside a room: 48 kHz, mono, 20 ms, S16; sums are S32 and
// never wrap.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace media {

inline constexpr int kSampleRate_hz = 48000;
inline constexpr int kFrame_samples = 960;
inline constexpr std::chrono::milliseconds kTick{20};

using Frame = std::array<std::int16_t, kFrame_samples>;
using Sum = std::array<std::int32_t, kFrame_samples>;

}  // namespace media
