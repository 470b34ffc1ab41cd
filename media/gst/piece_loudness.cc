#include "media/gst/piece_loudness.h"

#include <ebur128.h>

#include <algorithm>
#include <cmath>

#include "media/audio_frame.h"

namespace media::gst {
namespace {

// What tags and quiet recordings may ask for.
constexpr double kLeastGain_db = -40, kMostGain_db = 20;
constexpr double kHeadroom_db = 1;  // of the highest peak
// A stream of which nothing is known is as loud as most: mastered for streaming.
constexpr double kStreams_lufs = -16;
constexpr double kChange_db_per_second = 1;
constexpr unsigned kChannels = 2;
// ITU-R BS.1770 adds the channels up: mono in both counts twice, and is no louder.
constexpr double kOfTwoChannels_db = 3.01;
constexpr std::uint64_t kFollowAfter_samples = 3 * kSampleRate_hz;  // R 128's short term
// The gain changes no faster than by a decibel meanwhile.
constexpr std::uint64_t kAskEvery_samples = kSampleRate_hz;

}  // namespace

struct PieceLoudness::Meter {
  ~Meter() { ebur128_destroy(&state); }
  // A histogram, to 0.1 LU: else it would keep each 100 ms for ever, and go through all of them
  // whenever it is asked.
  ebur128_state* state =
      ebur128_init(kChannels, kSampleRate_hz,
                   EBUR128_MODE_I | EBUR128_MODE_SAMPLE_PEAK | EBUR128_MODE_HISTOGRAM);
};

PieceLoudness::PieceLoudness(double target_lufs)
    : target_lufs_(target_lufs), meter_(std::make_unique<Meter>()) {}

PieceLoudness::~PieceLoudness() = default;

void PieceLoudness::measure(std::span<const float> samples) {
  ebur128_add_frames_float(meter_->state, samples.data(), samples.size() / kChannels);
}

std::optional<double> PieceLoudness::measured_gain_db() const {
  double lufs = 0, left = 0, right = 0;
  if (ebur128_loudness_global(meter_->state, &lufs) != EBUR128_SUCCESS || !std::isfinite(lufs) ||
      ebur128_sample_peak(meter_->state, 0, &left) != EBUR128_SUCCESS ||
      ebur128_sample_peak(meter_->state, 1, &right) != EBUR128_SUCCESS) {
    return std::nullopt;
  }
  const double peak = std::max(left, right);
  if (peak <= 0) return std::nullopt;
  const double fits_db = -20 * std::log10(peak) - kHeadroom_db;
  const double gain_db = target_lufs_ + kOfTwoChannels_db - lufs;
  return std::clamp(std::min(gain_db, fits_db), kLeastGain_db, kMostGain_db);
}

void PieceLoudness::settle() { gain_db_ = measured_gain_db().value_or(0); }

void PieceLoudness::follow(std::optional<double> gain_db) {
  follows_ = true;
  gain_db_ =
      std::clamp(gain_db.value_or(target_lufs_ - kStreams_lufs), kLeastGain_db, kMostGain_db);
}

void PieceLoudness::play(std::span<const float> samples, std::vector<std::int16_t>& out) {
  const double before = std::pow(10, gain_db_ / 20);
  const std::size_t length = samples.size() / kChannels;
  if (follows_) {
    measure(samples);
    followed_samples_ += length;
    if (followed_samples_ >= kFollowAfter_samples) {
      if (followed_samples_ >= asked_at_samples_ + kAskEvery_samples) {
        asked_at_samples_ = followed_samples_;
        wanted_gain_db_ = measured_gain_db();
      }
      const double most = kChange_db_per_second * static_cast<double>(length) / kSampleRate_hz;
      gain_db_ += std::clamp(wanted_gain_db_.value_or(gain_db_) - gain_db_, -most, most);
    }
  }
  const double step = (std::pow(10, gain_db_ / 20) - before) / static_cast<double>(length);
  out.clear();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double gain = before + step * static_cast<double>(i / kChannels + 1);
    const double sample = static_cast<double>(samples[i]) * gain * 32768;
    // What is no number is silence.
    out.push_back(static_cast<std::int16_t>(
        std::isnan(sample) ? 0 : std::lrint(std::clamp(sample, -32768.0, 32767.0))));
  }
}

}  // namespace media::gst
