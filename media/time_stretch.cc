#include "media/time_stretch.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "media/check.h"

namespace media {
namespace {

// Looked for at 6 kHz first, then at 48 kHz around the best of those.
constexpr int kCoarse = 8;
constexpr int kCoarseCompared = kCompared_samples / kCoarse;
constexpr int kCoarseMost = kMostPeriod_samples / kCoarse;
// Quieter than -66 dBov nothing needs to match.
constexpr float kQuiet = 32768.0F * 32768.0F * 2.5e-7F;

float correlation(const float* a, const float* b, int count) {
  float product = 0, energy_a = 1, energy_b = 1;  // one: never nothing
  for (int i = 0; i < count; ++i) {
    product += a[i] * b[i];
    energy_a += a[i] * a[i];
    energy_b += b[i] * b[i];
  }
  return product / std::sqrt(energy_a * energy_b);
}

float correlation(const std::int16_t* a, const std::int16_t* b) {
  std::int64_t product = 0, energy_a = 1, energy_b = 1;
  for (int i = 0; i < kCompared_samples; ++i) {
    product += std::int32_t{a[i]} * b[i];
    energy_a += std::int32_t{a[i]} * a[i];
    energy_b += std::int32_t{b[i]} * b[i];
  }
  return static_cast<float>(product) /
         std::sqrt(static_cast<float>(energy_a) * static_cast<float>(energy_b));
}

// The coarse period with the best match.
int coarse_period(const std::int16_t* at, bool ahead, int most) {
  // From the first sample that is looked at on.
  std::array<float, kCoarseCompared + kCoarseMost> sound;
  const std::int16_t* const begin = ahead ? at : at - most;
  const int count = kCoarseCompared + most / kCoarse;
  for (int i = 0; i < count; ++i) {
    int sum = 0;
    for (int k = 0; k < kCoarse; ++k) sum += begin[i * kCoarse + k];
    sound[static_cast<std::size_t>(i)] = static_cast<float>(sum);
  }
  const float* const here = sound.data() + (ahead ? 0 : most / kCoarse);
  int best = kLeastPeriod_samples / kCoarse;
  float best_match = -1;
  for (int lag = best; lag <= most / kCoarse; ++lag) {
    const float match = correlation(here, ahead ? here + lag : here - lag, kCoarseCompared);
    if (match <= best_match) continue;
    best_match = match;
    best = lag;
  }
  return best;
}

}  // namespace

Period find_period(const std::int16_t* at, bool ahead, int most) {
  CHECK(most >= kLeastPeriod_samples && most <= kMostPeriod_samples);
  // Also what follows: nothing that begins there is touched unseen.
  const std::span looked_at(ahead ? at : at - most,
                            static_cast<std::size_t>(kCompared_samples + most));
  float power = 0;
  for (const float sample : looked_at) power += sample * sample;
  if (power < kQuiet * static_cast<float>(looked_at.size())) return {.samples = most, .match = 1};
  const int coarse = kCoarse * coarse_period(at, ahead, most / kCoarse * kCoarse);
  Period best{.samples = coarse, .match = -1};
  const int last = std::min(most, coarse + kCoarse);
  for (int lag = std::max(kLeastPeriod_samples, coarse - kCoarse); lag <= last; ++lag) {
    const float match = correlation(at, ahead ? at + lag : at - lag);
    if (match > best.match) best = {.samples = lag, .match = match};
  }
  return best;
}

void crossfade(std::span<const std::int16_t> from, std::span<const std::int16_t> into,
               std::span<std::int16_t> to) {
  const auto size = static_cast<std::int32_t>(to.size());
  for (std::int32_t i = 0; i < size; ++i) {
    const auto at = static_cast<std::size_t>(i);
    to[at] = static_cast<std::int16_t>((from[at] * (size - i) + into[at] * i) / size);
  }
}

}  // namespace media
