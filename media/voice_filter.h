// media/voice_filter.h: what is done to a voice before it is mixed. The tick's, of one leg.
#pragma once

#include "media/audio_frame.h"

namespace media {

// In the ticks in which the leg is heard. A value.
struct VoiceProcessing {
  bool denoise = false;         // steady noise is taken away, and hum below speech
  bool automatic_gain = false;  // quiet voices are lifted, by up to 12 dB
  bool operator==(const VoiceProcessing&) const = default;
};

class VoiceFilter {
 public:
  virtual ~VoiceFilter() = default;
  // The frames in which the leg is heard, in their order. May be delayed by a few samples.
  virtual void process(Frame& frame) noexcept = 0;
};

}  // namespace media
