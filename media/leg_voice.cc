#include "media/leg_voice.h"

#include <algorithm>
#include <utility>

#include "media/time_stretch.h"

namespace media {
namespace {

// A place where the sound repeats itself this well is waited for...
constexpr float kGoodMatch = 0.9F;
// ...but the less so, the more the delay is off; with this much, any place will do.
constexpr float kFarOff_samples = 30 * kSampleRate_hz / 1000;

float match_needed(std::int32_t off_samples) {
  const float off = static_cast<float>(off_samples) / kFarOff_samples;
  return kGoodMatch * (1 - std::clamp(off, 0.0F, 1.0F));
}

}  // namespace

void LegVoice::begin(unsigned skipped) {
  skipped_ = skipped;
  playout_.tick(decoding_ ? decoder_.buffered_samples() : ahead_samples_, skipped);
}

PlayoutBuffer::Inserted LegVoice::insert(const RtpPacket& packet, std::optional<AudioLevel> level,
                                         const ContributorList& contributors,
                                         std::optional<std::int32_t> age_samples) {
  return playout_.insert(packet, level, contributors, age_samples);
}

std::uint8_t LegVoice::next_level() {
  const int have = decoding_ ? decoder_.buffered_samples() : ahead_samples_;
  if (const auto level = playout_.peek_level(2 * kFrame_samples - have)) {
    told_level_dbov_ = level->level_dbov;
  } else if (have < kFrame_samples) {
    told_level_dbov_ = kSilence_dbov;
  }
  return told_level_dbov_;
}

unsigned LegVoice::start_decoding() {
  if (decoding_) return 0;
  decoding_ = true;
  if (std::exchange(missed_packets_, false)) {
    decoder_.reset();  // what it knows is long ago
    contributor_count_ = 0;
  }
  for (std::size_t i = kWarmUp - passed_count_; i < kWarmUp; ++i) {
    const Passed& passed = passed_[(passed_next_ + i) % kWarmUp];
    decoder_.keep(0);
    decoder_.decode(std::span(passed.payload).first(passed.bytes), passed.samples);
  }
  decoder_.keep(ahead_samples_);
  const int missing = ahead_samples_ - decoder_.buffered_samples();
  if (missing > 0) decoder_.recover({}, missing);
  return static_cast<unsigned>(std::exchange(passed_count_, 0));
}

void LegVoice::remember(std::span<const std::uint8_t> packet, int samples) {
  missed_packets_ = true;
  Passed& passed = passed_[passed_next_];
  if (packet.size() > passed.payload.size()) {
    passed_count_ = 0;
    return;
  }
  passed.samples = samples;
  passed.bytes = packet.size();
  std::ranges::copy(packet, passed.payload.begin());
  passed_next_ = (passed_next_ + 1) % kWarmUp;
  passed_count_ = std::min(passed_count_ + 1, kWarmUp);
}

unsigned LegVoice::fill(int samples, bool from_packets_only) {
  unsigned decodes = 0;
  while (decoder_.buffered_samples() < samples) {
    if (from_packets_only && !playout_.ready()) break;
    const int missing = samples - decoder_.buffered_samples();
    const auto step = playout_.pull(missing);
    if (!step || step->packet.empty()) {
      const int concealed = step ? step->samples : missing;
      decoder_.recover(step ? step->next : std::span<const std::uint8_t>{}, concealed);
      concealed_samples_ += concealed;
    } else {
      decoder_.decode(step->packet, step->samples);
      contributor_count_ = step->contributors.size();
      for (std::size_t i = 0; i < contributor_count_; ++i) {
        contributors_[i] = step->contributors.at(i, kNotTold);
      }
      ++decodes;
    }
  }
  return decodes;
}

unsigned LegVoice::adapt() {
  if (pause_ticks_ > 0) {
    --pause_ticks_;
    return 0;
  }
  const std::int32_t surplus = playout_.surplus_samples();
  if (surplus >= 0 && surplus < PlayoutBuffer::kSlack_samples) return 0;
  pause_ticks_ = kPause_ticks;
  if (surplus < 0) {
    shortened_samples_ -= decoder_.lengthen(match_needed(-surplus));
    return 0;
  }
  const unsigned decodes = fill(kFrame_samples + kMostPeriod_samples, true);
  const int to_spare = decoder_.buffered_samples() - kFrame_samples;
  shortened_samples_ +=
      decoder_.shorten(std::min(to_spare, surplus), match_needed(surplus - kFrame_samples));
  return decodes;
}

unsigned LegVoice::decode(Frame& frame) {
  unsigned decodes = start_decoding();
  if (skipped_ > 0) playout_.skip(static_cast<int>(skipped_) * kFrame_samples);
  decodes += fill(kFrame_samples);
  decodes += adapt();
  decoder_.take(frame);
  return decodes;
}

void LegVoice::pass_over() {
  if (skipped_ > 0) playout_.skip(static_cast<int>(skipped_) * kFrame_samples);
  playout_.align(kVoiceOn_dbov);
  if (decoding_) ahead_samples_ = decoder_.buffered_samples();
  decoding_ = false;
  while (ahead_samples_ < kFrame_samples) {
    const auto step = playout_.pull(kFrame_samples - ahead_samples_);
    ahead_samples_ = step ? ahead_samples_ + step->samples : kFrame_samples;
    if (step && !step->packet.empty()) remember(step->packet, step->samples);
  }
  ahead_samples_ -= kFrame_samples;
}

}  // namespace media
