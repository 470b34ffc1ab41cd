// media/playout_buffer.h: one leg's Opus packets between the network and the decoder, by RTP
// *timestamp* (RFC 3550 §5.1): packets of 2.5 to 120 ms, changes between them, DTX gaps,
// reordering, duplicates, wrap-around. Pure; one thread at a time. Memory is fixed at construction;
// nothing is allocated afterwards.
//
// Time is the ticks that are told. The *delay* is how long the fastest packets wait from when they
// came to when they are heard; where nobody knows when they came, from the tick that took them.
// What it should be follows from the jitter (ArrivalDelay), within Config's bounds. What it is
// changes
// - by surplus(): the caller removes or inserts as much, where that is not heard (or align() does);
// - when a packet comes too late and nothing newer is there (a slow clock, a queue in the network):
//   the talk goes on with it. What was concealed meanwhile was inserted, nothing said is lost;
// - when it would exceed the bound: what is too old is dropped.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "media/arrival_delay.h"
#include "media/limits.h"
#include "media/rtp_header.h"

namespace media {

// Length of an Opus packet in samples at 48 kHz (RFC 6716 §3.1, §3.2): 120 to 5760; nullopt when
// its frame counts are impossible. Does not look into the frames.
std::optional<int> opus_packet_samples(std::span<const std::uint8_t> payload);

class PlayoutBuffer {
 public:
  struct Config {
    std::chrono::milliseconds least_delay{20};
    // 200 ms of jitter, seen through ticks of 20 ms.
    std::chrono::milliseconds most_delay{220};
  };
  enum class Inserted {
    stored,
    resynced,  // stored, and the playhead went to it: a first packet, another SSRC, a jump, a stall
    late,
    duplicate,
    invalid,  // not an Opus packet
  };
  struct Step {
    // The packet to decode, valid until the next call; empty: conceal `samples`, with `next`'s
    // in-band FEC (RFC 6716 §2.1.7) if that is not empty.
    std::span<const std::uint8_t> packet{};
    std::span<const std::uint8_t> next{};
    int samples = 0;
    std::optional<AudioLevel> level{};
    ContributorList contributors{};  // as the packet named them; valid as long as it is
  };

  PlayoutBuffer() : PlayoutBuffer(Config{}) {}
  explicit PlayoutBuffer(Config config);

  // `level`: the packet's own (RFC 6464), if it has one. `contributors`: who made it (RFC 3550
  // §7.3). `age_samples`: it came so long before this tick's time, or, negative, after it; nullopt:
  // unknown, and then jitter is seen through ticks of 20 ms.
  Inserted insert(const RtpPacket& packet, std::optional<AudioLevel> level,
                  const ContributorList& contributors = {},
                  std::optional<std::int32_t> age_samples = std::nullopt);

  // Before a tick's packets are inserted: 20 ms have gone by, and `skipped` times as much besides.
  // `ahead_samples`: of what was pulled, what is still to be heard.
  void tick(int ahead_samples, unsigned skipped = 0);

  // What comes next; the playhead goes on by step.samples. `wanted`: so much is concealed at once
  // where it is not known to be lost (rounded up to what Opus can conceal). nullopt: nothing has
  // come yet, or not for so long (kForget_samples) that the next packet starts anew.
  std::optional<Step> pull(int wanted_samples = 960);
  // Goes on by `samples` without handing out what lies there.
  void skip(int samples);
  // Whether the next pull() has a packet.
  bool ready() const;

  // The loudest packet that begins within the next `samples`: its own level; nullopt: none begins
  // there or none has a level.
  std::optional<AudioLevel> peek_level(int samples) const;

  // How much longer the delay is than it should be; negative: shorter. Less than kSlack_samples too
  // long, no more than what is wanted may change by from one second to the next, is left so.
  std::int32_t surplus_samples() const;
  // Nobody hears what is done now: the delay becomes what it should be, as far as that costs no
  // packet louder than `quiet_dbov`.
  void align(std::uint8_t quiet_dbov);
  void clear();

  std::chrono::milliseconds delay() const;
  // Timestamp of what is heard next.
  std::uint32_t position() const { return playhead_ - static_cast<std::uint32_t>(ahead_samples_); }
  bool started() const { return started_; }
  std::size_t packets() const { return count_; }
  std::uint64_t late() const { return late_; }

  static constexpr int kSlack_samples = 288;
  // Nothing for a second: the talk that begins next is another one.
  static constexpr int kForget_samples = 48000;

 private:
  static constexpr std::size_t kSlots = limits::kPlayoutSlots;
  struct Slot {
    bool used = false;
    std::uint32_t timestamp = 0;
    std::uint16_t sequence = 0;
    std::uint16_t bytes = 0;
    std::uint8_t csrc_bytes = 0, csrc_levels = 0;
    int samples = 0;
    std::optional<AudioLevel> level{};
  };
  // The packet's payload, then its CSRCs, then their levels: what was a packet fits.
  using Payload = std::uint8_t[limits::kMaxPacketBytes + 5 * limits::kMaxCsrcs];

  std::int32_t lead(const Slot& slot) const {
    return static_cast<std::int32_t>(slot.timestamp - playhead_);
  }
  std::span<const std::uint8_t> payload(const Slot& slot) const;
  ContributorList contributors(const Slot& slot) const;
  bool duplicate(std::uint16_t sequence) const;
  void remember(std::uint16_t sequence);
  // What came after its time.
  Inserted take_late(const RtpPacket& packet, std::int32_t late_samples, std::int32_t age_samples);
  Inserted take_early(const RtpPacket& packet, std::int32_t early_samples,
                      std::int32_t age_samples);
  std::int32_t delay_samples() const;
  bool starve(int samples);  // true: for so long that all is forgotten
  const Slot* earliest() const;
  void release(const Slot& slot);
  void drop_before_playhead();
  void resync(const RtpPacket& packet, std::int32_t age_samples);
  Slot& free_slot();

  const std::int32_t least_samples_, most_samples_;  // constant after construction

  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<Payload[]> payloads_;  // never initialised as a whole: few slots are ever touched
  std::size_t count_ = 0;
  bool started_ = false;
  std::uint32_t ssrc_ = 0;
  std::uint32_t playhead_ = 0;     // timestamp of the next sample to be pulled
  std::uint32_t played_to_ = 0;    // timestamp: nothing before it is played any more
  std::uint16_t last_pulled_ = 0;  // sequence number
  std::uint16_t newest_ = 0;       // sequence number
  std::uint64_t seen_ = 0;         // bit i: newest_ - i has come
  int starved_samples_ = 0;        // pulled since the last packet

  std::uint32_t now_ = 0;  // our clock, in samples
  int ahead_samples_ = 0;
  bool stood_still_ = false;  // we did, and not the network: this tick's packets do not count
  ArrivalDelay arrival_;
  std::uint64_t late_ = 0;
};

}  // namespace media
