// tools/call/voice.h: what callers say: a WAV file as Opus frames, made once with GStreamer's own
// elements and shared by all callers of the process. Immutable after construction; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/call/rtp_sender.h"

namespace call {

class Voice {
 public:
  // Silence, of which one frame in 20 is sent.
  Voice();
  // A WAV file (PCM, 16 bits) of any rate. Throws std::runtime_error when it cannot.
  Voice(const std::string& file, bool loop);
  // 48 kHz, mono, not empty.
  Voice(std::vector<std::int16_t> samples, bool loop);

  // The frame of the `tick`-th 20 ms of a call; null: nothing is sent then.
  const OpusFrame* frame(std::uint64_t tick) const;

 private:
  std::vector<OpusFrame> frames_;
  bool loop_ = true;
  std::uint64_t every_ = 1;  // only ticks divisible by this are sent
};

// The samples of a WAV file, at 48 kHz. Throws std::runtime_error when it cannot.
std::vector<std::int16_t> read_sound(const std::string& file);

}  // namespace call
