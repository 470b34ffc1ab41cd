// media/cut_file.h: whether a file of sound lacks its end, by what it says of itself; most readers
// take what is there for the whole. Known are RIFF (WAVE, AVI), AIFF, AU, Ogg (RFC 3533 §6),
// Matroska (RFC 9559 §5.1), what is made of boxes (ISO/IEC 14496-12 §4.2: MP4, QuickTime), and MP3
// whose encoder left a Xing header. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace media {

// Reads from that byte of the file on: as many as fit, or as there are.
using ReadAt = std::function<std::size_t(std::uint64_t at, std::span<char> bytes)>;

// False, too: it cannot be told. What lacks less than a hundredth of its bytes is whole.
bool is_cut(std::uint64_t size, const ReadAt& read);

}  // namespace media
