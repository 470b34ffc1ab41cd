// media/play_source.h: raw sound on its way into a room's mix (hold music, announcements): a
// bounded FIFO of samples from one streaming thread to the tick. The writer waits when it is full;
// the tick never waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "media/audio_frame.h"

namespace media {

class PlaySource {
 public:
  PlaySource() : samples_(new std::int16_t[kCapacity]) {}

  // Streaming thread. Waits while full; false: interrupted, the rest was not taken.
  bool write(std::span<const std::int16_t> samples);
  // Streaming thread. What is there is played to its last sample (otherwise to its last frame).
  void finish() { finished_.store(true, std::memory_order_release); }

  // Any thread. Wakes a waiting write(); while set, write() returns false at once.
  void interrupt(bool on);
  // Any thread. What was written so far is not played.
  void discard() {
    discard_to_.store(head_.load(std::memory_order_acquire), std::memory_order_release);
  }

  // Tick. False: nothing to play.
  bool read(Frame& frame);

  // 340 ms: a decoder on a busy machine may be late by a few frames.
  static constexpr std::uint32_t kCapacity = 16384;

 private:
  const std::unique_ptr<std::int16_t[]> samples_;
  // Sample counts since the beginning; 64 bits, for 32 would wrap after half a day.
  std::atomic<std::uint64_t> head_{0};  // written to here, by the streaming thread
  std::atomic<std::uint64_t> tail_{0};  // read to here, by the tick
  std::atomic<std::uint32_t> wake_{0};  // changes with tail_ and interrupt()
  std::atomic<std::uint64_t> discard_to_{0};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> finished_{false};
};

}  // namespace media
