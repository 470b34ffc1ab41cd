#include "tools/bench/voice.h"

#include <opus.h>

#include <cmath>
#include <cstddef>
#include <numbers>

namespace bench {

Second voice(double pitch_hz) {
  constexpr double kTurn = 2 * std::numbers::pi;
  Second second;
  std::size_t at = 0;
  for (media::Frame& frame : second) {
    for (std::int16_t& sample : frame) {
      const double t = static_cast<double>(at++) / media::kSampleRate_hz;
      double value = 0;
      for (int harmonic = 1; harmonic <= 12; ++harmonic) {
        value += std::sin(kTurn * pitch_hz * harmonic * t) / harmonic;
      }
      const double envelope = 0.6 + 0.4 * std::sin(kTurn * 3 * t);
      sample = static_cast<std::int16_t>(3000 * envelope * value);
    }
  }
  return second;
}

std::vector<std::vector<std::uint8_t>> encoded(std::span<const media::Frame> frames) {
  OpusEncoder* const encoder =
      opus_encoder_create(media::kSampleRate_hz, 1, OPUS_APPLICATION_VOIP, nullptr);
  opus_encoder_ctl(encoder, OPUS_SET_BITRATE(32000));
  std::vector<std::vector<std::uint8_t>> packets;
  for (const media::Frame& frame : frames) {
    std::vector<std::uint8_t>& packet = packets.emplace_back(1275);
    packet.resize(static_cast<std::size_t>(
        opus_encode(encoder, frame.data(), media::kFrame_samples, packet.data(), 1275)));
  }
  opus_encoder_destroy(encoder);
  return packets;
}

}  // namespace bench
