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
  configuration_ = kNothingYet;
  alone_ = true;
  started_ = true;
  settings_ = settings;
  apply(settings);
}

void MixEncoder::fork(const MixEncoder& origin, const EncoderSettings& settings) {
  CHECK(origin.started_);
  std::memcpy(state_.get(), origin.state_.get(),
              static_cast<std::size_t>(opus_encoder_get_size(1)));
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
  opus_encoder_ctl(encoder,
                   OPUS_SET_PACKET_LOSS_PERC(settings.fec() ? settings.expected_loss_percent : 0));
  opus_encoder_ctl(encoder, OPUS_SET_MAX_BANDWIDTH(bandwidth_of(settings.max_rate_hz)));
  opus_encoder_ctl(encoder, OPUS_SET_VBR(settings.constant_bitrate ? 0 : 1));
}

void MixEncoder::set_bitrate(std::int32_t bitrate_bps) {
  opus_encoder_ctl(state_.get(), OPUS_SET_BITRATE(bitrate_bps));
}

std::span<const std::uint8_t> MixEncoder::encode(const Sum& mix) {
  CHECK(started_);
  limiter_.process(mix, limited_);
  const int bytes = opus_encode(state_.get(), limited_.data(), kFrame_samples, payload_.data(),
                                static_cast<opus_int32>(payload_.size()));
  CHECK(bytes > 0);  // fails for bad arguments only
  bytes_ = static_cast<std::size_t>(bytes);
  configuration_ = static_cast<std::uint8_t>(payload_[0] >> 3);
  if (grace_frames_ > 0 && --grace_frames_ == 0) set_bitrate(settings_.bitrate_bps);
  return payload();
}

void EncoderBank::set_class(std::size_t listener_class, const EncoderSettings& settings) {
  common_[listener_class].settings = settings;
}

void EncoderBank::enroll(Listener& listener, std::size_t listener_class) {
  listener.class_ = listener_class;
}

void EncoderBank::begin(const Sum& total, bool silent) {
  ++tick_;
  total_ = &total;
  total_silent_ = silent;
  encodes_ = 0;
  for (Common& common : common_) {
    begin(common, silent);
    common.forked_from = Listener::kNone;
  }
  for (Bridge& bridge : bridges_) {
    begin(bridge, silent);
    bridge.settings = common_[bridge.to].settings;
    ++bridge.age_ticks;
  }
}

void EncoderBank::begin(Shared& shared, bool silent) {
  shared.encoder.note(silent);
  shared.wanted = shared.needed = false;
}

const EncoderBank::Shared& EncoderBank::shared_of(const Listener& listener) const {
  if (listener.bridge_ != Listener::kNone) return bridges_[listener.bridge_];
  return common_[listener.on_];
}
EncoderBank::Shared& EncoderBank::shared_of(const Listener& listener) {
  return const_cast<Shared&>(std::as_const(*this).shared_of(listener));
}

void EncoderBank::choose(Listener& listener, const Frame* own, bool dtx) {
  if (follow(listener, own == nullptr, dtx)) return;
  subtract(*total_, own, minus_);
  encode(listener, minus_, dtx);
}

void EncoderBank::choose_mix(Listener& listener, const Sum* heard, bool dtx) {
  if (!follow(listener, heard == nullptr, dtx)) encode(listener, heard ? *heard : *total_, dtx);
}

// True: a stream that others listen to, too. `total`: he hears it in this tick.
bool EncoderBank::follow(Listener& listener, bool total, bool dtx) {
  if (std::exchange(listener.heard_at_, tick_) + 1 != tick_) {  // there is nothing to go on with
    listener.on_ = listener.class_;
    listener.bridge_ = Listener::kNone;
    listener.personal_ = false;
  }
  if (!total) {
    speak(listener);
  } else if (listener.personal_) {
    go_back(listener);
  }
  if (listener.personal_) return false;
  move(listener);
  Shared& shared = shared_of(listener);
  shared.wanted = true;
  shared.needed = shared.needed || !dtx || shared.encoder.due_in_dtx();
  return true;
}

void EncoderBank::encode(Listener& listener, const Sum& heard, bool dtx) {
  listener.encoder_.set(common_[listener.class_].settings);
  listener.encoder_.set_complexity(complexity_);
  listener.encoder_.note(&heard == total_ ? total_silent_ : is_silent(heard));
  if (dtx && !listener.encoder_.due_in_dtx()) return;
  listener.encoder_.encode(heard);
  ++encodes_;
}

// What he hears has not seen this tick yet: his voice is in neither stream's past.
void EncoderBank::speak(Listener& listener) {
  listener.own_silence_ticks_ = 0;
  if (listener.personal_) return listener.encoder_.choose_alone();
  const Shared& shared = shared_of(listener);
  const EncoderSettings& settings = common_[listener.class_].settings;
  if (shared.listened) {
    listener.encoder_.fork(shared.encoder, settings);
  } else {
    listener.encoder_.start(settings);
  }
  listener.personal_ = true;
  listener.bridge_ = Listener::kNone;
  listener.on_ = listener.class_;
}

// To the common stream, when his own has been as that one is for long enough: of the same mix, with
// the settings of his class.
void EncoderBank::go_back(Listener& listener) {
  if (std::exchange(listener.on_, listener.class_) != listener.class_) {
    listener.own_silence_ticks_ = 0;
  }
  if (!alike(listener.encoder_, listener.class_, ++listener.own_silence_ticks_)) return;
  listener.encoder_.note(total_silent_);
  arrive(listener, listener.class_, listener.encoder_);
}

// Whether a decoder can go on with the class's stream after so many ticks of the encoder's; if not
// yet, the encoder comes towards it.
bool EncoderBank::alike(MixEncoder& encoder, std::size_t listener_class, int ticks) const {
  const Common& common = common_[listener_class];
  if (!common.listened) return ticks >= kAlike_ticks;  // it will go on from here
  encoder.choose_as(common.encoder);
  if (ticks < kAlike_ticks) return false;
  return ticks >= kPatience_ticks || encoder.codes_like(common.encoder);
}

// If nobody listens to the common stream, it goes on where the first to come has been.
void EncoderBank::arrive(Listener& listener, std::size_t listener_class, const MixEncoder& origin) {
  listener.personal_ = false;
  listener.bridge_ = Listener::kNone;
  listener.on_ = listener_class;
  Common& common = common_[listener_class];
  if (common.listened) return;
  common.encoder.fork(origin, common.settings);
  common.listened = true;
}

// Towards the stream of his class, if he is not there.
void EncoderBank::move(Listener& listener) {
  if (listener.bridge_ != Listener::kNone) {
    Bridge& bridge = bridges_[listener.bridge_];
    if (!alike(bridge.encoder, bridge.to, bridge.age_ticks)) return;
    arrive(listener, bridge.to, bridge.encoder);
  }
  if (listener.on_ == listener.class_) return;
  const Common& origin = common_[listener.on_];
  Common& common = common_[listener.class_];
  if (!origin.listened) {
    listener.on_ = listener.class_;
  } else if (!common.listened) {
    common.forked_from = listener.on_;
    arrive(listener, listener.class_, origin.encoder);
  } else if (common.forked_from == listener.on_) {
    listener.on_ = listener.class_;
  } else {
    listener.bridge_ = bridge_for(listener);
  }
}

// One that begins in this tick, for all who go the same way; kNone: all are in use.
std::size_t EncoderBank::bridge_for(const Listener& listener) {
  std::size_t free = Listener::kNone;
  for (std::size_t i = 0; i < kBridges; ++i) {
    const Bridge& bridge = bridges_[i];
    if (!bridge.listened) {
      free = i;
    } else if (bridge.age_ticks == 0 && bridge.from == listener.on_ &&
               bridge.to == listener.class_) {
      return i;
    }
  }
  if (free == Listener::kNone) return free;
  Bridge& bridge = bridges_[free];
  bridge.from = listener.on_;
  bridge.to = listener.class_;
  bridge.age_ticks = 0;
  bridge.settings = common_[bridge.to].settings;
  bridge.encoder.fork(common_[bridge.from].encoder, bridge.settings);
  bridge.encoder.choose_as(common_[bridge.to].encoder);
  bridge.listened = true;
  return free;
}

void EncoderBank::encode_common() {
  for (Common& common : common_) encode(common);
  for (Bridge& bridge : bridges_) encode(bridge);
}

void EncoderBank::encode(Shared& shared) {
  if (shared.wanted && !shared.listened) {
    shared.encoder.start(shared.settings);
    shared.needed = true;  // what has just begun is due (due_in_dtx), and has no payload yet
  }
  shared.listened = shared.wanted;
  if (!shared.needed) return;
  shared.encoder.set(shared.settings);
  shared.encoder.set_complexity(complexity_);
  shared.encoder.encode(*total_);
  ++encodes_;
}

const MixEncoder& EncoderBank::stream_of(const Listener& listener) const {
  return listener.personal_ ? listener.encoder_ : shared_of(listener).encoder;
}

bool EncoderBank::due(const Listener& listener, bool dtx) const {
  return !dtx || stream_of(listener).due_in_dtx();
}

}  // namespace media
