// media/loudness.h: how loud a frame is (-dBov, RFC 6464/6465), and who of a room is heard.
// Pure; one thread at a time; no allocation.
#pragma once

#include <cstdint>
#include <span>

#include "media/audio_frame.h"

namespace media {

inline constexpr std::uint8_t kSilence_dbov = 127;

// RMS as attenuation: 0 = a full-scale square wave, 127 = silence or below.
std::uint8_t frame_level_dbov(const Frame& frame);

// One leg's voice over time. Loud at once, quiet only after a hang-over: the gap between words is
// part of the speech.
class VoiceActivity {
 public:
  // Once per tick; kSilence_dbov when the leg said nothing.
  void update(std::uint8_t level_dbov);
  bool active() const { return hang_over_ > 0; }
  bool pausing() const;  // active, but quiet for kPause_ticks
  // Loudness for comparing legs: rises at once, sinks by 1 dB a tick. Attenuation, as all levels.
  std::uint8_t level_dbov() const { return smoothed_dbov_; }

 private:
  std::uint8_t smoothed_dbov_ = kSilence_dbov;
  int hang_over_ = 0;  // ticks
};

struct SpeakerCandidate {
  const VoiceActivity* activity = nullptr;
  bool may_speak = true;  // false: muted, on hold
  bool speaking = false;  // in: last tick's outcome; out: this tick's
  int rank = 0;           // scratch
};

// Who of the active is heard: all of them, or the `max_speakers` loudest, where who is heard
// already counts kIncumbent_db louder; but whoever makes a pause gives way to whoever does not, so
// that nobody begins unheard. Stable: candidates that compare equal keep their order.
// `order` is scratch of at least candidates.size().
void choose_speakers(std::span<SpeakerCandidate> candidates, std::size_t max_speakers,
                     std::span<SpeakerCandidate*> order);

// Louder than this is speech (a quiet talker far from the microphone is at about -50)...
inline constexpr std::uint8_t kVoiceOn_dbov = 60;
// ...and stays speech down to this.
inline constexpr std::uint8_t kVoiceOff_dbov = 66;
// Half a second: longer than the pauses inside a sentence.
inline constexpr int kVoiceHangOver_ticks = 25;
inline constexpr int kIncumbent_db = 6;
// 100 ms: longer than between two syllables.
inline constexpr int kPause_ticks = 5;

}  // namespace media
