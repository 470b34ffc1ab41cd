// tests/support/opus_codec.h: an Opus encoder and decoder as a caller has them.
#pragma once

#include <opus.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "tests/support/audio.h"

namespace test_support {

class OpusSender {
 public:
  explicit OpusSender(int bitrate_bps = 32000, int channels = 1,
                      int application = OPUS_APPLICATION_VOIP)
      : channels_(channels) {
    int error = OPUS_OK;
    encoder_.reset(opus_encoder_create(48000, channels, application, &error));
    if (error != OPUS_OK) throw std::runtime_error(opus_strerror(error));
    opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(bitrate_bps));
    opus_encoder_ctl(encoder_.get(), OPUS_SET_COMPLEXITY(5));
  }
  OpusEncoder* get() { return encoder_.get(); }
  // `samples`: interleaved.
  std::vector<std::uint8_t> encode(std::span<const std::int16_t> samples) {
    std::vector<std::uint8_t> packet(1500);
    const int bytes =
        opus_encode(encoder_.get(), samples.data(), static_cast<int>(samples.size()) / channels_,
                    packet.data(), static_cast<opus_int32>(packet.size()));
    if (bytes < 0) throw std::runtime_error(opus_strerror(bytes));
    packet.resize(static_cast<std::size_t>(bytes));
    return packet;
  }

 private:
  struct Delete {
    void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
  };
  int channels_;
  std::unique_ptr<OpusEncoder, Delete> encoder_;
};

class OpusReceiver {
 public:
  explicit OpusReceiver(int channels = 1) : channels_(channels), decoder_(make(channels)) {}
  // Another one who has heard the same.
  OpusReceiver(const OpusReceiver& other) : OpusReceiver(other.channels_) { *this = other; }
  OpusReceiver& operator=(const OpusReceiver& other) {
    if (channels_ != other.channels_) decoder_ = make(channels_ = other.channels_);
    std::memmove(decoder_.get(), other.decoder_.get(),
                 static_cast<std::size_t>(opus_decoder_get_size(channels_)));
    return *this;
  }
  // Interleaved. An empty packet is a lost one of 20 ms.
  Samples decode(std::span<const std::uint8_t> packet) {
    Samples samples(static_cast<std::size_t>(5760 * channels_));
    const int decoded = opus_decode(decoder_.get(), packet.empty() ? nullptr : packet.data(),
                                    static_cast<opus_int32>(packet.size()), samples.data(),
                                    packet.empty() ? 960 : 5760, 0);
    if (decoded < 0) throw std::runtime_error(opus_strerror(decoded));
    samples.resize(static_cast<std::size_t>(decoded * channels_));
    return samples;
  }

 private:
  struct Delete {
    void operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
  };
  using Decoder = std::unique_ptr<OpusDecoder, Delete>;
  static Decoder make(int channels) {
    int error = OPUS_OK;
    Decoder decoder(opus_decoder_create(48000, channels, &error));
    if (error != OPUS_OK) throw std::runtime_error(opus_strerror(error));
    return decoder;
  }
  int channels_;
  Decoder decoder_;
};

}  // namespace test_support
