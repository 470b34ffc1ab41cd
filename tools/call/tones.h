// tools/call/tones.h: tones in a recording: who is heard in it. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace call {

inline constexpr double kSilence_dbfs = -120;

// A sine of that peak level (0 dBFS = full scale).
std::vector<std::int16_t> sine(double hz, double peak_dbfs, double seconds, int rate_hz = 48000);

// Peak level of the sine of frequency `hz` in `samples`, in dBFS (Goertzel, Hann window: tones
// further away than 2 * rate / samples.size() do not leak in). Not below kSilence_dbfs.
double tone_dbfs(std::span<const std::int16_t> samples, double hz, int rate_hz = 48000);

// Where a tone of that level that should not cease is missing: 30 dB below it in a window of 40 ms
// or in more of them, one every 10 ms, after its first sound and before its last. (Of a gap of 40
// ms such a window holds nearly nothing; one of 20 ms, a lost packet, leaves it above.)
struct Gap {
  double at_s, seconds;
};
std::vector<Gap> gaps(std::span<const std::int16_t> samples, double hz, double level_dbfs,
                      int rate_hz = 48000);

// The stretch of `seconds` in which the weakest of `tones_hz` is strongest, searched in steps of
// half a second: where all of them spoke at once, after buffers filled and before the first left.
// nullopt: the recording is shorter.
std::optional<std::span<const std::int16_t>> best_stretch(std::span<const std::int16_t> samples,
                                                          std::span<const double> tones_hz,
                                                          double seconds, int rate_hz = 48000);

}  // namespace call
