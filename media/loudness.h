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
  bool begins() const;      // active since less than kFirstWord_ticks
  int quiet_ticks() const;  // while active: since he was last loud
  bool pausing() const;     // active, but quiet for kPause_ticks
  // Loudness for comparing legs: rises at once, sinks by 1 dB a tick. Attenuation, as all levels.
  std::uint8_t level_dbov() const { return smoothed_dbov_; }

 private:
  std::uint8_t smoothed_dbov_ = kSilence_dbov;
  int hang_over_ = 0;     // ticks
  int spoken_ticks_ = 0;  // since he became active, up to kFirstWord_ticks
};

struct SpeakerCandidate {
  const VoiceActivity* activity = nullptr;
  bool may_speak = true;  // false: muted, on hold
  bool speaking = false;  // in: last tick's outcome; out: this tick's
  // Of who is speaking, for choose_speakers: since when, and whether he had just begun then.
  int heard_ticks = 0;
  bool began = false;
};

// Who of the active is heard: all of them, or `max_speakers`. Whoever is heard is so for as long as
// he is active, but he gives way
// - when he pauses: to anybody who does not;
// - to whoever begins to speak and is not more than kDrowned_db quieter: the first syllable is what
//   one is recognised by. But not in the first half second of one who was let in for that himself;
// - to whoever is louder by more than kIncumbent_db, in the first half second in which he is heard
//   by kDrowned_db more.
// Of those who would give way that is who has been quiet for longest; of several, the one who is
// least loud; of those, the one who has been heard for longest. So while all slots are taken by
// people who talk on and on, a newcomer is heard, and the quietest of them is not until somebody
// pauses or ends.
// Laws: nobody begins unheard, unless he is drowned, or all slots are held by people who began in
// the same half second and have not paused. The equally loud take nothing from each other but by
// beginning. In half a second those who talk on are displaced no more than 2 * max_speakers times,
// and once for each who pauses or ends.
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
inline constexpr int kFirstWord_ticks = 25;  // half a second
// Nobody understands who is so much quieter than each of several others.
inline constexpr int kDrowned_db = 20;

}  // namespace media
