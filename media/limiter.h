// media/limiter.h: brings one listener's int32 mix back into 16 bits without clipping it hard.
// One per mix (a personal one, or a class's common one). Pure; one thread at a time; no allocation.
#pragma once

#include <array>
#include <span>

#include "media/audio_frame.h"

namespace media {

// Follows the peaks of each millisecond: goes down ahead of a peak (5 ms, as far as the frame
// shows it), holds for 200 ms, so that steady voices are not pumped, and comes back over half a
// second. Copyable, so that a forked mix goes on where its origin was. Laws
// (tests/media/limiter_test.cc): never wraps; while the gain is 1, what fits into 16 bits passes
// bit by bit; silence stays silence.
class Limiter {
 public:
  void process(const Sum& in, std::span<std::int16_t, kFrame_samples> out);
  // The same for mid + side and mid - side, interleaved; both are mid where there is no side. One
  // gain for both: nothing moves from one side to the other.
  void process(const Sum& mid, const Sum* side, std::span<std::int16_t, 2 * kFrame_samples> out);
  float gain() const { return gain_; }  // at the end of the last frame; 1 = untouched

 private:
  static constexpr int kBlocks = kFrame_samples / 48;  // of 1 ms
  using Blocks = std::array<float, kBlocks>;
  bool follow(const Blocks& fits, Blocks& to);

  float gain_ = 1.0F;
  int hold_ = 0;  // milliseconds before the gain may rise
};

// From one gain to the other within the frame: nothing begins or ends with a click.
void ramp(Frame& frame, float from, float to, Limiter& limiter);

}  // namespace media
