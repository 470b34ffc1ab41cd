// tests/e2e/tagged_wav.h: a piece to play with the tags of a record.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace e2e {

struct Tags {
  std::string title, artist, album;
};

// Silence of 16-bit samples at 8 kHz, the tags as RIFF has them (LIST INFO).
inline void write_tagged_wav(const std::string& path, const Tags& tags, std::uint32_t seconds) {
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
  const std::string sound(static_cast<std::size_t>(seconds) * kHz * kBytes, '\0');
  std::ofstream(path, std::ios::binary)
      << chunk("RIFF", "WAVE" + chunk("fmt ", format) + chunk("LIST", info) + chunk("data", sound));
}

}  // namespace e2e
