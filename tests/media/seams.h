// tests/media/seams.h: what is heard where one stream takes another's place, in sound like speech.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>

#include "media/mix_minus.h"
#include "tests/support/audio.h"
#include "tests/support/speech.h"

namespace media {

inline Frame frame_of(const test_support::Samples& voice, std::size_t index) {
  Frame frame;
  std::copy_n(voice.begin() + static_cast<std::ptrdiff_t>(index * kFrame_samples), kFrame_samples,
              frame.begin());
  return frame;
}

inline Sum two_voices(const test_support::Samples& a, const test_support::Samples& b,
                      std::size_t index) {
  const Frame frames[] = {frame_of(a, index), frame_of(b, index)};
  const Frame* in[] = {&frames[0], &frames[1]};
  Sum total;
  sum_frames(in, total);
  return total;
}

// Frames 1 and 4 after a seam.
struct Seam {
  double first_db = 0, fourth_db = 0;
  int count = 0;
  void add(int frame, double db) {
    if (frame == 0) first_db += db, ++count;
    if (frame == 3) fourth_db += db;
  }
  void add(const Seam& seam) {
    first_db += seam.first_db;
    fourth_db += seam.fourth_db;
    count += seam.count;
  }
  double first() const { return first_db / count; }
  double fourth() const { return fourth_db / count; }
};

// Two people talk, for so many frames; others for another seed.
struct Talk {
  Talk(unsigned seed, std::size_t frames) {
    std::mt19937 random(seed);
    for (test_support::Samples& voice : voices) {
      const double pitch_hz = 85 + random() % 150, syllables_hz = 2.5 + 0.01 * (random() % 250);
      const std::size_t before = random() % 48000;
      voice = test_support::speech(pitch_hz, before + frames * kFrame_samples, syllables_hz);
      voice.erase(voice.begin(), voice.begin() + static_cast<std::ptrdiff_t>(before));
    }
  }
  Sum at(std::size_t frame) const { return two_voices(voices[0], voices[1], frame); }
  std::array<test_support::Samples, 2> voices;
};

}  // namespace media
