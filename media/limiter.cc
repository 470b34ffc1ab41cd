#include "media/limiter.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace media {
namespace {

constexpr int kBlock_samples = 48;      // 1 ms
constexpr float kCeiling = 32700.0F;    // a little room for rounding and for the encoder
constexpr int kHold = 200;              // blocks after the last peak that needed this gain
constexpr float kRelease = 1.0F / 500;  // per block: from nothing to all in half a second
constexpr float kAttack = 1.0F / 5;     // per block, looking ahead
constexpr std::int32_t kMax = 32767;
constexpr std::int32_t kMin = -32768;

// The largest gain at which block `b` fits; 1 for whatever fits as it is.
float fitting_gain(const Sum& in, int b) {
  std::int32_t low = 0, high = 0;
  for (int i = b * kBlock_samples; i < (b + 1) * kBlock_samples; ++i) {
    low = std::min(low, in[i]);
    high = std::max(high, in[i]);
  }
  if (low >= kMin && high <= kMax) return 1.0F;
  return kCeiling / static_cast<float>(std::max(high, -low));
}

// Every `step`th sample of `out`; `to`: the gain at the end of each block.
void apply(const Sum& in, float from, std::span<const float> to, std::int16_t* out,
           std::ptrdiff_t step) {
  const std::int32_t* sample = in.data();
  for (const float next : to) {
    const float rise = (next - from) / kBlock_samples;
    for (int i = 0; i < kBlock_samples; ++i, out += step) {
      const float value = static_cast<float>(*sample++) * (from + rise * static_cast<float>(i + 1));
      const float bounded = std::clamp(value, static_cast<float>(kMin), static_cast<float>(kMax));
      *out = static_cast<std::int16_t>(std::lrint(bounded));
    }
    from = next;
  }
}

}  // namespace

void Limiter::process(const Sum& in, std::span<std::int16_t, kFrame_samples> out) {
  Blocks fits, to;
  for (int b = 0; b < kBlocks; ++b) fits[b] = fitting_gain(in, b);
  const float from = gain_;
  if (follow(fits, to)) {
    apply(in, from, to, out.data(), 1);
  } else {
    for (int i = 0; i < kFrame_samples; ++i) out[i] = static_cast<std::int16_t>(in[i]);
  }
}

void Limiter::process(const Sum& mid, const Sum* side,
                      std::span<std::int16_t, 2 * kFrame_samples> out) {
  if (side == nullptr) {
    Frame both;
    process(mid, both);
    for (int i = 0; i < kFrame_samples; ++i) out[2 * i] = out[2 * i + 1] = both[i];
    return;
  }
  Sum left, right;
  for (int i = 0; i < kFrame_samples; ++i) {
    left[i] = mid[i] + (*side)[i];
    right[i] = mid[i] - (*side)[i];
  }
  Blocks fits, to;
  for (int b = 0; b < kBlocks; ++b) {
    fits[b] = std::min(fitting_gain(left, b), fitting_gain(right, b));
  }
  const float from = gain_;
  if (!follow(fits, to)) to.fill(from);
  apply(left, from, to, out.data(), 2);
  apply(right, from, to, out.data() + 1, 2);
}

// From what fits in each block to the gain at its end; false: 1 throughout.
bool Limiter::follow(const Blocks& fits, Blocks& to) {
  const bool untouched =
      gain_ == 1.0F && std::all_of(fits.begin(), fits.end(), [](float f) { return f == 1.0F; });
  if (untouched) return false;
  // The gain wanted in each block: what fits, risen slowly, sunk ahead of time.
  Blocks wanted;
  float risen = gain_;
  for (int b = 0; b < kBlocks; ++b) {
    if (fits[b] <= risen && fits[b] < 1.0F) {
      hold_ = kHold;
    } else if (hold_ > 0) {
      --hold_;
    }
    risen = std::min({fits[b], hold_ > 0 ? risen : risen + kRelease, 1.0F});
    wanted[b] = risen;
  }
  for (int b = kBlocks - 2; b >= 0; --b) wanted[b] = std::min(wanted[b], wanted[b + 1] + kAttack);
  // Linear from border to border, each border no higher than both its blocks: a straight line
  // between two values that fit, fits. Only the first border is given (the last frame's end): there
  // apply()'s clamp takes what sticks out, for one millisecond.
  for (int b = 0; b < kBlocks; ++b) {
    to[b] = b + 1 < kBlocks ? std::min(wanted[b], wanted[b + 1]) : wanted[b];
  }
  gain_ = to.back();
  return true;
}

void ramp(Frame& frame, float from, float to, Limiter& limiter) {
  if (from == 1.0F && to == 1.0F && limiter.gain() == 1.0F) return;
  Sum scaled;
  const float step = (to - from) / kFrame_samples;
  for (int i = 0; i < kFrame_samples; ++i) {
    const float gain = from + step * static_cast<float>(i + 1);
    scaled[i] = static_cast<std::int32_t>(std::lrint(static_cast<float>(frame[i]) * gain));
  }
  limiter.process(scaled, frame);
}

}  // namespace media
