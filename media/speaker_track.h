// media/speaker_track.h: what one participant says, as a file of his own packets (RFC 7845): put in
// their order, at the time when they came, by their RTP timestamps (RFC 3550 §5.1) from packet to
// packet. Pure; one thread at a time; allocates.
//
// A track's time is the recording's, so that all of them can be laid upon each other. Where the
// sender's clock and ours go apart, or his timestamps jump, the next packet after a pause is put to
// where it came; without a pause, as soon as they are kMostEarly or kHeld apart.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "media/ogg_opus_writer.h"

namespace media {

class SpeakerTrack {
 public:
  explicit SpeakerTrack(OggOpusWriter::Info info) : writer_(std::move(info)) {}

  // `now_samples`: of the recording, when it came; never goes back.
  void put(std::uint64_t now_samples, std::uint32_t ssrc, std::uint32_t timestamp,
           std::span<const std::uint8_t> packet);
  // What was held for long enough is written.
  void advance(std::uint64_t now_samples);
  // Law: the file then lasts until `now_samples` or the end of the last packet, at most
  // kMostEarly_samples and a packet later, to within OggOpusWriter::kLeastGap_samples, whatever was
  // put.                                                       tests/media/speaker_track_test.cc
  void finish(std::uint64_t now_samples);

  OggOpusWriter& file() { return writer_; }

  // Packets wait for those that come after them and belong before them.
  static constexpr std::uint64_t kHeld_samples = 24000;
  // A packet may be so much before its time: what has come fastest so far was late.
  static constexpr std::uint64_t kMostEarly_samples = 12000;
  // Nothing for so long is a pause; after one, packets may be so far from when they came.
  static constexpr std::uint64_t kPause_samples = 4800;
  static constexpr std::uint64_t kLeastOff_samples = 2880;
  static constexpr std::size_t kMostHeld = 300;  // half a second of 2.5 ms packets, and more

 private:
  void write_until(std::uint64_t at_samples);

  OggOpusWriter writer_;
  struct Anchor {  // the newest packet
    std::uint32_t ssrc = 0, timestamp = 0;
    std::int64_t at_samples = 0;
  };
  std::optional<Anchor> anchor_;
  std::map<std::uint64_t, std::vector<std::uint8_t>> held_;  // by their place
};

}  // namespace media
