// media/leg_voice.h: what one leg says, as a frame a tick: its packets through playout buffer and
// decoder, the sound between them made longer or shorter where the playout's delay is to change
// (a peer's clock that runs off, jitter that comes and goes). Or, while nobody hears the leg, the
// same time passed over undecoded. Pure; one thread at a time; allocates only at construction.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "media/leg_decoder.h"
#include "media/limits.h"
#include "media/loudness.h"
#include "media/playout_buffer.h"
#include "media/rtp_header.h"

namespace media {

class LegVoice {
 public:
  // Once per tick, in this order: begin(); insert() for each packet that came; next_level() if one
  // likes; decode() or pass_over().
  void begin(unsigned skipped = 0);  // ticks left out before
  PlayoutBuffer::Inserted insert(const RtpPacket& packet, std::optional<AudioLevel> level,
                                 const ContributorList& contributors = {},
                                 std::optional<std::int32_t> age_samples = std::nullopt);
  // The loudest of what is to be heard in this tick and the next, as its packets say (RFC 6464):
  // who begins to speak is decoded from before his first sound. Silence: nothing has come.
  std::uint8_t next_level();
  // Whether decode() could bring anything but silence.
  bool has_sound() const { return playout_.started() || decoder_.buffered_samples() > 0; }
  // Returns how many packets were decoded.
  unsigned decode(Frame& frame);
  // What passes is remembered for kWarmUp packets: the decoder begins with them when it is needed
  // again. (In CELT frames of 20 ms a band's energy is half predicted from the last frame's, RFC
  // 6716 §4.3.2.1: begun in a quiet room without, the first syllable came 12 dB too loud.)
  void pass_over();

  // Who contributed to the last packet decoded (RFC 3550 §7.3), as it said; kNotTold: but not how
  // loud.
  std::span<const Contributor> contributors() const {
    return std::span(contributors_).first(contributor_count_);
  }
  const PlayoutBuffer& playout() const { return playout_; }
  // Of the sound itself, since the beginning: removed less inserted.
  std::int64_t shortened_samples() const { return shortened_samples_; }
  // Made up for packets that had not come, FEC or not; silence that was not sent counts as well.
  std::int64_t concealed_samples() const { return concealed_samples_; }

  static constexpr std::uint8_t kNotTold = 0xFF;
  // After a change of the sound's length, or a place where it could not be changed, it is left
  // alone for so long: up to a quarter faster or slower, as a voice at its lowest; a sixth with
  // usual ones.
  static constexpr int kPause_ticks = 2;

 private:
  struct Passed {
    int samples = 0;
    std::size_t bytes = 0;
    std::array<std::uint8_t, 400> payload;  // 64 kbit/s, 40 ms; what is longer is not remembered
  };
  // The error of the first frame, about 40 dB, becomes 1 dB.
  static constexpr std::size_t kWarmUp = 5;

  unsigned start_decoding();
  void remember(std::span<const std::uint8_t> packet, int samples);
  unsigned fill(int samples, bool from_packets_only = false);
  unsigned adapt();

  PlayoutBuffer playout_;
  LegDecoder decoder_;
  bool decoding_ = false;               // its decoder was fed in the last tick
  bool missed_packets_ = false;         // the decoder, since then: else what it knows is the latest
  int ahead_samples_ = 0;               // of a packet that was passed over, beyond this tick
  std::array<Passed, kWarmUp> passed_;  // a ring
  std::size_t passed_count_ = 0, passed_next_ = 0;
  std::uint8_t told_level_dbov_ = kSilence_dbov;
  unsigned skipped_ = 0;
  int pause_ticks_ = 0;
  std::int64_t shortened_samples_ = 0, concealed_samples_ = 0;
  std::array<Contributor, limits::kMaxCsrcs> contributors_;
  std::size_t contributor_count_ = 0;
};

}  // namespace media
