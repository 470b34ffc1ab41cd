// media/encoder_bank.h: K people talking cost K + 1 encodes, not one for each listener. Who
// does not speak listens to the common stream of his class, one payload for all; who speaks gets a
// personal one, whose encoder is a copy of the common one's flat state, taken in the very tick in
// which his voice first enters the sum: to the decoder it is one unbroken stream. After half a
// second without his voice the mixes are the same again, and he goes back. Pure; one thread at a
// time (a room's tick); a tick allocates nothing.
#pragma once

#include <array>
#include <cstdint>

#include "media/audio_frame.h"
#include "media/listener_classes.h"
#include "media/mix_encoder.h"

namespace media {

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
  // Whether some class may be a stereo one: what begins from now on has room for two channels, and
  // what runs is brought over within a second, unheard.
  void set_two_channels(bool wanted) { channels_ = wanted ? 2 : 1; }

  // One tick: begin, then once for every listener who receives choose(), then encode_common(), then
  // stream_of() and due() as often as one likes.
  // `total` outlives the tick, and so does `side`, what the left and the right have more and less
  // than it; nullptr: nothing. Nobody's voice is in it.
  void begin(const Sum& total, bool silent, const Sum* side = nullptr);
  // `own`: what he himself says in `total`, nullptr for nothing. `dtx`: he likes silence not to be
  // sent. Decides which stream; forks; encodes a personal mix at once.
  void choose(Listener& listener, const Frame* own, bool dtx);
  // The same for one who hears another sum than `total`; nullptr: he hears that.
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
  // A common stream's next state, of two channels, which nobody hears yet.
  struct Widening {
    MixEncoder encoder;
    std::size_t of = Listener::kNone;
    int ticks = 0;
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
  void widen(std::size_t listener_class);

  std::array<Common, kClasses> common_;
  std::array<Bridge, kBridges> bridges_;
  Widening widening_;
  int channels_ = 1;
  int complexity_ = MixEncoder::kComplexity;
  std::uint64_t tick_ = 0;
  const Sum* total_ = nullptr;
  const Sum* side_ = nullptr;
  bool total_silent_ = true;
  Sum minus_{};
  unsigned encodes_ = 0;
};

}  // namespace media
