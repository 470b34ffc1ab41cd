#include "media/sounds.h"

#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include "media/audio_frame.h"

namespace media {
namespace {

struct Note {
  double begins_s;
  int semitones;  // above A at 220 Hz
  double loudness;
  double decay_s;  // to 1/e
};

constexpr double kAttack_s = 0.012;
// What the key's own partials add: soft, like a felt piano.
constexpr std::array<double, 4> kPartials = {1, 0.35, 0.12, 0.04};

// Adds the note; what rings on beyond the end rings at the beginning.
void pluck(std::vector<float>& sound, const Note& note) {
  const auto begin = static_cast<std::size_t>(note.begins_s * kSampleRate_hz);
  const auto attack = static_cast<std::size_t>(kAttack_s * kSampleRate_hz);
  for (std::size_t p = 0; p < kPartials.size(); ++p) {
    const double decay_s = note.decay_s / static_cast<double>(p + 1);  // higher ones die sooner
    const double step = 2 * std::numbers::pi * 220 * std::pow(2, note.semitones / 12.0) *
                        static_cast<double>(p + 1) / kSampleRate_hz;
    const double shrink = std::exp(-1 / (decay_s * kSampleRate_hz));
    // A decaying sine by recurrence: y[n] = 2 r cos(w) y[n-1] - r² y[n-2].
    double before = 0, now = kPartials[p] * note.loudness * std::sin(step);
    const auto length = static_cast<std::size_t>(7 * decay_s * kSampleRate_hz);
    for (std::size_t i = 0; i < length; ++i) {
      const double risen = i < attack ? static_cast<double>(i) / static_cast<double>(attack) : 1;
      sound[(begin + i) % sound.size()] += static_cast<float>(risen * now);
      const double next = 2 * shrink * std::cos(step) * now - shrink * shrink * before;
      before = now;
      now = next;
    }
  }
}

std::vector<float> hold_music() {
  // Four bars of 4 s; a bass note each, and its chord, broken, up and down.
  struct Bar {
    int bass;
    std::array<int, 4> chord;
  };
  constexpr std::array<Bar, 4> kBars = {
      Bar{-9, {3, 7, 10, 14}}, Bar{-12, {0, 3, 7, 10}}, Bar{-16, {-4, 0, 3, 7}},
      Bar{-14, {-2, 2, 5, 9}}};  // C major 7, A minor 7, F major 7, G
  constexpr std::array<std::size_t, 8> kOrder = {0, 1, 2, 3, 2, 1, 2, 1};
  std::vector<float> sound(16 * kSampleRate_hz);
  for (std::size_t bar = 0; bar < kBars.size(); ++bar) {
    const double begins_s = 4.0 * static_cast<double>(bar);
    pluck(sound, {begins_s, kBars[bar].bass, 1.2, 1.6});
    for (std::size_t i = 0; i < kOrder.size(); ++i) {
      const bool stressed = i % 4 == 0;
      pluck(sound, {begins_s + 0.5 * static_cast<double>(i), kBars[bar].chord[kOrder[i]],
                    stressed ? 1.0 : 0.7, 0.9});
    }
  }
  return sound;
}

std::vector<float> chime(std::span<const int> semitones) {
  constexpr double kApart_s = 0.16;
  constexpr double kDecay_s = 0.12;
  const double length_s = kApart_s * static_cast<double>(semitones.size()) + 7 * kDecay_s;
  std::vector<float> sound(static_cast<std::size_t>(length_s * kSampleRate_hz));
  for (std::size_t i = 0; i < semitones.size(); ++i) {
    pluck(sound, {kApart_s * static_cast<double>(i), semitones[i], 1, kDecay_s});
  }
  return sound;
}

std::vector<float> play(Sound sound) {
  constexpr std::array kJoined = {10, 14};
  constexpr std::array kLeft = {14, 10};
  constexpr std::array kRecording = {19, 19, 19};
  switch (sound) {
    case Sound::hold_music: return hold_music();
    case Sound::joined: return chime(kJoined);
    case Sound::left: return chime(kLeft);
    case Sound::recording: return chime(kRecording);
  }
  return {};
}

}  // namespace

std::vector<std::int16_t> generate(Sound sound) {
  const float loudness = sound == Sound::hold_music ? 3807 : 2700;
  std::vector<std::int16_t> samples;
  for (const float sample : play(sound)) {
    samples.push_back(static_cast<std::int16_t>(std::lrint(sample * loudness)));
  }
  return samples;
}

}  // namespace media
