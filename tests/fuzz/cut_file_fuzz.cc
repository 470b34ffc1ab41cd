// Fuzz target: a file that says where it ends. It is read nowhere else than in itself, and a
// bounded number of times.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "media/cut_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  int reads = 0;
  media::is_cut(size, [&](std::uint64_t at, std::span<char> bytes) -> std::size_t {
    if (++reads > 16) std::abort();
    if (at >= size) return 0;
    const std::size_t got = std::min<std::uint64_t>(bytes.size(), size - at);
    std::memcpy(bytes.data(), data + at, got);
    return got;
  });
  return 0;
}
