// tests/support/ogg_reader.h: an Ogg Opus file read by nothing that wrote it: pages with their
// checksums (RFC 3533 §6), headers and granule positions (RFC 7845 §4, §5).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/support/audio.h"

namespace test_support {

struct OggOpusFile {
  struct Packet {
    std::uint64_t at_samples = 0;  // with the pre-skip
    int samples = 0;
    std::vector<std::uint8_t> bytes;
    bool conceals = false;  // its frames have no bytes
  };
  std::uint32_t serial = 0;
  int channels = 0, pre_skip = 0;
  std::string vendor;
  std::vector<std::string> comments;
  std::vector<Packet> packets;
  std::vector<std::uint64_t> pages;    // where each page with sound ends, in samples and...
  std::vector<std::size_t> page_ends;  // ...where it ends in the file; the headers' are not here
  bool ended = false;                  // by an end of stream
  std::size_t whole_bytes = 0;         // up to the end of the last whole page

  std::uint64_t samples() const { return pages.empty() ? 0 : pages.back(); }
};

// What is cut off in the midst of a page is read up to the page before. Throws std::runtime_error
// with what is wrong with the rest.
OggOpusFile read_ogg_opus(std::span<const std::uint8_t> bytes);
OggOpusFile read_ogg_opus(const std::string& path);
// Decoded from the beginning on, without the pre-skip; mono.
Samples decode(const OggOpusFile& file);

}  // namespace test_support
