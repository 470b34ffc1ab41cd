// media/playout_buffer.h: one leg's Opus packets between the network and the decoder, by RTP
// *timestamp* (RFC 3550 §5.1): packets of 2.5 to 120 ms, changes between them, DTX gaps,
// reordering, duplicates, wrap-around. Pure; one thread at a time. Memory is fixed at construction;
// nothing is allocated afterwards.
//
// Time is what is pulled: 960 samples a tick. The *lead* of a packet is its timestamp less the
// playhead's when it came in: what it had to spare. The delay follows the leads, within
// Config::max_delay:
// - the smallest lead of a window is more than needed: the surplus is dropped where nobody hears it
//   (a quiet moment); from speech, by a packet a window, only when it is far too much (a fast
//   clock);
// - a packet comes too late and nothing newer is there (a slow clock, a stall): the talk goes on
// with
//   it; what was concealed meanwhile was inserted, nothing said is lost;
// - several of a window come too late although newer ones are there (jitter): the playhead is held
//   back by as much.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "media/limits.h"
#include "media/rtp_header.h"

namespace media {

// Length of an Opus packet in samples at 48 kHz (RFC 6716 §3.1, §3.2): 120 to 5760; nullopt when
// its frame counts are impossible. Does not look into the frames.
std::optional<int> opus_packet_samples(std::span<const std::uint8_t> payload);

class PlayoutBuffer {
 public:
  struct Config {
    // What the most delayed packet of a window should have to spare; a packet waits up to a tick
    // besides.
    std::chrono::milliseconds target_delay{20};
    std::chrono::milliseconds max_delay{200};
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
  // §7.3).
  Inserted insert(const RtpPacket& packet, std::optional<AudioLevel> level,
                  const ContributorList& contributors = {});

  // What comes next; the playhead goes on by step.samples. nullopt: nothing has come yet, or not
  // for so long (kForget_samples) that the next packet starts anew.
  std::optional<Step> pull();
  // Goes on by `samples` without handing out what lies there.
  void skip(int samples);

  // The loudest packet that begins within the next `samples`: its own level; nullopt: none begins
  // there or none has a level.
  std::optional<AudioLevel> peek_level(int samples) const;

  // Once per tick, before pulling. `quiet`: whatever is dropped now is not heard.
  void adjust(bool quiet);
  void clear();

  // Of the fastest packet of the last window: how long it waited.
  std::chrono::milliseconds delay() const;
  bool started() const { return started_; }
  std::size_t packets() const { return count_; }
  std::uint64_t late() const { return late_; }
  std::uint64_t resyncs() const { return resyncs_; }

  // Nothing for a second: the talk that begins next is another one.
  static constexpr int kForget_samples = 48000;
  // Five seconds of 20 ms packets.
  static constexpr int kWindow_packets = 250;
  static constexpr int kLateTolerated = 3;

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
  Inserted take_late(const RtpPacket& packet, std::int32_t late_samples);
  void hold_back();
  const Slot* earliest() const;
  void release(const Slot& slot);
  void drop_before_playhead();
  void resync(const RtpPacket& packet);
  void watch(std::int32_t lead);
  Slot& free_slot();

  // Constant after construction.
  const std::int32_t target_samples_;
  const std::int32_t max_samples_;

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
  int last_samples_ = 960;         // length of the last packet pulled
  int starved_samples_ = 0;        // pulled since the last packet

  int watched_ = 0;  // packets in this window
  int late_in_window_ = 0;
  std::int32_t most_late_ = 0;
  std::int32_t least_lead_ = 0, most_lead_ = 0;
  std::int32_t surplus_ = 0;     // to be dropped, by the last window
  std::int32_t last_delay_ = 0;  // most_lead_ of the last window
  std::uint64_t late_ = 0, resyncs_ = 0;
};

}  // namespace media
