#include "tools/call/tones.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace call {

std::vector<std::int16_t> sine(double hz, double peak_dbfs, double seconds, int rate_hz) {
  const double peak = 32767 * std::pow(10, peak_dbfs / 20);
  std::vector<std::int16_t> samples(static_cast<std::size_t>(seconds * rate_hz));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double phase = 2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz;
    samples[i] = static_cast<std::int16_t>(std::lround(peak * std::sin(phase)));
  }
  return samples;
}

double tone_dbfs(std::span<const std::int16_t> samples, double hz, int rate_hz) {
  if (samples.empty()) return kSilence_dbfs;
  const auto n = static_cast<double>(samples.size());
  const double turn = 2 * std::numbers::pi * hz / rate_hz;
  const double coefficient = 2 * std::cos(turn);
  double s1 = 0;
  double s2 = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double hann = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / n);
    const double s = hann * samples[i] + coefficient * s1 - s2;
    s2 = s1;
    s1 = s;
  }
  const double power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
  // A sine of amplitude A gives |X| = A * sum(window) / 2, and a Hann window sums to n / 2.
  const double amplitude = std::sqrt(std::max(power, 0.0)) * 4 / n / 32767;
  return amplitude > 0 ? std::max(20 * std::log10(amplitude), kSilence_dbfs) : kSilence_dbfs;
}

std::vector<Gap> gaps(std::span<const std::int16_t> samples, double hz, double level_dbfs,
                      int rate_hz) {
  constexpr double kMissing_db = 30;
  const auto step = static_cast<std::size_t>(rate_hz) / 100;
  const std::size_t window = 4 * step;
  std::vector<Gap> found;
  bool begun = false;
  std::size_t missing = 0;  // windows in a row
  for (std::size_t at = 0; at + window <= samples.size(); at += step) {
    if (tone_dbfs(samples.subspan(at, window), hz, rate_hz) <= level_dbfs - kMissing_db) {
      ++missing;
      continue;
    }
    if (begun && missing > 0) {
      const std::size_t first = at - missing * step;
      found.push_back({.at_s = static_cast<double>(first) / rate_hz,
                       .seconds = static_cast<double>(at - step + window - first) / rate_hz});
    }
    begun = true;
    missing = 0;
  }
  return found;
}

std::optional<std::span<const std::int16_t>> best_stretch(std::span<const std::int16_t> samples,
                                                          std::span<const double> tones_hz,
                                                          double seconds, int rate_hz) {
  const auto length = static_cast<std::size_t>(seconds * rate_hz);
  if (samples.size() < length) return std::nullopt;
  const auto step = static_cast<std::size_t>(rate_hz) / 2;
  std::optional<std::span<const std::int16_t>> best;
  double best_level = 0;
  for (std::size_t at = 0; at + length <= samples.size(); at += step) {
    const auto stretch = samples.subspan(at, length);
    double weakest = 0;
    for (const double hz : tones_hz) weakest = std::min(weakest, tone_dbfs(stretch, hz, rate_hz));
    if (!best || weakest > best_level) {
      best = stretch;
      best_level = weakest;
    }
  }
  return best;
}

}  // namespace call
