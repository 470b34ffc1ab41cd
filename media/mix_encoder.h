// media/mix_encoder.h: a mix on its way to a payload: limiter and Opus encoder (VOIP, 48 kHz,
// 20 ms). Pure; one thread at a time; allocates at construction only.
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

class MixEncoder {
 public:
  // The state's memory is taken here and first touched by start() or fork().
  MixEncoder();
  ~MixEncoder();

  // `channels` of its state, 1 or 2: stereo needs two, and mono costs a tenth less with one.
  void start(const EncoderSettings& settings, int channels = 1);
  // Goes on where `origin` is, with as many channels and own settings. Requires: origin was
  // started.
  void fork(const MixEncoder& origin, const EncoderSettings& settings);
  void set(const EncoderSettings& settings);
  bool started() const { return started_; }
  int channels() const { return channels_; }
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
  // `side`: nullptr for none; heard if the settings are stereo and the state has two channels.
  // Requires: started. The payload is valid until the next encode().
  std::span<const std::uint8_t> encode(const Sum& mid, const Sum* side = nullptr);
  std::span<const std::uint8_t> payload() const { return {payload_.data(), bytes_}; }

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
  int channels_ = 1;                          // of the state
  EncoderSettings settings_;
  bool started_ = false;
  int complexity_ = kComplexity;
  int grace_frames_ = 0;                      // until the bitrate sinks to that of the settings
  std::uint8_t configuration_ = kNothingYet;  // of the last frame (RFC 6716 §3.1)
  bool alone_ = true;                         // libopus chooses the next one's
  unsigned silent_ticks_ = 0;
  Limiter limiter_;
  std::array<std::uint8_t, limits::kMaxOpusBytes> payload_;
  std::size_t bytes_ = 0;
};

}  // namespace media
