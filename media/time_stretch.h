// media/time_stretch.h: makes sound longer or shorter by one period of its pitch without changing
// the pitch: what is inserted or removed lies between two places where the sound repeats itself,
// and one fades into the other (synchronised overlap-add, SOLA). Pure; any thread; no allocation.
#pragma once

#include <cstdint>
#include <span>

namespace media {

// 2.5 ms to 15 ms: voices from 400 down to 67 Hz; multiples of the period of what is higher.
inline constexpr int kLeastPeriod_samples = 120;
inline constexpr int kMostPeriod_samples = 720;
// What is compared: 10 ms.
inline constexpr int kCompared_samples = 480;

struct Period {
  int samples = kLeastPeriod_samples;
  // How alike the sound is to itself that far away: 1 for a steady tone and for silence, 0 for
  // noise.
  float match = 0;
};

// Where the sound from `at` on repeats itself: later (`ahead`) or earlier.
// Requires: kLeastPeriod_samples <= most <= kMostPeriod_samples; kCompared_samples after `at`, and
// `most` more on that side of it that is looked at.
Period find_period(const std::int16_t* at, bool ahead, int most);

// to[i] = the one sound becoming the other. Sizes are equal; `to` may be either of them.
void crossfade(std::span<const std::int16_t> from, std::span<const std::int16_t> into,
               std::span<std::int16_t> to);

}  // namespace media
