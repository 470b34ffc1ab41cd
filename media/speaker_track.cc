#include "media/speaker_track.h"

#include <algorithm>
#include <cstdlib>

namespace media {

void SpeakerTrack::put(std::uint64_t now_samples, std::uint32_t ssrc, std::uint32_t timestamp,
                       std::span<const std::uint8_t> packet) {
  if (!anchor_ || anchor_->ssrc != ssrc) {
    anchor_ = {
        .ssrc = ssrc, .timestamp = timestamp, .at_samples = static_cast<std::int64_t>(now_samples)};
  }
  const std::int64_t step = static_cast<std::int32_t>(timestamp - anchor_->timestamp);
  std::int64_t at = anchor_->at_samples + step;
  const auto now = static_cast<std::int64_t>(now_samples);
  const bool jumped = -step > static_cast<std::int64_t>(kHeld_samples);
  if (step >= 0 || jumped) {
    const std::int64_t early = at - now;
    const bool paused = step >= static_cast<std::int64_t>(kPause_samples);
    const bool off = paused ? std::abs(early) > static_cast<std::int64_t>(kLeastOff_samples)
                            : early > static_cast<std::int64_t>(kMostEarly_samples) ||
                                  -early > static_cast<std::int64_t>(kHeld_samples);
    if (off || jumped) at = now;
    anchor_->timestamp = timestamp;
    anchor_->at_samples = at;
  }
  // What belongs before what is written already comes too late.
  if (at < static_cast<std::int64_t>(writer_.samples())) return;
  held_.try_emplace(static_cast<std::uint64_t>(at), packet.begin(), packet.end());
  if (held_.size() > kMostHeld) write_until(held_.begin()->first + 1);
}

void SpeakerTrack::advance(std::uint64_t now_samples) {
  if (now_samples <= kHeld_samples) return;
  const std::uint64_t until = now_samples - kHeld_samples;
  write_until(until);
  // A silence is written now and then, not packet by packet.
  if (writer_.samples() + OggOpusWriter::kPage_samples <= until) writer_.conceal_to(until);
}

void SpeakerTrack::finish(std::uint64_t now_samples) {
  write_until(UINT64_MAX);
  writer_.conceal_to(now_samples);
  writer_.finish();
}

void SpeakerTrack::write_until(std::uint64_t at_samples) {
  while (!held_.empty() && held_.begin()->first < at_samples) {
    const auto packet = held_.extract(held_.begin());
    writer_.put(packet.key(), packet.mapped());
  }
}

}  // namespace media
