// tools/call/wav.h: WAV files (RIFF, PCM, S16): what callers record and what is measured in it.
// One object, one thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace call {

struct Sound {
  int rate_hz = 48000;
  std::vector<std::int16_t> samples;  // mono
};

// PCM S16 of any rate; of several channels that one is taken. nullopt: no such file or channel. A
// header whose sizes were never filled in (the writer was killed) is read to the end of the file.
std::optional<Sound> read_wav(const std::string& path, std::size_t channel = 0);

// Writes S16 at 48 kHz, channels interleaved; the header's sizes are right after every second and
// at the end.
class WavWriter {
 public:
  // Throws std::runtime_error when the file cannot be made.
  explicit WavWriter(const std::string& path, unsigned channels = 1);
  ~WavWriter();
  WavWriter(const WavWriter&) = delete;
  WavWriter& operator=(const WavWriter&) = delete;

  void write(std::span<const std::int16_t> samples);
  void write_silence(std::size_t samples);
  std::uint64_t samples() const { return samples_; }  // of each channel

 private:
  void write_header();

  const unsigned channels_;
  std::FILE* file_;
  std::uint64_t samples_ = 0;
  std::uint64_t samples_in_header_ = 0;
};

}  // namespace call
