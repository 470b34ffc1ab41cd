// media/record_tap.h: what a room's tick keeps for a recording: where it stands, and the listener
// who is the recording: he never speaks, hears what the best-served listener would, and does
// without those whom the plan does not let be recorded. So the mix of a recording mostly is a
// stream that is encoded anyway. All memory is taken at construction, on another thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "media/audio_frame.h"
#include "media/encoder_bank.h"
#include "media/record_queue.h"

namespace media {

class RecordTap {
 public:
  // `speakers`: what each of them sends is handed over, too.
  explicit RecordTap(bool speakers) : speakers_(speakers) {}

  // The writer: all that came before this time is in the queue, or lost.
  std::uint64_t now_samples() const { return told_now_.load(std::memory_order_acquire); }
  RecordQueue& queue() { return queue_; }

 private:
  friend class RoomMixer;

  const bool speakers_;
  RecordQueue queue_;
  std::atomic<std::uint64_t> told_now_{0};

  // The tick's.
  std::uint64_t now_samples_ = 0;
  EncoderSettings wish_;
  Listener listener_;
  Sum heard_;
};

}  // namespace media
