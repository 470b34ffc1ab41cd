#include "media/mix_encoder.h"

#include <opus.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "media/check.h"

namespace media {
namespace {

// RFC 7587 §6.1, maxplaybackrate.
int bandwidth_of(std::int32_t rate_hz) {
  if (rate_hz >= 48000) return OPUS_BANDWIDTH_FULLBAND;
  if (rate_hz >= 24000) return OPUS_BANDWIDTH_SUPERWIDEBAND;
  if (rate_hz >= 16000) return OPUS_BANDWIDTH_WIDEBAND;
  return rate_hz >= 12000 ? OPUS_BANDWIDTH_MEDIUMBAND : OPUS_BANDWIDTH_NARROWBAND;
}

// libopus' own OPUS_SET_FORCE_MODE (opus_private.h, since its first release), SILK being hybrid
// where the bandwidth is; one without would go on choosing by itself.
constexpr int kSetMode = 11002, kSilk = 1000, kCelt = 1002;

// Where FEC is. libopus 1.3.1 takes more for it from the frame itself the more it expects, which
// costs more than a better copy brings, at any loss: segmental SNR of speech at 32 kbit/s, of which
// 5 and 12 % are lost, 4.5 and 4.3 dB with 10 %, 4.2 and 4.0 with 15 or 20; at 24, 20 % lost, 3.6,
// 3.2, 2.8. With less than 9 % it has none in what it takes for music.
constexpr int kExpected_percent = 10;

std::size_t state_bytes(int channels) {
  return static_cast<std::size_t>(opus_encoder_get_size(channels));
}

}  // namespace

void MixEncoder::Free::operator()(OpusEncoder* encoder) const { std::free(encoder); }

MixEncoder::MixEncoder() : state_(static_cast<OpusEncoder*>(std::malloc(state_bytes(2)))) {
  if (!state_) throw std::bad_alloc();
}

MixEncoder::~MixEncoder() = default;

void MixEncoder::start(const EncoderSettings& settings, int channels) {
  const int error =
      opus_encoder_init(state_.get(), kSampleRate_hz, channels, OPUS_APPLICATION_VOIP);
  CHECK(error == OPUS_OK);
  channels_ = channels;
  limiter_ = {};
  silent_ticks_ = 0;
  configuration_ = kNothingYet;
  alone_ = true;
  started_ = true;
  settings_ = settings;
  apply(settings);
}

void MixEncoder::fork(const MixEncoder& origin, const EncoderSettings& settings) {
  CHECK(origin.started_);
  std::memcpy(state_.get(), origin.state_.get(), state_bytes(origin.channels_));
  channels_ = origin.channels_;
  limiter_ = origin.limiter_;
  silent_ticks_ = origin.silent_ticks_;
  complexity_ = origin.complexity_;
  grace_frames_ = origin.grace_frames_;
  configuration_ = origin.configuration_;
  alone_ = origin.alone_;
  settings_ = origin.settings_;
  started_ = true;
  set(settings);
  choose_alone();
}

void MixEncoder::set(const EncoderSettings& settings) {
  if (started_ && settings != settings_) apply(settings);
}

void MixEncoder::set_complexity(int complexity) {
  if (std::exchange(complexity_, complexity) == complexity || !started_) return;
  opus_encoder_ctl(state_.get(), OPUS_SET_COMPLEXITY(complexity));
}

// SILK changes its bandwidth when nobody speaks, and then within seconds; through CELT, and back
// to a SILK that begins anew, it takes three frames.
void MixEncoder::choose_as(const MixEncoder& other) {
  if (configuration_ == kNothingYet || other.configuration_ == kNothingYet) return;
  if (codes_like(other)) return;
  const bool to_celt = other.celt() || !celt();
  const auto toc = static_cast<unsigned char>(other.configuration_ << 3);
  choose(to_celt ? kCelt : kSilk, to_celt ? OPUS_AUTO : opus_packet_get_bandwidth(&toc));
  alone_ = false;
}

void MixEncoder::choose_alone() {
  if (std::exchange(alone_, true)) return;
  choose(OPUS_AUTO, OPUS_AUTO);
}

void MixEncoder::choose(int mode, int bandwidth) {
  opus_encoder_ctl(state_.get(), kSetMode, opus_int32{mode});
  opus_encoder_ctl(state_.get(), OPUS_SET_BANDWIDTH(bandwidth));
}

void MixEncoder::apply(const EncoderSettings& settings) {
  const std::int32_t before_bps = std::exchange(settings_, settings).bitrate_bps;
  const bool less = settings.bitrate_bps < before_bps && !settings.constant_bitrate;
  if (!less) set_bitrate(settings.bitrate_bps);
  grace_frames_ = less ? kGrace_frames : 0;
  OpusEncoder* const encoder = state_.get();
  opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(complexity_));
  opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(settings.fec() ? 1 : 0));
  opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(settings.fec() ? kExpected_percent : 0));
  opus_encoder_ctl(encoder, OPUS_SET_MAX_BANDWIDTH(bandwidth_of(settings.max_rate_hz)));
  opus_encoder_ctl(encoder, OPUS_SET_VBR(settings.constant_bitrate ? 0 : 1));
  if (channels_ == 2) opus_encoder_ctl(encoder, OPUS_SET_FORCE_CHANNELS(settings.stereo ? 2 : 1));
}

void MixEncoder::set_bitrate(std::int32_t bitrate_bps) {
  opus_encoder_ctl(state_.get(), OPUS_SET_BITRATE(bitrate_bps));
}

std::span<const std::uint8_t> MixEncoder::encode(const Sum& mid, const Sum* side) {
  CHECK(started_);
  std::array<std::int16_t, 2 * kFrame_samples> samples;
  if (channels_ == 1) {
    limiter_.process(mid, std::span(samples).first<kFrame_samples>());
  } else {
    limiter_.process(mid, settings_.stereo ? side : nullptr, samples);
  }
  const int bytes = opus_encode(state_.get(), samples.data(), kFrame_samples, payload_.data(),
                                static_cast<opus_int32>(payload_.size()));
  CHECK(bytes > 0);  // fails for bad arguments only
  bytes_ = static_cast<std::size_t>(bytes);
  configuration_ = static_cast<std::uint8_t>(payload_[0] >> 3);
  if (grace_frames_ > 0 && --grace_frames_ == 0) set_bitrate(settings_.bitrate_bps);
  return payload();
}

}  // namespace media
