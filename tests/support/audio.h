// tests/support/audio.h: tones, how much of a tone is in a sound, WAV files. Mono S16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace test_support {

using Samples = std::vector<std::int16_t>;

// A sine of `amplitude` (32767 = full scale), starting at phase zero of sample `first`.
Samples tone(double frequency_hz, double amplitude, std::size_t samples, std::size_t first = 0,
             int rate_hz = 48000);
// Amplitude of that frequency in the sound, 32767 = full scale (Goertzel under a Hann window).
double tone_amplitude(std::span<const std::int16_t> sound, double frequency_hz,
                      int rate_hz = 48000);
// The same in dBFS; -200 for nothing.
double tone_dbfs(std::span<const std::int16_t> sound, double frequency_hz, int rate_hz = 48000);
// Of the whole sound; -200 for silence.
double rms_dbfs(std::span<const std::int16_t> sound);
// Signal to noise, `reference` being the signal, in dB.
double snr_db(std::span<const std::int16_t> sound, std::span<const std::int16_t> reference);

// PCM, mono, 16 bits. Throw std::runtime_error with the path when that is not what is there.
struct Wav {
  int rate_hz = 48000;
  Samples samples;
};
void write_wav(const std::string& path, const Wav& wav);
Wav read_wav(const std::string& path);

}  // namespace test_support
