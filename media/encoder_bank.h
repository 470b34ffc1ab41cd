// media/encoder_bank.h: K people talking cost K + 1 encodes, not one for each listener. Who
// does not speak listens to the common stream of his class, one payload for all; who speaks gets a
// personal one, whose encoder is a copy of the common one's flat state, taken in the very tick in
// which his voice first enters the sum: to the decoder it is one unbroken stream. After half a
// second without his voice the mixes are the same again, and he goes back. Pure; one thread at a
// time (a room's tick); a tick allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "media/audio_frame.h"
#include "media/limiter.h"
#include "media/limits.h"
#include "media/listener_classes.h"

struct OpusEncoder;

namespace media {

// A mix on its way to a payload: limiter and Opus encoder (VOIP, 48 kHz, mono, 20 ms).
class MixEncoder {
 public:
  // The state's memory is taken here and first touched by start() or fork().
  MixEncoder();
  ~MixEncoder();

  void start(const EncoderSettings& settings);
  // Goes on where `origin` is, with own settings. Requires: origin was started.
  void fork(const MixEncoder& origin, const EncoderSettings& settings);
  void set(const EncoderSettings& settings);
  bool started() const { return started_; }
  // 0 to 10, from the next frame on.
  void set_complexity(int complexity);

  // Whether both coded their last frames alike (RFC 6716 §2): as CELT, as SILK of one bandwidth, or
  // as both together. If not, a decoder that changes to the other's packets begins anew.
  bool codes_like(const MixEncoder& other) const { return way() == other.way(); }
  // libopus chooses by the sound and by its last choice: of one sound two encoders may differ for
  // ever. Called before each frame, this one comes to the other's, unheard; alone, libopus chooses.
  void choose_as(const MixEncoder& other);
  void choose_alone();

  // Counts this tick's mix as silent or not; before encode(), also when nobody needs a payload.
  void note(bool silent) { silent_ticks_ = silent ? silent_ticks_ + 1 : 0; }
  // Whether a listener who likes silence not to be sent (RFC 7587 §3.1.3) gets this tick's payload:
  // the sound, the first frames of a silence, and then one in kKeepAlive_ticks.
  bool due_in_dtx() const {
    return silent_ticks_ <= kSilenceSent_ticks || silent_ticks_ % kKeepAlive_ticks == 0;
  }
  // Requires: started. The payload is valid until the next encode().
  std::span<const std::uint8_t> encode(const Sum& mix);
  std::span<const std::uint8_t> payload() const { return {payload_.data(), bytes_}; }
  const Frame& limited() const { return limited_; }

  // 200 ms: the decoder's own memory is silent by then.
  static constexpr unsigned kSilenceSent_ticks = 10;
  // 400 ms, as libopus' own DTX does: 2.5 packets a second.
  static constexpr unsigned kKeepAlive_ticks = 20;
  // 255 us a frame against 140 at complexity 5; but there the codec's own distortion of two tones
  // is 57 dB below them where the listener's own tone would be, here 74 dB. K + 1 of them a tick is
  // few.
  static constexpr int kComplexity = 9;

 private:
  static constexpr std::uint8_t kNothingYet = 0xFF;
  // Less to be sent: not before the frames are out that carry the last one's FEC, or change to
  // another codec, and have hardly room for themselves.
  static constexpr int kGrace_frames = 3;
  void apply(const EncoderSettings& settings);
  void set_bitrate(std::int32_t bitrate_bps);
  void choose(int mode, int bandwidth);
  bool celt() const { return configuration_ >= 16; }
  int way() const { return celt() ? 16 : configuration_ / 4; }

  struct Free {
    void operator()(OpusEncoder* encoder) const;
  };
  std::unique_ptr<OpusEncoder, Free> state_;  // flat: copied by memcpy
  EncoderSettings settings_;
  bool started_ = false;
  int complexity_ = kComplexity;
  int grace_frames_ = 0;                      // until the bitrate sinks to that of the settings
  std::uint8_t configuration_ = kNothingYet;  // of the last frame (RFC 6716 §3.1)
  bool alone_ = true;                         // libopus chooses the next one's
  unsigned silent_ticks_ = 0;
  Limiter limiter_;
  Frame limited_;
  std::array<std::uint8_t, limits::kMaxOpusBytes> payload_;
  std::size_t bytes_ = 0;
};

// What a listener's stream is, tick by tick.
class Listener {
 public:
  std::size_t listener_class() const { return class_; }
  bool personal() const { return personal_; }
  // On his way to his class: he hears another's stream still, or a bridge.
  bool moving() const { return !personal_ && (bridge_ != kNone || on_ != class_); }

 private:
  friend class EncoderBank;
  static constexpr std::size_t kNone = ~std::size_t{0};
  MixEncoder encoder_;  // personal; only touched by those who ever spoke
  std::size_t class_ = 0;
  std::size_t on_ = 0;          // whose common stream he hears
  std::size_t bridge_ = kNone;  // or which bridge instead
  bool personal_ = false;       // instead of both
  int own_silence_ticks_ = 0;
  std::uint64_t heard_at_ = 0;  // the last tick with choose()
};

class EncoderBank {
 public:
  static constexpr std::size_t kClasses = ListenerClasses::kClasses;
  // Moves from one class to another under way at once, whoever goes with them; the rest waits.
  static constexpr std::size_t kBridges = 2;
  // Two encoders of one mix, the same settings and different pasts have become alike this long
  // after: the decoder of the one can go on with the other.
  static constexpr int kAlike_ticks = 25;
  // What still chooses another codec by then is waited for no longer.
  static constexpr int kPatience_ticks = 50;

  // Between ticks, or in one before begin(). A class's settings may change at any time, unheard.
  void set_class(std::size_t listener_class, const EncoderSettings& settings);
  // A listener's too: choose() brings him there. At once if he has heard nothing yet.
  void enroll(Listener& listener, std::size_t listener_class);
  // What there is time for, 0 to 10 (libopus); MixEncoder::kComplexity at first.
  void set_complexity(int complexity) { complexity_ = complexity; }

  // One tick: begin, then once for every listener who receives choose(), then encode_common(), then
  // stream_of() and due() as often as one likes.
  // `total` outlives the tick.
  void begin(const Sum& total, bool silent);
  // `own`: what he himself says in `total`, nullptr for nothing. `dtx`: he likes silence not to be
  // sent. Decides which stream; forks; encodes a personal mix at once.
  void choose(Listener& listener, const Frame* own, bool dtx);
  // The same for one who hears another sum than `total`: nullptr: he hears that.
  void choose_mix(Listener& listener, const Sum* heard, bool dtx);
  void encode_common();
  // The encoder whose payload he is sent in this tick. Personal ones are the listener's own.
  const MixEncoder& stream_of(const Listener& listener) const;
  // Whether there is something to send to him.
  bool due(const Listener& listener, bool dtx) const;
  // Opus encodes in this tick.
  unsigned encodes() const { return encodes_; }

 private:
  // A stream that many listen to.
  struct Shared {
    MixEncoder encoder;
    EncoderSettings settings;
    bool wanted = false;    // somebody listens to it in this tick
    bool needed = false;    // and somebody is to be sent its payload
    bool listened = false;  // somebody listened to it in the last tick: it is unbroken
  };
  struct Common : Shared {
    std::size_t forked_from = Listener::kNone;  // in this tick
  };
  struct Bridge : Shared {
    std::size_t from = 0, to = 0;
    int age_ticks = 0;
  };
  bool follow(Listener& listener, bool total, bool dtx);
  void go_back(Listener& listener);
  bool alike(MixEncoder& encoder, std::size_t listener_class, int ticks) const;
  void encode(Listener& listener, const Sum& heard, bool dtx);
  const Shared& shared_of(const Listener& listener) const;
  Shared& shared_of(const Listener& listener);
  void speak(Listener& listener);
  void arrive(Listener& listener, std::size_t listener_class, const MixEncoder& origin);
  void move(Listener& listener);
  std::size_t bridge_for(const Listener& listener);
  void begin(Shared& shared, bool silent);
  void encode(Shared& shared);

  std::array<Common, kClasses> common_;
  std::array<Bridge, kBridges> bridges_;
  int complexity_ = MixEncoder::kComplexity;
  std::uint64_t tick_ = 0;
  const Sum* total_ = nullptr;
  bool total_silent_ = true;
  Sum minus_{};
  unsigned encodes_ = 0;
};

}  // namespace media
