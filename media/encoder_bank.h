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

struct OpusEncoder;

namespace media {

struct EncoderSettings {
  std::int32_t bitrate_bps = 32000;
  bool fec = false;
  std::int32_t max_rate_hz = 48000;  // of what is heard, as a sampling rate: narrower is cheaper
  bool constant_bitrate = false;
  bool operator==(const EncoderSettings&) const = default;
};

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
  void apply(const EncoderSettings& settings);

  struct Free {
    void operator()(OpusEncoder* encoder) const;
  };
  std::unique_ptr<OpusEncoder, Free> state_;  // flat: copied by memcpy
  EncoderSettings settings_;
  bool started_ = false;
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

 private:
  friend class EncoderBank;
  MixEncoder encoder_;  // personal; only touched by those who ever spoke
  std::size_t class_ = 0;
  bool personal_ = false;
  int own_silence_ticks_ = 0;
};

class EncoderBank {
 public:
  static constexpr std::size_t kClasses = 4;
  // Own voice gone this long: the personal mix has become the common one.
  static constexpr int kBackToCommon_ticks = 25;

  // FEC and bitrate make the class (at most 4: with and without FEC; at the room's full bitrate or
  // below it, so that nobody's narrow line is heard by those who have none). DTX makes none, it
  // only decides who is sent what is there (MixEncoder::due_in_dtx). A class's bitrate is what its
  // weakest listener takes. What listeners would merely like makes no class either: a narrower
  // spectrum or a constant bitrate has a class if all in it would.
  static std::size_t class_of(const EncoderSettings& wanted, std::int32_t full_bitrate_bps);
  // Between ticks. A listener's class may change at any time; he hears it as one lost packet would
  // sound.
  void set_class(std::size_t listener_class, const EncoderSettings& settings);
  void enroll(Listener& listener, std::size_t listener_class);

  // One tick: begin, then once for every listener who receives choose(), then encode_common(), then
  // stream_of() and due() as often as one likes.
  // `total` outlives the tick.
  void begin(const Sum& total, bool silent);
  // `own`: what he himself says in `total`, nullptr for nothing. `dtx`: he likes silence not to be
  // sent. Decides common or personal; forks; encodes a personal mix at once.
  void choose(Listener& listener, const Frame* own, bool dtx);
  void encode_common();
  // The encoder whose payload he is sent in this tick. Personal ones are the listener's own.
  const MixEncoder& stream_of(const Listener& listener) const;
  // Whether there is something to send to him.
  bool due(const Listener& listener, bool dtx) const;
  // Opus encodes in this tick.
  unsigned encodes() const { return encodes_; }

 private:
  struct Common {
    MixEncoder encoder;
    EncoderSettings settings;
    bool wanted = false;    // somebody listens to it in this tick
    bool needed = false;    // and somebody is to be sent its payload
    bool listened = false;  // somebody listened to it in the last tick: it is unbroken
  };
  void go_back(Listener& listener);

  std::array<Common, kClasses> common_;
  const Sum* total_ = nullptr;
  bool total_silent_ = true;
  Sum minus_{};
  unsigned encodes_ = 0;
};

}  // namespace media
