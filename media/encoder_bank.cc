#include "media/encoder_bank.h"

#include <opus.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "media/check.h"
#include "media/mix_minus.h"

namespace media {
namespace {

// What the encoder is told to expect when it adds FEC: enough to spend bits on it.
constexpr int kExpectedLoss_percent = 10;

// RFC 7587 §6.1, maxplaybackrate.
int bandwidth_of(std::int32_t rate_hz) {
  if (rate_hz >= 48000) return OPUS_BANDWIDTH_FULLBAND;
  if (rate_hz >= 24000) return OPUS_BANDWIDTH_SUPERWIDEBAND;
  if (rate_hz >= 16000) return OPUS_BANDWIDTH_WIDEBAND;
  return rate_hz >= 12000 ? OPUS_BANDWIDTH_MEDIUMBAND : OPUS_BANDWIDTH_NARROWBAND;
}

bool is_silent(const Sum& sum) {
  return std::all_of(sum.begin(), sum.end(), [](std::int32_t s) { return s == 0; });
}

}  // namespace

void MixEncoder::Free::operator()(OpusEncoder* encoder) const { std::free(encoder); }

MixEncoder::MixEncoder()
    : state_(static_cast<OpusEncoder*>(
          std::malloc(static_cast<std::size_t>(opus_encoder_get_size(1))))) {
  if (!state_) throw std::bad_alloc();
}

MixEncoder::~MixEncoder() = default;

void MixEncoder::start(const EncoderSettings& settings) {
  const int error = opus_encoder_init(state_.get(), kSampleRate_hz, 1, OPUS_APPLICATION_VOIP);
  CHECK(error == OPUS_OK);
  limiter_ = {};
  silent_ticks_ = 0;
  started_ = true;
  apply(settings);
}

void MixEncoder::fork(const MixEncoder& origin, const EncoderSettings& settings) {
  CHECK(origin.started_);
  std::memcpy(state_.get(), origin.state_.get(),
              static_cast<std::size_t>(opus_encoder_get_size(1)));
  limiter_ = origin.limiter_;
  silent_ticks_ = origin.silent_ticks_;
  settings_ = origin.settings_;
  started_ = true;
  set(settings);
}

void MixEncoder::set(const EncoderSettings& settings) {
  if (started_ && settings != settings_) apply(settings);
}

void MixEncoder::apply(const EncoderSettings& settings) {
  settings_ = settings;
  OpusEncoder* const encoder = state_.get();
  opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(kComplexity));
  opus_encoder_ctl(encoder, OPUS_SET_BITRATE(settings.bitrate_bps));
  opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(settings.fec ? 1 : 0));
  opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(settings.fec ? kExpectedLoss_percent : 0));
  opus_encoder_ctl(encoder, OPUS_SET_MAX_BANDWIDTH(bandwidth_of(settings.max_rate_hz)));
  opus_encoder_ctl(encoder, OPUS_SET_VBR(settings.constant_bitrate ? 0 : 1));
}

std::span<const std::uint8_t> MixEncoder::encode(const Sum& mix) {
  CHECK(started_);
  limiter_.process(mix, limited_);
  const int bytes = opus_encode(state_.get(), limited_.data(), kFrame_samples, payload_.data(),
                                static_cast<opus_int32>(payload_.size()));
  CHECK(bytes > 0);  // fails for bad arguments only
  bytes_ = static_cast<std::size_t>(bytes);
  return payload();
}

std::size_t EncoderBank::class_of(const EncoderSettings& wanted, std::int32_t full_bitrate_bps) {
  return (wanted.fec ? 1U : 0U) + (wanted.bitrate_bps < full_bitrate_bps ? 2U : 0U);
}

void EncoderBank::set_class(std::size_t listener_class, const EncoderSettings& settings) {
  Common& common = common_[listener_class];
  common.settings = settings;
  common.encoder.set(settings);
}

void EncoderBank::enroll(Listener& listener, std::size_t listener_class) {
  const std::size_t before = std::exchange(listener.class_, listener_class);
  if (before != listener.class_) listener.personal_ = false;
}

void EncoderBank::begin(const Sum& total, bool silent) {
  total_ = &total;
  total_silent_ = silent;
  encodes_ = 0;
  for (Common& common : common_) {
    common.encoder.note(silent);
    common.wanted = common.needed = false;
  }
}

void EncoderBank::choose(Listener& listener, const Frame* own, bool dtx) {
  Common& common = common_[listener.class_];
  if (own != nullptr) {
    listener.own_silence_ticks_ = 0;
    if (!listener.personal_) {
      listener.personal_ = true;
      // The common encoder has not seen this tick yet: his voice is in neither stream's past.
      if (common.listened) {
        listener.encoder_.fork(common.encoder, common.settings);
      } else {
        listener.encoder_.start(common.settings);
      }
    }
  } else if (listener.personal_ && ++listener.own_silence_ticks_ >= kBackToCommon_ticks) {
    go_back(listener);
  }
  if (!listener.personal_) {
    common.wanted = true;
    common.needed = common.needed || !dtx || common.encoder.due_in_dtx();
    return;
  }
  subtract(*total_, own, minus_);
  listener.encoder_.set(common.settings);
  listener.encoder_.note(own == nullptr ? total_silent_ : is_silent(minus_));
  if (dtx && !listener.encoder_.due_in_dtx()) return;
  listener.encoder_.encode(minus_);
  ++encodes_;
}

void EncoderBank::go_back(Listener& listener) {
  Common& common = common_[listener.class_];
  listener.personal_ = false;
  if (common.listened) return;
  // Nobody was left on the common stream: it goes on where the first to return comes from.
  common.encoder.fork(listener.encoder_, common.settings);
  common.encoder.note(total_silent_);
  common.listened = true;
}

void EncoderBank::encode_common() {
  for (Common& common : common_) {
    if (common.wanted && !common.listened) {
      common.encoder.start(common.settings);
      common.needed = true;  // what has just begun is due (due_in_dtx), and has no payload yet
    }
    common.listened = common.wanted;
    if (!common.needed) continue;
    common.encoder.encode(*total_);
    ++encodes_;
  }
}

const MixEncoder& EncoderBank::stream_of(const Listener& listener) const {
  return listener.personal_ ? listener.encoder_ : common_[listener.class_].encoder;
}

bool EncoderBank::due(const Listener& listener, bool dtx) const {
  return !dtx || stream_of(listener).due_in_dtx();
}

}  // namespace media
