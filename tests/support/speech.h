// tests/support/speech.h: something like a voice, for codec tests: pulses of a gliding pitch
// through three moving resonances, in syllables. Always the same for the same arguments.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "tests/support/audio.h"

namespace test_support {

inline Samples speech(double pitch_hz, std::size_t samples, double syllables_hz = 3.1,
                      double peak = 9000) {
  constexpr double kTurn = 2 * std::numbers::pi;
  struct Resonance {
    double centre_hz, swing_hz, rate_hz;
    double z1 = 0, z2 = 0;
  };
  Resonance resonances[] = {{500, 250, 1.3}, {1500, 500, 0.9}, {2500, 0, 0}};
  std::uint32_t noise = 1;
  double phase = 0;
  std::vector<double> voice(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    const double t = static_cast<double>(i) / 48000;
    phase += pitch_hz * (1 + 0.1 * std::sin(kTurn * 0.7 * t)) / 48000;
    noise = noise * 1664525 + 1013904223;
    double value = 0.02 * (static_cast<double>(noise >> 8) / 16777216 - 0.5);
    if (phase >= 1) {
      phase -= 1;
      value += 1;
    }
    for (Resonance& r : resonances) {
      const double radius = std::exp(-std::numbers::pi * 90 / 48000);
      const double centre_hz = r.centre_hz + r.swing_hz * std::sin(kTurn * r.rate_hz * t);
      const double out = value * (1 - radius) * 2 +
                         2 * radius * std::cos(kTurn * centre_hz / 48000) * r.z1 -
                         radius * radius * r.z2;
      r.z2 = r.z1;
      r.z1 = value = out;
    }
    const double envelope = 0.5 + 0.5 * std::sin(kTurn * syllables_hz * t);
    voice[i] = value * envelope * envelope;
  }
  double loudest = 1e-9;
  for (const double v : voice) loudest = std::max(loudest, std::abs(v));
  Samples out(samples);
  std::ranges::transform(voice, out.begin(), [&](double v) {
    return static_cast<std::int16_t>(std::lrint(v / loudest * peak));
  });
  return out;
}

}  // namespace test_support
