// media/mix_leg.h: what a room's mixer keeps of one leg. Everything is allocated here, on the
// control thread; afterwards the leg belongs to the tick, but for its packet ring, which the leg's
// I/O thread fills.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "media/encoder_bank.h"
#include "media/frame_packer.h"
#include "media/leg_voice.h"
#include "media/limiter.h"
#include "media/listener_loss.h"
#include "media/loudness.h"
#include "media/media_engine.h"
#include "media/mix_plan.h"
#include "media/packet_ring.h"
#include "media/rtp_header.h"
#include "media/telephone_event.h"
#include "media/told_levels.h"
#include "media/voice_filter.h"

namespace media {

struct MixLegSpec {
  LegId leg;
  std::uint32_t contributor_id = 0;
  std::uint32_t ssrc = 0;  // of what the leg is sent
  RtpParameters rtp;
  VoiceProcessing voice = {};
  bool operator==(const MixLegSpec&) const = default;
};

class MixLeg {
 public:
  // Without a filter it is mixed as it comes.
  explicit MixLeg(const MixLegSpec& spec, std::unique_ptr<VoiceFilter> filter = nullptr)
      : spec_(spec),
        filter_(std::move(filter)),
        events_(spec.rtp.telephone_event_rate_hz),
        // RFC 3550 §5.1 wants random beginnings; the SSRC is random.
        sequence_(static_cast<std::uint16_t>(spec.ssrc * 2654435761U >> 16)),
        timestamp_(spec.ssrc * 2246822519U) {}
  // After the I/O thread's last call; see PacketRing.
  ~MixLeg() { told_loss_.load(std::memory_order_acquire); }
  MixLeg(const MixLeg&) = delete;
  MixLeg& operator=(const MixLeg&) = delete;

  PacketRing& packets() { return packets_; }  // I/O thread: reserve and commit
  // The same thread: ListenerLoss::step() of what the peer reports.
  void tell_loss(std::uint8_t step) { told_loss_.store(step, std::memory_order_release); }

 private:
  friend class RoomMixer;

  // True: it is another one.
  bool take_loss() {
    const std::uint8_t told = std::min(told_loss_.load(std::memory_order_relaxed),
                                       std::uint8_t{ListenerLoss::kSteps - 1});
    return std::exchange(loss_, told) != told;
  }
  // Packets for which the ring had no room since the last call.
  std::uint64_t take_dropped() {
    const std::uint64_t dropped = packets_.dropped();
    return dropped - std::exchange(dropped_, dropped);
  }

  PacketRing packets_;
  std::atomic<std::uint8_t> told_loss_{0};

  // The tick's, as all that follows.
  MixLegSpec spec_;
  LegPlan plan_;
  bool attached_ = true;       // there is somebody to hand its packets to
  std::uint64_t dropped_ = 0;  // by its ring, as of the last tick

  // What it says.
  LegVoice voice_;
  std::unique_ptr<VoiceFilter> filter_;
  TelephoneEvents events_;
  std::uint32_t events_ssrc_ = 0;  // whose keys they are
  VoiceActivity activity_;
  bool tells_levels_ = false;  // its packets carry RFC 6464 levels
  bool doubted_ = false;       // the last one says it is silent, and is as long as a voice's
  ToldLevels told_levels_;
  std::uint8_t told_dbov_ = kSilence_dbov;  // in this tick, if it tells
  bool measured_ = false;                   // frame_ was decoded for measuring, in this tick
  float gain_ = 0;                          // that frame_ ended with
  Limiter limiter_;                         // for gains above one
  Frame frame_;                             // what it says in this tick
  bool heard_ = false;                      // frame_ is in the sum
  std::uint8_t level_dbov_ = kSilence_dbov;

  // What it hears.
  std::uint8_t loss_ = 0;  // ListenerLoss::step()
  EncoderSettings wish_;
  Listener listener_;
  std::uint16_t sequence_;
  std::uint32_t timestamp_;
  bool sent_ = false;    // in the last tick
  bool marker_ = false;  // the next packet begins with the first frame after a silence
  std::unique_ptr<FramePacker> packer_;  // of who likes, or liked, longer packets
  std::array<std::uint8_t, kMaxRtpHeaderBytes> header_;
};

}  // namespace media
