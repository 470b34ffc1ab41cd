// media/ogg_opus_writer.h: one Opus stream as a file (Ogg, RFC 3533; Opus in it, RFC 7845): packets
// in, pages out. What is missing between packets is concealed for as long as it lasted (§4.1), so
// that the granule positions are the time. Pure; one thread at a time; allocates.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace media {

// Of each file: so a recording is known as ours.
inline constexpr char kOpusVendor[] = "jingle-mixer";

class OggOpusWriter {
 public:
  struct Info {
    std::uint32_t serial = 0;  // of the logical stream (RFC 3533 §6)
    // "TITLE=...", UTF-8 (RFC 7845 §5.2.1).
    std::vector<std::string> comments;
    // What decoders make of it (RFC 7845 §5.1), whatever the packets are; 0: as the first packet.
    std::uint8_t channels = 0;
  };
  explicit OggOpusWriter(Info info);
  ~OggOpusWriter();
  OggOpusWriter(const OggOpusWriter&) = delete;
  OggOpusWriter& operator=(const OggOpusWriter&) = delete;

  // A packet that is heard `at_samples` (48 kHz) after the beginning. What lies before it is
  // concealed, to within kLeastGap_samples. Dropped: what is no Opus packet, and what begins before
  // samples(). True: taken.
  bool put(std::uint64_t at_samples, std::span<const std::uint8_t> packet);
  // Nothing else comes that begins before that: it is concealed.
  void conceal_to(std::uint64_t at_samples);
  // The last page, with end of stream; nothing may be put any more.
  void finish();

  // The end of the last packet: of what is in the file once all pages are.
  std::uint64_t samples() const { return samples_; }
  // Whole pages that came to be since the last clear(). One of them at least for each second that
  // was put.
  std::span<const std::uint8_t> pages() const { return pages_; }
  void clear() { pages_.clear(); }

  // A decoder that begins in the midst of a stream hears it right after so long (§4.2); until then
  // nothing is to be heard. The file lasts for that much less.
  static constexpr std::uint16_t kPreSkip_samples = 3840;
  static constexpr std::uint64_t kLeastGap_samples = 120;  // 2.5 ms, the shortest Opus frame
  static constexpr std::uint64_t kPage_samples = 48000;

 private:
  struct Stream;
  void begin(bool stereo);
  void conceal(std::uint64_t samples);
  void conceal(std::uint8_t toc, std::uint64_t frames, std::uint64_t frame_samples);
  void add(std::span<const std::uint8_t> packet, std::uint64_t samples);
  void take_pages(bool all);

  const Info info_;
  std::unique_ptr<Stream> stream_;  // libogg's
  bool begun_ = false;              // its headers are there
  std::uint8_t toc_ = 0xF8;         // of the last packet (RFC 6716 §3.1); CELT, fullband, 20 ms
  std::uint64_t samples_ = 0;
  std::uint64_t paged_samples_ = 0;  // of them, in pages
  std::vector<std::uint8_t> pages_;
  // The last packet is kept back: only the very last one says that it is (RFC 3533 §6).
  std::vector<std::uint8_t> last_;
  std::uint64_t last_end_ = 0;
};

}  // namespace media
