#include "tests/support/audio.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numbers>
#include <stdexcept>

namespace test_support {
namespace {

constexpr double kNothing_db = -200;

double to_db(double ratio) {
  return ratio <= 0 ? kNothing_db : std::max(kNothing_db, 20 * std::log10(ratio));
}

void append(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::uint32_t number(const std::string& in, std::size_t at, int bytes) {
  if (at + static_cast<std::size_t>(bytes) > in.size()) throw std::runtime_error("cut short");
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(in[at + static_cast<std::size_t>(i)])}
             << (8 * i);
  }
  return value;
}

Wav parse_wav(const std::string& in) {
  if (in.size() < 12 || in.compare(0, 4, "RIFF") != 0 || in.compare(8, 4, "WAVE") != 0) {
    throw std::runtime_error("no RIFF/WAVE");
  }
  Wav wav;
  bool format = false;
  for (std::size_t at = 12; at + 8 <= in.size();) {
    const std::string id = in.substr(at, 4);
    std::size_t size = number(in, at + 4, 4);
    at += 8;
    if (id == "fmt ") {
      // WAVE_FORMAT_EXTENSIBLE is taken for PCM: with 16 bits it is nothing else in practice.
      const std::uint32_t tag = number(in, at, 2);
      if ((tag != 1 && tag != 0xFFFE) || number(in, at + 2, 2) != 1 ||
          number(in, at + 14, 2) != 16) {
        throw std::runtime_error("not PCM, mono, 16 bits");
      }
      wav.rate_hz = static_cast<int>(number(in, at + 4, 4));
      format = true;
    } else if (id == "data") {
      if (!format) throw std::runtime_error("data before its format");
      size = std::min(size, in.size() - at);  // a recorder that was cut off never filled it in
      wav.samples.resize(size / 2);
      std::memcpy(wav.samples.data(), in.data() + at, wav.samples.size() * 2);
      return wav;
    }
    at += size + size % 2;
  }
  throw std::runtime_error("no data");
}

}  // namespace

Samples tone(double frequency_hz, double amplitude, std::size_t samples, std::size_t first,
             int rate_hz) {
  Samples out(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    const double phase =
        2 * std::numbers::pi * frequency_hz * static_cast<double>(first + i) / rate_hz;
    out[i] = static_cast<std::int16_t>(std::lrint(amplitude * std::sin(phase)));
  }
  return out;
}

double tone_amplitude(std::span<const std::int16_t> sound, double frequency_hz, int rate_hz) {
  // Goertzel with the window applied on the way: s[n] = w x + 2 cos(omega) s[n-1] - s[n-2].
  const double omega = 2 * std::numbers::pi * frequency_hz / rate_hz;
  const double turn = 2 * std::cos(omega);
  double s1 = 0, s2 = 0, weight = 0;
  const auto length = static_cast<double>(sound.size());
  for (std::size_t i = 0; i < sound.size(); ++i) {
    const double hann =
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / length);
    const double s = hann * sound[i] + turn * s1 - s2;
    s2 = s1;
    s1 = s;
    weight += hann;
  }
  if (weight == 0) return 0;
  return 2 * std::sqrt(std::max(0.0, s1 * s1 + s2 * s2 - turn * s1 * s2)) / weight;
}

double tone_dbfs(std::span<const std::int16_t> sound, double frequency_hz, int rate_hz) {
  return to_db(tone_amplitude(sound, frequency_hz, rate_hz) / 32767);
}

double rms_dbfs(std::span<const std::int16_t> sound) {
  double power = 0;
  for (const double s : sound) power += s * s;
  return sound.empty() ? kNothing_db
                       : to_db(std::sqrt(power / static_cast<double>(sound.size())) / 32767);
}

double snr_db(std::span<const std::int16_t> sound, std::span<const std::int16_t> reference) {
  double signal = 1, noise = 1;  // one: neither is ever nothing
  for (std::size_t i = 0; i < std::min(sound.size(), reference.size()); ++i) {
    const double s = reference[i], d = s - sound[i];
    signal += s * s;
    noise += d * d;
  }
  return 10 * std::log10(signal / noise);
}

void write_wav(const std::string& path, const Wav& wav) {
  const auto bytes = static_cast<std::uint32_t>(wav.samples.size() * 2);
  const auto rate = static_cast<std::uint32_t>(wav.rate_hz);
  std::string out = "RIFF";
  append(out, 36 + bytes, 4);
  out += "WAVEfmt ";
  append(out, 16, 4);
  append(out, 1, 2);
  append(out, 1, 2);
  append(out, rate, 4);
  append(out, rate * 2, 4);
  append(out, 2, 2);
  append(out, 16, 2);
  out += "data";
  append(out, bytes, 4);
  out.append(reinterpret_cast<const char*>(wav.samples.data()), bytes);
  std::ofstream file(path, std::ios::binary);
  if (!file.write(out.data(), static_cast<std::streamsize>(out.size())).flush()) {
    throw std::runtime_error(path + ": cannot be written");
  }
}

Wav read_wav(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  try {
    return parse_wav(bytes);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(path + ": " + error.what());
  }
}

}  // namespace test_support
