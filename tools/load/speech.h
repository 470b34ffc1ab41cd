// tools/load/speech.h: what talkers say: speech made by espeak-ng, or a WAV file of one's own, and
// what listeners send instead. Blocks; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace load {

// 48 kHz, mono. `wav`: that file; empty: espeak-ng speaks. Throws std::runtime_error: no such file,
// no espeak-ng.
std::vector<std::int16_t> speech(const std::string& wav);
// A second of noise at -70 dBFS, as a quiet room sounds.
std::vector<std::int16_t> comfort_noise();

}  // namespace load
