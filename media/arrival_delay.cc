#include "media/arrival_delay.h"

#include <algorithm>
#include <utility>

#include "media/audio_frame.h"

namespace media {
namespace {

bool less(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

}  // namespace

std::uint32_t ArrivalDelay::base() const {
  return less(least_, least_of_previous_) ? least_ : least_of_previous_;
}

void ArrivalDelay::observe(std::uint32_t now, std::uint32_t timestamp, int samples,
                           int unseen_samples) {
  const std::uint32_t delay = now - timestamp;
  if (!started_) {
    started_ = true;
    stalled_ = false;
    block_began_ = now;
    least_ = least_of_previous_ = delay;
  } else if (!less(now, block_began_ + kBlock_samples)) {
    block_began_ = now;
    least_of_previous_ = std::exchange(least_, delay);
    if (block_packets_ >= kBlock_packets) {
      worst_of_previous_ = std::exchange(worst_, 0);
      block_packets_ = 0;
    }
  } else if (less(delay, least_)) {
    least_ = delay;
  }
  if (samples == 0) return;
  const std::int64_t relative =
      std::int64_t{static_cast<std::int32_t>(delay - base())} + unseen_samples;
  if (!of_lone_stall(now, relative)) count(relative, samples);
}

// Whether it is late as another was just now, in a stall that comes alone.
bool ArrivalDelay::of_lone_stall(std::uint32_t now, std::int64_t relative_samples) {
  if (relative_samples <= wanted_samples_) return false;
  const std::uint32_t since = stall_at_ ? now - *stall_at_ : kAlone_samples;
  if (since < kStall_samples) return alone_;
  alone_ = since >= kAlone_samples;
  stall_at_ = now;
  return false;
}

void ArrivalDelay::count(std::int64_t relative_samples, int samples) {
  // A stall that is longer than anything that may be waited for, and the queue it left.
  if (relative_samples > config_.most_samples) stalled_ = true;
  if (stalled_ && relative_samples > wanted_samples_) return;
  stalled_ = false;
  const float frames = static_cast<float>(samples) / kFrame_samples;
  counted_frames_ = std::min(counted_frames_ + frames, kRemembered_frames);
  const float weight = std::min(frames / counted_frames_, 1.0F);
  for (float& share : share_) share *= 1 - weight;
  const auto bucket =
      std::min(static_cast<std::size_t>((relative_samples + kBucket_samples - 1) / kBucket_samples),
               kBuckets - 1);
  share_[bucket] += weight;
  worst_ = std::max(worst_, bucket);
  ++block_packets_;
  choose();
}

void ArrivalDelay::choose() {
  std::size_t needed = kBuckets - 1;
  for (float late = 0; needed > 0; --needed) {
    late += share_[needed];
    if (late > kTolerated) break;
  }
  needed = std::min(needed + 1, std::max(worst_, worst_of_previous_));
  wanted_samples_ = std::clamp(static_cast<std::int32_t>(needed) * kBucket_samples,
                               config_.least_samples, config_.most_samples);
}

}  // namespace media
