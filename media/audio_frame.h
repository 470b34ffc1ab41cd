// media/audio_frame.h: the shape of sound inside a room: 48 kHz, 20 ms, S16; sums are S32 and never
// wrap. What people say is mono. What is played may be stereo, and is M = (L + R) / 2, which is all
// that those hear who hear mono, and S = (L - R) / 2: L = M + S, R = M - S, to within one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace media {

inline constexpr int kSampleRate_hz = 48000;
inline constexpr int kFrame_samples = 960;
inline constexpr std::chrono::milliseconds kTick{20};

using Frame = std::array<std::int16_t, kFrame_samples>;
struct PlayedFrame {
  Frame mid, side;
  bool stereo = false;  // else `side` means nothing
};
using Sum = std::array<std::int32_t, kFrame_samples>;

}  // namespace media
