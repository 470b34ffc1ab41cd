#include "tools/load/marker.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tools/call/tones.h"

namespace load {
namespace {

constexpr std::size_t kFrame = media::kFrame_samples;
constexpr std::size_t kSpeech_frames = 180;
constexpr double kHeard_dbfs = -30;
// Speech that is that loud there is louder still beside it.
constexpr double kBeside_hz = 180, kStandsOut_db = 10;
constexpr std::size_t kTold_frames = 4;
constexpr std::size_t kTail_samples = 240;
constexpr double kTail_db = 12;  // below the tone: all of a tail's end, not a click

std::vector<float> hann(std::size_t n) {
  std::vector<float> window(n);
  for (std::size_t i = 0; i < n; ++i) {
    window[i] =
        static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) /
                                                static_cast<double>(n)));
  }
  return window;
}

bool stands_out(std::span<const std::int16_t> samples, double hz, double level) {
  return level > level_dbfs(samples, hz - kBeside_hz) + kStandsOut_db &&
         level > level_dbfs(samples, hz + kBeside_hz) + kStandsOut_db;
}

}  // namespace

double marker_hz(std::size_t marker) { return 4600 + 340 * static_cast<double>(marker); }

std::vector<std::int16_t> with_markers(std::span<const std::int16_t> speech,
                                       std::optional<std::size_t> marker) {
  const std::size_t part = kSpeech_frames * kFrame;
  const std::size_t parts = std::max<std::size_t>(speech.size() / part, 1);
  std::vector<std::int16_t> out(parts * kPeriod_frames * kFrame);
  for (std::size_t i = 0; i < parts; ++i) {
    const auto said = speech.subspan(i * part, std::min(part, speech.size() - i * part));
    std::ranges::copy(said, out.begin() + static_cast<std::ptrdiff_t>(i * kPeriod_frames * kFrame));
    if (!marker) continue;
    const auto tone =
        call::sine(marker_hz(*marker), kMarker_dbfs, kMarker_frames * 0.02, media::kSampleRate_hz);
    std::ranges::copy(tone, out.begin() + static_cast<std::ptrdiff_t>(
                                              (i * kPeriod_frames + kMarkerAt_frame) * kFrame));
  }
  return out;
}

std::vector<MarkerDetector::Onset> MarkerDetector::frame(const media::Frame& frame, TimePoint at) {
  std::vector<Onset> told;
  const std::span<const std::int16_t> samples(frame);
  for (std::size_t i = 0; i < states_.size(); ++i) {
    State& state = states_[i];
    const double hz = marker_hz(i);
    const double level = level_dbfs(samples, hz);
    if (level > kHeard_dbfs && stands_out(samples, hz, level)) {
      if (state.run++ == 0) state.onset = state.tail ? before_ : at;
      if (state.run == kTold_frames && state.gone) {
        state.gone = false;
        told.push_back({i, state.onset});
      }
    } else {
      state.run = 0;
      state.gone = true;
    }
    const auto tail = samples.last(kTail_samples);
    const double end = level_dbfs(tail, hz);
    state.tail = end > kMarker_dbfs - kTail_db;
  }
  before_ = at;
  return told;
}

double level_dbfs(std::span<const std::int16_t> samples, double hz) {
  // The windows of a frame and of a tail are wanted again and again.
  static const std::vector<float> kWhole = hann(kFrame), kEnd = hann(kTail_samples);
  if (samples.size() != kFrame && samples.size() != kTail_samples) {
    return call::tone_dbfs(samples, hz);
  }
  const float* window = samples.size() == kFrame ? kWhole.data() : kEnd.data();
  const auto coefficient =
      static_cast<float>(2 * std::cos(2 * std::numbers::pi * hz / media::kSampleRate_hz));
  float s1 = 0;
  float s2 = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const float s = window[i] * static_cast<float>(samples[i]) + coefficient * s1 - s2;
    s2 = s1;
    s1 = s;
  }
  const double power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
  const double amplitude =
      std::sqrt(std::max(power, 0.0)) * 4 / static_cast<double>(samples.size()) / 32767;
  return amplitude > 1e-6 ? 20 * std::log10(amplitude) : call::kSilence_dbfs;
}

}  // namespace load
