// media/play_source.h: raw sound on its way into a room's mix (hold music, announcements): a
// bounded FIFO of samples from one streaming thread to the tick. The writer waits when it is full;
// the tick never waits. Whatever begins or breaks off is faded within a frame: nothing clicks.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "media/audio_frame.h"

namespace media {

class PlaySource {
 public:
  PlaySource() : samples_(new Sample[kCapacity]) {}

  // Streaming thread. Of what is written from now on, interleaved: 1 at first, or 2.
  void set_channels(unsigned channels) { channels_ = channels; }
  // Streaming thread. Waits while full; false: interrupted, the rest was not taken.
  bool write(std::span<const std::int16_t> samples);
  // Streaming thread. What is there is played to its last sample (otherwise to its last frame).
  void finish() { finished_.store(true, std::memory_order_release); }
  // Streaming thread, after finish(). Waits until all was played; false: interrupted.
  bool drain();

  // Any thread. Wakes a waiting write() or drain(); while set, they return false at once.
  void interrupt(bool on);
  // Any thread. What was written so far is not played.
  void discard() {
    discard_to_.store(head_.load(std::memory_order_acquire), std::memory_order_release);
  }
  // Any thread. While paused nothing is played, and nothing lost.
  void pause(bool on) { paused_.store(on, std::memory_order_release); }
  // Any thread. It stays as loud as it is when somebody speaks.
  void set_urgent(bool on) { urgent_.store(on, std::memory_order_relaxed); }
  bool urgent() const { return urgent_.load(std::memory_order_relaxed); }

  // Tick. False: nothing to play. One frame is kept back, to be faded when no other follows.
  // `last`: this is the last call, fade now.
  bool read(PlayedFrame& frame, bool last = false);

  // 340 ms: a decoder on a busy machine may be late by a few frames.
  static constexpr std::uint32_t kCapacity = 16384;

 private:
  struct Sample {
    std::int16_t mid, side;
  };
  const std::unique_ptr<Sample[]> samples_;
  unsigned channels_ = 1;
  // Sample counts since the beginning; 64 bits, for 32 would wrap after half a day.
  std::atomic<std::uint64_t> head_{0};  // written to here, by the streaming thread
  std::atomic<std::uint64_t> tail_{0};  // read to here, by the tick
  std::atomic<std::uint32_t> wake_{0};  // changes with tail_ and interrupt()
  std::atomic<std::uint64_t> discard_to_{0};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> finished_{false};
  std::atomic<bool> paused_{false};
  std::atomic<bool> urgent_{false};
  bool sounding_ = false;  // the tick's: the last frame did not end in silence
};

}  // namespace media
