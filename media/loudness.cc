#include "media/loudness.h"

#include <algorithm>
#include <cmath>

#include "media/check.h"

namespace media {
namespace {

constexpr int kPausing_db = 2 * kSilence_dbov;  // quieter than any who does not pause

}  // namespace

std::uint8_t frame_level_dbov(const Frame& frame) {
  std::int64_t power = 0;
  for (const std::int32_t sample : frame) power += sample * sample;
  if (power == 0) return kSilence_dbov;
  const double mean = static_cast<double>(power) / kFrame_samples;
  const double attenuation = -10 * std::log10(mean / (32767.0 * 32767.0));
  return static_cast<std::uint8_t>(std::clamp(std::lround(attenuation), 0L, 127L));
}

void VoiceActivity::update(std::uint8_t level_dbov) {
  const int sunk = std::min<int>(smoothed_dbov_ + 1, kSilence_dbov);
  smoothed_dbov_ = static_cast<std::uint8_t>(std::min<int>(level_dbov, sunk));
  const std::uint8_t threshold = active() ? kVoiceOff_dbov : kVoiceOn_dbov;
  if (level_dbov < threshold) {
    hang_over_ = kVoiceHangOver_ticks;
  } else if (hang_over_ > 0) {
    --hang_over_;
  }
}

bool VoiceActivity::pausing() const {
  return active() && hang_over_ <= kVoiceHangOver_ticks - kPause_ticks;
}

void choose_speakers(std::span<SpeakerCandidate> candidates, std::size_t max_speakers,
                     std::span<SpeakerCandidate*> order) {
  CHECK(order.size() >= candidates.size());
  std::size_t active = 0;
  for (SpeakerCandidate& candidate : candidates) {
    if (candidate.may_speak && candidate.activity->active()) {
      candidate.rank = candidate.activity->level_dbov() - (candidate.speaking ? kIncumbent_db : 0) +
                       (candidate.activity->pausing() ? kPausing_db : 0);
      order[active++] = &candidate;
    }
    candidate.speaking = false;
  }
  const auto chosen = order.first(active);
  if (active > max_speakers) {
    std::partial_sort(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(max_speakers),
                      chosen.end(), [](const SpeakerCandidate* a, const SpeakerCandidate* b) {
                        return a->rank != b->rank ? a->rank < b->rank : a < b;
                      });
  }
  for (SpeakerCandidate* candidate : chosen.first(std::min(active, max_speakers))) {
    candidate->speaking = true;
  }
}

}  // namespace media
