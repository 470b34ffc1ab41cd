#include "media/loudness.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>
#include <utility>

#include "media/check.h"

namespace media {
namespace {

// A year: nobody has been heard for longer than who has been heard for so long.
constexpr int kLongest_ticks = 50 * 86400 * 365;

// Of two who are heard: does `a` give way after `b`?
bool yields_later(const SpeakerCandidate* a, const SpeakerCandidate* b) {
  const auto readiness = [](const SpeakerCandidate& c) {
    return std::tuple(c.activity->quiet_ticks(), c.activity->level_dbov(), c.heard_ticks, &c);
  };
  return readiness(*a) < readiness(*b);
}

bool yields_to(const SpeakerCandidate& heard, const SpeakerCandidate& other) {
  if (other.activity->pausing()) return false;
  if (heard.activity->pausing()) return true;
  const bool settled = heard.heard_ticks >= kFirstWord_ticks;
  const int heard_dbov = heard.activity->level_dbov(), other_dbov = other.activity->level_dbov();
  const bool in_first_word = heard.began && !settled;
  if (other.activity->begins() && !in_first_word && other_dbov <= heard_dbov + kDrowned_db) {
    return true;
  }
  return other_dbov + kIncumbent_db + (settled ? 0 : kDrowned_db) < heard_dbov;
}

// Of two who are not heard yet.
bool enters_before(const SpeakerCandidate* a, const SpeakerCandidate* b) {
  const auto claim = [](const SpeakerCandidate& c) {
    const int ahead_db = c.activity->begins() ? kDrowned_db : 0;
    return std::tuple(c.activity->pausing(), c.activity->level_dbov() - ahead_db, &c);
  };
  return claim(*a) < claim(*b);
}

// Of those who are heard the first to give way to him; nullptr: nobody does.
SpeakerCandidate** place_for(const SpeakerCandidate& other, std::span<SpeakerCandidate*> heard) {
  SpeakerCandidate** place = nullptr;
  for (SpeakerCandidate*& each : heard) {
    if (yields_to(*each, other) && (place == nullptr || yields_later(*place, each))) place = &each;
  }
  return place;
}

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
  spoken_ticks_ = active() ? std::min(spoken_ticks_ + 1, kFirstWord_ticks) : 0;
  if (level_dbov < threshold) {
    hang_over_ = kVoiceHangOver_ticks;
  } else if (hang_over_ > 0) {
    --hang_over_;
  }
}

bool VoiceActivity::begins() const { return active() && spoken_ticks_ < kFirstWord_ticks; }

int VoiceActivity::quiet_ticks() const { return kVoiceHangOver_ticks - hang_over_; }

bool VoiceActivity::pausing() const { return active() && quiet_ticks() >= kPause_ticks; }

void choose_speakers(std::span<SpeakerCandidate> candidates, std::size_t max_speakers,
                     std::span<SpeakerCandidate*> order) {
  CHECK(order.size() >= candidates.size());
  // In `order`: who is heard, and behind them who would like to be.
  std::size_t heard = 0, active = 0;
  for (SpeakerCandidate& candidate : candidates) {
    if (!candidate.may_speak || !candidate.activity->active()) {
      candidate.speaking = false;
      continue;
    }
    order[active++] = &candidate;
    if (!candidate.speaking) continue;
    candidate.heard_ticks = std::min(candidate.heard_ticks + 1, kLongest_ticks);
    std::swap(order[heard++], order[active - 1]);
  }
  for (; heard > max_speakers; --heard) {
    const auto place = std::ranges::max_element(order.first(heard), yields_later);
    (*place)->speaking = false;
    std::swap(*place, order[heard - 1]);
  }
  const auto waiting = order.subspan(heard, active - heard);
  const auto first = waiting.first(std::min(waiting.size(), max_speakers));
  std::partial_sort(waiting.begin(), waiting.begin() + std::ssize(first), waiting.end(),
                    enters_before);
  for (SpeakerCandidate*& entering : first) {
    SpeakerCandidate& candidate = *entering;
    if (heard < max_speakers) {
      ++heard;  // he stands there already
    } else if (SpeakerCandidate** const place = place_for(candidate, order.first(heard));
               place != nullptr) {
      (*place)->speaking = false;
      std::swap(*place, entering);
    } else {
      continue;
    }
    candidate.speaking = true;
    candidate.heard_ticks = 0;
    candidate.began = candidate.activity->begins();
  }
}

}  // namespace media
