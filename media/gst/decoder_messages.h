// media/gst/decoder_messages.h: what a piece's decoder, a process of its own, says to the player:
// one stream of messages, so that all of it is in order, each a Header and its bytes. Both ends are
// of the same program; still the player believes nothing of it.
#pragma once

#include <cstdint>

namespace media::gst {

// argv[1] of such a process; argv[2]: the loudness wanted, in LUFS. Its fds: 0 what is to be
// decoded, 1 the messages, 3 the seeks: milliseconds as std::int64_t.
inline constexpr char kDecoderArgument[] = "--decode-for-player";
inline constexpr int kDecoderInput_fd = 0;
inline constexpr int kDecoderMessages_fd = 1;
inline constexpr int kDecoderSeeks_fd = 3;

struct DecoderHeader {
  enum class Kind : std::uint32_t {
    started,   // DecoderStarted and the tags
    tags,      // lines: title, artist, album, track
    sound,     // 48 kHz mono S16
    sought,    // once for each seek: the sound after it is of there
    finished,  // the end of the sound
    error,     // a sentence
  };
  Kind kind = Kind::error;
  std::uint32_t bytes = 0;
};
struct DecoderStarted {
  std::int64_t duration_ms = -1;  // -1: unknown
  std::uint8_t seekable = 0, has_video = 0;
};
inline constexpr std::uint32_t kMaxDecoderMessageBytes = 8192;

}  // namespace media::gst
