#include "media/leg_decoder.h"

#include <opus.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "media/check.h"

namespace media {
namespace {

// Concealment comes in multiples of this (opus_decoder.h: "multiple of 2.5 ms").
constexpr int kOpusGrain_samples = 120;

}  // namespace

void LegDecoder::Free::operator()(OpusDecoder* decoder) const { std::free(decoder); }

LegDecoder::LegDecoder()
    : decoder_(static_cast<OpusDecoder*>(
          std::malloc(static_cast<std::size_t>(opus_decoder_get_size(1))))),
      pcm_(new std::int16_t[kCapacity]) {
  if (!decoder_) throw std::bad_alloc();
}

LegDecoder::~LegDecoder() = default;

void LegDecoder::start() {
  if (std::exchange(started_, true)) return;
  CHECK(opus_decoder_init(decoder_.get(), kSampleRate_hz, 1) == OPUS_OK);
}

void LegDecoder::make_room() {
  if (begin_ <= kHistory) return;
  std::memmove(pcm_.get(), pcm_.get() + begin_ - kHistory,
               static_cast<std::size_t>(kHistory + size_) * sizeof(std::int16_t));
  begin_ = kHistory;
}

void LegDecoder::decode(std::span<const std::uint8_t> packet, int samples) {
  start();
  make_room();
  const int end = begin_ + size_;
  const int decoded =
      opus_decode(decoder_.get(), packet.data(), static_cast<opus_int32>(packet.size()),
                  pcm_.get() + end, std::min(kCapacity - end, 5760), 0);
  if (decoded <= 0) return recover({}, samples);
  size_ += decoded;
  heard_ = true;
  concealed_samples_ = 0;
}

void LegDecoder::recover(std::span<const std::uint8_t> next, int samples) {
  make_room();
  samples = std::min(samples, kCapacity - begin_ - size_);
  std::int16_t* const out = pcm_.get() + begin_ + size_;
  const bool silent = !heard_ || concealed_samples_ >= kMaxConcealed_samples;
  const int concealed =
      silent && next.empty() ? 0 : samples / kOpusGrain_samples * kOpusGrain_samples;
  int decoded = 0;
  if (concealed > 0) {
    start();
    decoded =
        opus_decode(decoder_.get(), next.empty() ? nullptr : next.data(),
                    static_cast<opus_int32>(next.size()), out, concealed, next.empty() ? 0 : 1);
  }
  std::fill(out + std::max(decoded, 0), out + samples, std::int16_t{0});
  // Without FEC in it libopus conceals by itself, so every recovered frame counts as concealed.
  fade(samples);
  size_ += samples;
}

void LegDecoder::fade(int samples) {
  std::int16_t* const out = pcm_.get() + begin_ + size_;
  for (int i = 0; i < samples; ++i) {
    const int age = concealed_samples_ + i;
    if (age < kFadeFrom_samples) continue;
    const int left = std::max(0, kMaxConcealed_samples - age);
    out[i] = static_cast<std::int16_t>(out[i] * left / (kMaxConcealed_samples - kFadeFrom_samples));
  }
  concealed_samples_ = std::min(concealed_samples_ + samples, kMaxConcealed_samples);
}

int LegDecoder::shorten(int most, float match) {
  most = std::min({most, kMostPeriod_samples, size_ / 2, size_ - kCompared_samples});
  if (most < kLeastPeriod_samples) return 0;
  std::int16_t* const sound = pcm_.get() + begin_;
  const Period period = find_period(sound, true, most);
  if (period.match < match) return 0;
  const auto samples = static_cast<std::size_t>(period.samples);
  const std::span into(sound + samples, samples);
  crossfade({sound, samples}, into, into);
  begin_ += period.samples;
  size_ -= period.samples;
  return period.samples;
}

int LegDecoder::lengthen(float match) {
  make_room();
  const int most = std::min({kMostPeriod_samples, begin_, size_, kCapacity - begin_ - size_});
  if (most < kLeastPeriod_samples || size_ < kCompared_samples) return 0;
  std::int16_t* const sound = pcm_.get() + begin_;
  const Period period = find_period(sound, false, most);
  if (period.match < match) return 0;
  const auto samples = static_cast<std::size_t>(period.samples);
  std::memmove(sound + samples, sound, static_cast<std::size_t>(size_) * sizeof(std::int16_t));
  crossfade({sound + samples, samples}, {sound - samples, samples}, {sound, samples});
  size_ += period.samples;
  return period.samples;
}

void LegDecoder::take(Frame& frame) {
  CHECK(size_ >= kFrame_samples);
  std::copy_n(pcm_.get() + begin_, kFrame_samples, frame.begin());
  begin_ += kFrame_samples;
  size_ -= kFrame_samples;
}

void LegDecoder::keep(int samples) {
  const int dropped = std::max(0, size_ - samples);
  begin_ += dropped;
  size_ -= dropped;
}

void LegDecoder::reset() {
  if (started_) opus_decoder_ctl(decoder_.get(), OPUS_RESET_STATE);
  begin_ = size_ = 0;
  heard_ = false;
  concealed_samples_ = 0;
}

}  // namespace media
