// tools/call/rtp_sender.h: one caller's RTP stream (RFC 3550 §5.1): Opus (RFC 7587) with its level
// in the header (RFC 6464), keys as telephone-events (RFC 4733). Pure: one call is one 20 ms tick.
// One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "media/media_engine.h"

namespace call {

struct OpusFrame {  // 20 ms
  std::vector<std::uint8_t> payload;
  std::uint8_t level_dbov = 127;  // 0 is loudest, 127 is silence
};

class RtpSender {
 public:
  // Sequence and timestamp start at random places (RFC 3550 §5.1); `seed` says where.
  RtpSender(std::uint32_t ssrc, media::RtpParameters rtp, std::uint32_t seed);

  // 0-9 * # A-D; others, and all of them when telephone-event was not agreed, are ignored.
  void press(char digit);
  // The packets of the next 20 ms: the frame, or a part of a key instead of it, or none. A silent
  // tick (nullptr) takes its time too.
  std::vector<std::vector<std::uint8_t>> tick(const OpusFrame* frame);

 private:
  struct Key {
    std::uint8_t event = 0;
    std::uint32_t timestamp = 0;
    int ticks = 0;
  };
  std::vector<std::uint8_t> header(std::uint8_t payload_type, bool marker, std::uint32_t timestamp,
                                   std::optional<std::uint8_t> level);
  std::vector<std::vector<std::uint8_t>> key_tick();

  const std::uint32_t ssrc_;
  const media::RtpParameters rtp_;
  std::uint16_t sequence_;
  std::uint32_t timestamp_;
  bool silent_ = true;  // the next packet begins a talkspurt (RFC 3551 §4.1)
  std::deque<std::uint8_t> keys_;
  std::optional<Key> key_;
};

// The event code (RFC 4733 §3.2) of a key; nullopt: no key.
std::optional<std::uint8_t> dtmf_event(char digit);

}  // namespace call
