#include "tools/call/wav.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

namespace call {
namespace {

constexpr std::uint32_t kRate_hz = 48000;
constexpr std::size_t kHeaderBytes = 44;

void put(std::uint8_t* at, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
}
std::uint32_t get(const std::uint8_t* at, int bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= static_cast<std::uint32_t>(at[i]) << (8 * i);
  return value;
}

std::optional<std::vector<std::uint8_t>> read_file(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  std::array<std::uint8_t, 65536> part;
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), file)) {
    bytes.insert(bytes.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(n));
  }
  std::fclose(file);
  return bytes;
}

}  // namespace

std::optional<Sound> read_wav(const std::string& path, std::size_t channel) {
  const auto bytes = read_file(path);
  if (!bytes || bytes->size() < 12 || std::memcmp(bytes->data(), "RIFF", 4) != 0 ||
      std::memcmp(bytes->data() + 8, "WAVE", 4) != 0) {
    return std::nullopt;
  }
  Sound sound;
  std::size_t channels = 0;
  for (std::size_t at = 12; at + 8 <= bytes->size();) {
    const std::uint8_t* chunk = bytes->data() + at;
    const std::size_t available = bytes->size() - at - 8;
    std::size_t size = std::min<std::size_t>(get(chunk + 4, 4), available);
    if (std::memcmp(chunk, "fmt ", 4) == 0 && size >= 16) {
      if (get(chunk + 8, 2) != 1 || get(chunk + 22, 2) != 16) return std::nullopt;
      channels = get(chunk + 10, 2);
      sound.rate_hz = static_cast<int>(get(chunk + 12, 4));
    } else if (std::memcmp(chunk, "data", 4) == 0) {
      if (channel >= channels) return std::nullopt;
      if (size == 0) size = available;
      for (std::size_t i = 0; i + 2 * channels <= size; i += 2 * channels) {
        sound.samples.push_back(static_cast<std::int16_t>(get(chunk + 8 + i + 2 * channel, 2)));
      }
      return sound;
    }
    at += 8 + size + size % 2;
  }
  return std::nullopt;
}

WavWriter::WavWriter(const std::string& path, unsigned channels)
    : channels_(channels), file_(std::fopen(path.c_str(), "wb")) {
  if (file_ == nullptr) throw std::runtime_error("cannot write " + path);
  write_header();
}

WavWriter::~WavWriter() {
  write_header();
  std::fclose(file_);
}

void WavWriter::write(std::span<const std::int16_t> samples) {
  std::vector<std::uint8_t> bytes(samples.size() * 2);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    put(&bytes[2 * i], static_cast<std::uint16_t>(samples[i]), 2);
  }
  std::fwrite(bytes.data(), 1, bytes.size(), file_);
  samples_ += samples.size() / channels_;
  if (samples_ - samples_in_header_ >= kRate_hz) write_header();
}

void WavWriter::write_silence(std::size_t samples) {
  static constexpr std::array<std::int16_t, 960> kSilence{};
  samples *= channels_;
  while (samples > 0) {
    const std::size_t n = std::min(samples, kSilence.size());
    write(std::span(kSilence).first(n));
    samples -= n;
  }
}

void WavWriter::write_header() {
  std::array<std::uint8_t, kHeaderBytes> header{};
  const auto data_bytes = static_cast<std::uint32_t>(samples_ * 2 * channels_);
  std::memcpy(&header[0], "RIFF", 4);
  put(&header[4], data_bytes + 36, 4);
  std::memcpy(&header[8], "WAVEfmt ", 8);
  put(&header[16], 16, 4);
  put(&header[20], 1, 2);  // PCM
  put(&header[22], channels_, 2);
  put(&header[24], kRate_hz, 4);
  put(&header[28], kRate_hz * 2 * channels_, 4);
  put(&header[32], 2 * channels_, 2);
  put(&header[34], 16, 2);
  std::memcpy(&header[36], "data", 4);
  put(&header[40], data_bytes, 4);
  std::fseek(file_, 0, SEEK_SET);
  std::fwrite(header.data(), 1, header.size(), file_);
  std::fseek(file_, 0, SEEK_END);
  std::fflush(file_);
  samples_in_header_ = samples_;
}

}  // namespace call
