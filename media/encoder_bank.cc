#include "media/encoder_bank.h"

#include <algorithm>
#include <utility>

#include "media/mix_minus.h"

namespace media {
namespace {

bool is_silent(const Sum& sum) {
  return std::all_of(sum.begin(), sum.end(), [](std::int32_t s) { return s == 0; });
}

}  // namespace

void EncoderBank::set_class(std::size_t listener_class, const EncoderSettings& settings) {
  common_[listener_class].settings = settings;
}

void EncoderBank::enroll(Listener& listener, std::size_t listener_class) {
  listener.class_ = listener_class;
}

void EncoderBank::begin(const Sum& total, bool silent, const Sum* side) {
  ++tick_;
  total_ = &total;
  side_ = side;
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
  widening_.encoder.note(silent);
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
  listener.encoder_.note(&heard == total_ ? total_silent_ : !side_ && is_silent(heard));
  if (dtx && !listener.encoder_.due_in_dtx()) return;
  listener.encoder_.encode(heard, side_);
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
    listener.encoder_.start(settings, channels_);
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
  } else if (!common.settings.stereo || origin.encoder.channels() == 2) {  // or it is widened first
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
  for (std::size_t i = 0; i < kClasses; ++i) widen(i);
}

// libopus makes no state of two channels out of one of one: another begins beside it, in mono as
// well, and takes its place when both have become alike. One stream after the other.
void EncoderBank::widen(std::size_t listener_class) {
  Common& common = common_[listener_class];
  const bool due = common.listened && common.encoder.channels() < channels_;
  if (!due && widening_.of == listener_class) widening_.of = Listener::kNone;
  if (!due || !common.needed) return;
  EncoderSettings settings = common.settings;
  settings.stereo = false;
  if (widening_.of == Listener::kNone) {
    widening_.of = listener_class;
    widening_.ticks = 0;
    widening_.encoder.start(settings, channels_);
  }
  if (widening_.of != listener_class) return;
  widening_.encoder.set(settings);
  widening_.encoder.set_complexity(complexity_);
  widening_.encoder.encode(*total_);
  ++encodes_;
  if (!alike(widening_.encoder, listener_class, ++widening_.ticks)) return;
  common.encoder.fork(widening_.encoder, common.settings);
  widening_.of = Listener::kNone;
}

void EncoderBank::encode(Shared& shared) {
  if (shared.wanted && !shared.listened) {
    shared.encoder.start(shared.settings, channels_);
    shared.needed = true;  // what has just begun is due (due_in_dtx), and has no payload yet
  }
  shared.listened = shared.wanted;
  if (!shared.needed) return;
  shared.encoder.set(shared.settings);
  shared.encoder.set_complexity(complexity_);
  shared.encoder.encode(*total_, side_);
  ++encodes_;
}

const MixEncoder& EncoderBank::stream_of(const Listener& listener) const {
  return listener.personal_ ? listener.encoder_ : shared_of(listener).encoder;
}

bool EncoderBank::due(const Listener& listener, bool dtx) const {
  return !dtx || stream_of(listener).due_in_dtx();
}

}  // namespace media
