// media/gst/decoder_messages.h: what a piece's decoder, a child process, says to the player: one
// stream of messages, so that all of it is in order.
#pragma once

#include <cstdint>

#include "media/gst/child_process.h"

namespace media::gst {

// argv[1] of such a process; argv[2]: the loudness wanted, in LUFS. Its input is what is to be
// decoded; by the extra fd come the seeks: milliseconds as std::int64_t.
inline constexpr char kDecoderArgument[] = "--decode-for-player";

enum class DecoderKind : std::uint32_t {
  started,   // DecoderStarted and the tags
  tags,      // lines, in the order of PlayTags
  sound,     // 48 kHz S16, two channels interleaved
  sought,    // once for each seek: the sound after it is of there
  finished,  // the end of the sound
  error,     // a sentence
};
struct DecoderStarted {
  std::int64_t duration_ms = -1;  // -1: unknown
  std::uint8_t seekable = 0, has_video = 0;
};

}  // namespace media::gst
