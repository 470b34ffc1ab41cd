// media/leg_decoder.h: one leg's Opus packets become frames of the room (RFC 6716), whatever their
// length, bandwidth or channels. Pure; one thread at a time; allocates only at construction.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "media/audio_frame.h"
#include "media/time_stretch.h"

struct OpusDecoder;

namespace media {

class LegDecoder {
 public:
  // Throws std::bad_alloc. The memory is taken here and first touched when there is something to
  // decode: most legs of a large room never say anything.
  LegDecoder();
  ~LegDecoder();
  LegDecoder(const LegDecoder&) = delete;
  LegDecoder& operator=(const LegDecoder&) = delete;

  // Appends what the packet says; stereo is mixed down. Random bytes are allowed: what libopus
  // refuses is concealed for `samples`.
  void decode(std::span<const std::uint8_t> packet, int samples);
  // Appends `samples` for a packet that is lost: by the in-band FEC in the packet after it, if
  // `next` is not empty and has any, else by concealment, which fades out within
  // kMaxConcealed_samples and is silence from there on until the next packet.
  void recover(std::span<const std::uint8_t> next, int samples);

  // Makes what is buffered shorter, by at most `most`, or longer, by one period of its pitch
  // (time_stretch.h). Returns by how much: 0 if it does not repeat itself well enough (`match`) or
  // there is too little of it.
  int shorten(int most, float match);
  int lengthen(float match);

  int buffered_samples() const { return size_; }
  // Drops all but the last `samples`.
  void keep(int samples);
  // Takes the next 20 ms. Requires: buffered_samples() >= kFrame_samples.
  void take(Frame& frame);
  // Forgets what is buffered and said: what follows is another talk.
  void reset();

  // 100 ms: what libopus invents beyond that sounds like a robot.
  static constexpr int kMaxConcealed_samples = 5 * kFrame_samples;
  static constexpr int kFadeFrom_samples = 2 * kFrame_samples;

 private:
  // What was taken last: sound is made longer by repeating it.
  static constexpr int kHistory = kMostPeriod_samples;
  // A packet may be 120 ms long; it is decoded when less than a frame is left, or less than two
  // periods where the sound is made shorter.
  static constexpr int kCapacity = kHistory + 5760 + 2 * kFrame_samples + kMostPeriod_samples;
  struct Free {
    void operator()(OpusDecoder* decoder) const;
  };

  void start();
  void make_room();
  void fade(int samples);

  std::unique_ptr<OpusDecoder, Free> decoder_;
  bool started_ = false;
  std::unique_ptr<std::int16_t[]> pcm_;
  int begin_ = 0, size_ = 0;  // before begin_: what was taken
  bool heard_ = false;        // a packet was decoded since the reset: there is something to conceal
  int concealed_samples_ = 0;
};

}  // namespace media
