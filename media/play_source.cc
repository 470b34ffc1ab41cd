#include "media/play_source.h"

#include <algorithm>
#include <cmath>

namespace media {
namespace {

// Straight lines from or to silence.
void fade(std::span<std::int16_t> samples, bool in) {
  const auto length = static_cast<float>(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const float risen = static_cast<float>(i + 1) / length;
    samples[i] = static_cast<std::int16_t>(
        std::lrint(static_cast<float>(samples[i]) * (in ? risen : 1 - risen)));
  }
}

}  // namespace

bool PlaySource::write(std::span<const std::int16_t> samples) {
  finished_.store(false, std::memory_order_release);
  while (samples.size() >= channels_) {
    // Read before what it announces: a change in between ends the wait below at once.
    const std::uint32_t wake = wake_.load(std::memory_order_acquire);
    if (interrupted_.load(std::memory_order_acquire)) return false;
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    const std::uint64_t space = kCapacity - (head - tail_.load(std::memory_order_acquire));
    if (space == 0) {
      wake_.wait(wake, std::memory_order_acquire);
      continue;
    }
    const std::size_t at = head % kCapacity;
    const std::size_t now =
        std::min<std::size_t>({samples.size() / channels_, space, kCapacity - at});
    for (std::size_t i = 0; i < now; ++i) {
      const int left = samples[i * channels_], right = samples[i * channels_ + channels_ - 1];
      samples_[at + i] = {static_cast<std::int16_t>((left + right) >> 1),
                          static_cast<std::int16_t>((left - right) >> 1)};
    }
    head_.store(head + now, std::memory_order_release);
    samples = samples.subspan(now * channels_);
  }
  return true;
}

bool PlaySource::drain() {
  for (;;) {
    const std::uint32_t wake = wake_.load(std::memory_order_acquire);
    if (interrupted_.load(std::memory_order_acquire)) return false;
    const std::uint64_t tail = tail_.load(std::memory_order_acquire);
    if (tail == head_.load(std::memory_order_relaxed)) return true;
    wake_.wait(wake, std::memory_order_acquire);
  }
}

void PlaySource::interrupt(bool on) {
  interrupted_.store(on, std::memory_order_release);
  wake_.fetch_add(1, std::memory_order_release);
  wake_.notify_all();
}

bool PlaySource::read(PlayedFrame& frame, bool last) {
  std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const bool finished = finished_.load(std::memory_order_acquire);
  const std::uint64_t discard_to = discard_to_.load(std::memory_order_acquire);
  const std::uint64_t head = head_.load(std::memory_order_acquire);
  const bool discarding = discard_to > tail;
  const bool breaks_off = last || paused_.load(std::memory_order_acquire);
  if (discarding && !sounding_) tail = discard_to;
  const std::uint64_t available = head - tail;
  const bool follows = finished ? available > kFrame_samples : available >= 2 * kFrame_samples;
  const bool play = available > 0 && (sounding_ || (!breaks_off && (follows || finished)));
  if (play) {
    const std::size_t count = std::min<std::size_t>(available, kFrame_samples);
    frame.stereo = false;
    for (std::size_t i = 0; i < count; ++i) {
      const Sample sample = samples_[(tail + i) % kCapacity];
      frame.mid[i] = sample.mid;
      frame.side[i] = sample.side;
      frame.stereo = frame.stereo || sample.side != 0;
    }
    std::fill(frame.mid.begin() + count, frame.mid.end(), std::int16_t{0});
    std::fill(frame.side.begin() + count, frame.side.end(), std::int16_t{0});
    tail += count;
    const bool ends = breaks_off || !follows || (discarding && sounding_);
    for (Frame* const part : {&frame.mid, &frame.side}) {
      if (!sounding_) fade(*part, true);
      if (ends) fade(std::span(*part).first(count), false);
    }
    if (discarding) tail = std::max(tail, discard_to);
    sounding_ = !ends;
  }
  if (play || discarding) {
    tail_.store(tail, std::memory_order_release);
    wake_.fetch_add(1, std::memory_order_release);
    wake_.notify_one();  // a futex call only when somebody waits
  }
  return play;
}

}  // namespace media
