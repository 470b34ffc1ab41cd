#include "media/gst/player.h"

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace media::gst {
namespace {

constexpr double kSounds_lufs = -23;  // what generate() gives

std::vector<std::int16_t> at_loudness(std::vector<std::int16_t> samples, double loudness_lufs) {
  const double gain = std::pow(10, (loudness_lufs - kSounds_lufs) / 20);
  for (std::int16_t& sample : samples) {
    sample = static_cast<std::int16_t>(std::clamp(std::lrint(sample * gain), -32768L, 32767L));
  }
  return samples;
}

}  // namespace

Player::Player(PlaySpec spec, PlaySource& source, Parts parts)
    : spec_(std::move(spec)), source_(source), parts_(std::move(parts)) {
  source_.set_urgent(spec_.urgent);
  thread_ = std::thread([this] { run(); });
}

Player::~Player() {
  stopping_ = true;
  source_.interrupt(true);
  thread_.join();
}

void Player::run() {
  pthread_setname_np(pthread_self(), "mixer-play");
  PlayEnded end{spec_.play, PlayEnd::error, "Only sounds are played here."};
  if (const auto* sound = std::get_if<Sound>(&spec_.what)) end = play(*sound);
  if (!stopping_) parts_.over(std::move(end));
}

PlayEnded Player::play(Sound sound) {
  const auto samples = at_loudness(generate(sound), spec_.loudness_lufs);
  parts_.on_event(PlayStarted{.play = spec_.play});
  do {
    if (!source_.write(samples)) break;
  } while (spec_.loop);
  source_.finish();
  source_.drain();
  return {spec_.play, PlayEnd::finished};
}

}  // namespace media::gst
