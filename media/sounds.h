// media/sounds.h: the sounds a room makes by itself, generated: plucked tones and nothing else.
// Pure; any thread; allocates.
#pragma once

#include <cstdint>
#include <vector>

namespace media {

enum class Sound {
  hold_music,  // somebody is alone; 16 s that go on from their end to their beginning
  joined,      // rising
  left,        // the same, falling
  recording,   // three equal tones
};

// 48 kHz mono. Hold music is at -23 LUFS (EBU R 128); the others are too short to be measured so,
// and no louder.
std::vector<std::int16_t> generate(Sound sound);

}  // namespace media
