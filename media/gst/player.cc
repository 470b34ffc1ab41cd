#include "media/gst/player.h"

#include <pthread.h>

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "media/gst/decoder_process.h"
#include "media/limits.h"

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

// UTF-8 without control characters, cut to what is allowed; anything else is dropped.
std::string clean(std::string_view text) {
  std::string good;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string_view character = text.substr(i, length);
    i += length;
    if (good.size() + length > limits::kMaxTagBytes) break;
    if (g_utf8_validate(character.data(), static_cast<gssize>(character.size()), nullptr) &&
        (lead >= 0x20 && lead != 0x7F)) {
      good += character;
    }
  }
  return good;
}

PlayTags tags_of(std::string_view lines) {
  const auto next = [&lines] {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    return clean(line);
  };
  PlayTags tags;
  tags.title = next();
  tags.artist = next();
  tags.album = next();
  tags.track = next();
  return tags;
}

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<PlayStarted> started_of(PlayId play, std::span<const std::uint8_t> bytes) {
  DecoderStarted started;
  if (bytes.size() < sizeof started) return std::nullopt;
  std::memcpy(&started, bytes.data(), sizeof started);
  PlayStarted told{.play = play,
                   .tags = tags_of(text_of(bytes.subspan(sizeof started))),
                   .seekable = started.seekable != 0,
                   .has_video = started.has_video != 0};
  constexpr std::int64_t kLongest_ms = std::int64_t{1000} * 3600 * 24 * 365;
  if (started.duration_ms > 0 && started.duration_ms < kLongest_ms) {
    told.duration = std::chrono::milliseconds(started.duration_ms);
  }
  return told;
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
  {
    const MutexLock lock(mutex_);
    if (decoder_) decoder_->wake();
  }
  thread_.join();
}

void Player::seek(std::chrono::milliseconds to) {
  const MutexLock lock(mutex_);
  if (!decoder_) return;
  seek_to_ = to;
  source_.interrupt(true);
  decoder_->wake();
}

void Player::run() {
  pthread_setname_np(pthread_self(), "mixer-play");
  PlayEnded end = std::visit([this](const auto& what) { return play(what); }, spec_.what);
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

PlayEnded Player::play(const PlayFile& file) {
  Fd input = open_beneath(file.directory, file.name);
  if (!input) return error("There is no such file.");
  try {
    DecoderProcess decoder(parts_.decoder, std::move(input), spec_.loudness_lufs);
    {
      const MutexLock lock(mutex_);
      decoder_ = &decoder;
    }
    PlayEnded end = listen(decoder);
    const MutexLock lock(mutex_);
    decoder_ = nullptr;
    return end;
  } catch (const std::runtime_error& failure) {
    return error(failure.what());
  }
}

PlayEnded Player::play(const PlayUrl&) { return error("URLs are not played here."); }

// Until the piece is over.
PlayEnded Player::listen(DecoderProcess& decoder) {
  bool started = false;
  while (!stopping_) {
    if (take_seek(decoder)) continue;
    DecoderProcess::Silence why{};
    const auto message = decoder.next(why);
    if (!message) {
      if (why == DecoderProcess::Silence::woken) continue;
      return error(why == DecoderProcess::Silence::stuck ? "Nothing more comes of it."
                                                         : "It has broken its decoder.");
    }
    const auto bytes = message->bytes;
    switch (message->kind) {
      case DecoderHeader::Kind::started:
        if (const auto told = started_of(spec_.play, bytes);
            told && !std::exchange(started, true)) {
          parts_.on_event(*told);
        }
        break;
      case DecoderHeader::Kind::tags:
        if (started) parts_.on_event(PlayTagged{spec_.play, tags_of(text_of(bytes))});
        break;
      case DecoderHeader::Kind::sound: take(bytes); break;
      case DecoderHeader::Kind::sought: awaited_ = std::max(0, awaited_ - 1); break;
      case DecoderHeader::Kind::finished:
        source_.finish();
        if (awaited_ == 0 && source_.drain()) return {spec_.play, PlayEnd::finished};
        break;  // somebody goes back
      case DecoderHeader::Kind::error: return error(clean(text_of(bytes)));
    }
  }
  return {spec_.play, PlayEnd::stopped};
}

void Player::take(std::span<const std::uint8_t> bytes) {
  if (awaited_ > 0) return;
  std::vector<std::int16_t> samples(bytes.size() / sizeof(std::int16_t));
  std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(std::int16_t));
  source_.write(samples);  // interrupted: by a seek or the end
}

// What waits to be played is of elsewhere now. True: there was one.
bool Player::take_seek(DecoderProcess& decoder) {
  const MutexLock lock(mutex_);
  if (!seek_to_) return false;
  source_.discard();
  source_.interrupt(false);
  if (stopping_) source_.interrupt(true);  // the destructor's came first
  decoder.seek(*std::exchange(seek_to_, std::nullopt));
  ++awaited_;
  return true;
}

}  // namespace media::gst
