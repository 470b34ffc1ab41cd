// tests/e2e/tagged_wav.h: a piece to play with the tags of a record.
#pragma once

#include <cmath>
#include <cstdint>
#include <fstream>
#include <numbers>
#include <string>

namespace e2e {

struct Tags {
  std::string title, artist, album;
};

// 16-bit samples at 8 kHz, the tags as RIFF has them (LIST INFO). A tone of so many Hz; 0: silence.
inline void write_tagged_wav(const std::string& path, const Tags& tags, std::uint32_t seconds,
                             std::uint32_t tone_hz = 0) {
  constexpr std::uint32_t kHz = 8000, kBytes = 2;
  const auto number = [](std::uint32_t value, int bytes) {
    std::string out;
    for (; bytes > 0; --bytes, value >>= 8) out += static_cast<char>(value & 0xff);
    return out;
  };
  const auto chunk = [&](const std::string& id, std::string data) {
    const std::string size = number(static_cast<std::uint32_t>(data.size()), 4);
    if (data.size() % 2 != 0) data += '\0';
    return id + size + data;
  };
  const std::string format = number(1, 2) + number(1, 2) + number(kHz, 4) +
                             number(kHz * kBytes, 4) + number(kBytes, 2) + number(8 * kBytes, 2);
  const std::string info = "INFO" + chunk("INAM", tags.title + '\0') +
                           chunk("IART", tags.artist + '\0') + chunk("IPRD", tags.album + '\0');
  std::string second;  // holds whole periods
  for (std::uint32_t i = 0; i < kHz; ++i) {
    const double turns = static_cast<double>(tone_hz) * i / kHz;
    const long sample = std::lrint(6000 * std::sin(2 * std::numbers::pi * turns));
    second += number(static_cast<std::uint32_t>(sample), kBytes);
  }
  std::string sound;
  for (std::uint32_t i = 0; i < seconds; ++i) sound += second;
  std::ofstream(path, std::ios::binary)
      << chunk("RIFF", "WAVE" + chunk("fmt ", format) + chunk("LIST", info) + chunk("data", sound));
}

}  // namespace e2e
