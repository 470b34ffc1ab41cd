#include "media/gst/player.h"

#include <pthread.h>

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <utility>

#include "media/gst/decoder_process.h"
#include "media/gst/fetcher_process.h"
#include "media/limits.h"

namespace media::gst {
namespace {

constexpr double kSounds_lufs = -23;  // what generate() gives
constexpr int kMostHeard = 100;
constexpr const char* kBrokenDecoder = "It has broken its decoder.";

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
  for (std::string* tag : {&tags.title, &tags.artist, &tags.album, &tags.track, &tags.genre,
                           &tags.composer, &tags.language, &tags.performer, &tags.date}) {
    *tag = next();
  }
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

Player::Player(PlaySpec spec, std::shared_ptr<PlaySource> source, Parts parts)
    : spec_(std::move(spec)), source_(std::move(source)), parts_(std::move(parts)) {
  source_->set_urgent(spec_.urgent);
  thread_ = std::thread([this] { run(); });
}

Player::~Player() {
  stop();
  thread_.join();
}

void Player::stop() {
  stopping_ = true;
  source_->interrupt(true);
  const MutexLock lock(mutex_);
  if (decoder_) decoder_->wake();
  if (fetcher_) fetcher_->wake();
}

void Player::seek(std::chrono::milliseconds to) {
  const MutexLock lock(mutex_);
  if (!decoder_) return;
  seek_to_ = to;
  source_->interrupt(true);
  decoder_->wake();
}

void Player::run() {
  pthread_setname_np(pthread_self(), "mixer-play");
  PlayEnded end = std::visit([this](const auto& what) { return play(what); }, spec_.what);
  parts_.over(stopping_ ? PlayEnded{spec_.play, PlayEnd::stopped} : std::move(end));
}

PlayEnded Player::play(Sound sound) {
  const auto samples = at_loudness(generate(sound), spec_.loudness_lufs);
  parts_.on_event(spec_.play, PlayStarted{.play = spec_.play});
  do {
    if (!source_->write(samples)) break;
  } while (spec_.loop);
  source_->finish();
  source_->drain();
  return {spec_.play, PlayEnd::finished};
}

PlayEnded Player::play(const PlayFile& file) {
  try {
    const Fd input = open_beneath(file.directory, file.name);
    return input ? decode(input, nullptr) : error("There is no such file.");
  } catch (const std::runtime_error& failure) {
    return error(failure.what());
  }
}

// What a list names is played in its order, and what cannot be is left out.
PlayEnded Player::play(const PlayUrl& url) {
  struct Place {
    std::string url;
    int depth = 0;
  };
  std::deque<Place> places{{url.url}};
  PlayEnded end;
  bool played = false;
  for (std::size_t tried = 0; !stopping_ && !places.empty() && tried < limits::kMaxListEntries;
       ++tried) {
    const Place place = std::move(places.front());
    places.pop_front();
    of_many_ = of_many_ || !places.empty();
    std::vector<std::string> list;
    end = fetch(place.url, list);
    if (list.empty()) {
      played = played || end.cause == PlayEnd::finished;
      continue;
    }
    end = error("Nothing in that list can be played.");
    if (place.depth == limits::kMaxListDepth) continue;
    for (auto entry = list.rbegin(); entry != list.rend(); ++entry) {
      places.push_front({std::move(*entry), place.depth + 1});
    }
  }
  return played ? PlayEnded{spec_.play, PlayEnd::finished} : end;
}

// What is there is played; or it is a list, and this is what that names.
PlayEnded Player::fetch(const std::string& url, std::vector<std::string>& list) {
  PlayEnded end = fetch(url, parts_.fetch, list);
  if (!no_place_ || heard_) return end;
  // Its demuxer looks for its end first, and its server only says that it gives parts.
  FetchRules rules = parts_.fetch;
  rules.most_places = 0;
  return fetch(url, rules, list);
}

PlayEnded Player::fetch(const std::string& url, const FetchRules& rules,
                        std::vector<std::string>& list) {
  is_station_ = no_place_ = heard_ = false;
  station_ = title_ = fetch_error_ = "";
  decoded_ = {};
  try {
    FetcherProcess fetcher(parts_.program, {url, rules});
    {
      const MutexLock lock(mutex_);
      fetcher_ = &fetcher;
    }
    PlayEnded end = lead(fetcher, list);
    const MutexLock lock(mutex_);
    fetcher_ = nullptr;
    return end;
  } catch (const std::runtime_error& failure) {
    return error(failure.what());
  }
}

PlayEnded Player::lead(FetcherProcess& fetcher, std::vector<std::string>& list) {
  while (!stopping_) {
    FetcherProcess::Silence why{};
    const auto message = fetcher.next(why);
    if (!message && why == FetcherProcess::Silence::woken) continue;
    if (!message) break;
    const auto text = text_of(message->bytes);
    switch (static_cast<FetcherKind>(message->kind)) {
      case FetcherKind::station:
        is_station_ = true;
        station_ = clean(text);
        [[fallthrough]];
      case FetcherKind::stream: return decode(fetcher.body(), &fetcher);
      case FetcherKind::entry:
        if (list.size() < limits::kMaxListEntries) list.emplace_back(text);
        break;
      case FetcherKind::list: return {spec_.play, PlayEnd::finished};
      case FetcherKind::error: return error(clean(text));
      case FetcherKind::title:
      case FetcherKind::no_place: break;
    }
  }
  return error("It cannot be fetched.");
}

PlayEnded Player::decode(const Fd& input, FetcherProcess* fetcher) {
  try {
    source_->set_channels(2);
    DecoderProcess decoder(parts_.program, input, spec_.loudness_lufs);
    {
      const MutexLock lock(mutex_);
      decoder_ = &decoder;
    }
    PlayEnded end = listen(decoder, fetcher);
    {
      const MutexLock lock(mutex_);
      decoder_ = nullptr;
    }
    // What breaks off is what the decoder has found broken, or at its end.
    if (fetcher) hear(*fetcher);
    return fetch_error_.empty() ? end : error(fetch_error_);
  } catch (const std::runtime_error& failure) {
    return error(failure.what());
  }
}

// Until the piece is over.
PlayEnded Player::listen(DecoderProcess& decoder, FetcherProcess* fetcher) {
  while (!stopping_) {
    if (take_seek(decoder)) continue;
    DecoderProcess::Silence why{};
    const auto message = decoder.next(why);
    if (!message) {
      if (why == DecoderProcess::Silence::woken) continue;
      return error(why == DecoderProcess::Silence::stuck ? "Nothing more comes of it."
                                                         : kBrokenDecoder);
    }
    if (fetcher) hear(*fetcher);
    if (no_place_ && !heard_) return error(fetch_error_);  // what there is of it is not all
    const auto bytes = message->bytes;
    switch (static_cast<DecoderKind>(message->kind)) {
      case DecoderKind::started: started(bytes); break;
      case DecoderKind::tags: decoded_ = tags_of(text_of(bytes)); break;
      case DecoderKind::sound: take(bytes); break;
      case DecoderKind::sought: awaited_ = std::max(0, awaited_ - 1); break;
      case DecoderKind::finished:
        source_->finish();
        if (awaited_ == 0 && source_->drain()) return {spec_.play, PlayEnd::finished};
        break;  // somebody goes back
      case DecoderKind::error: return error(clean(text_of(bytes)));
      default: return error(kBrokenDecoder);
    }
    tell_tags();
  }
  return {spec_.play, PlayEnd::stopped};
}

// More of it than a fetcher says while the decoder is silent is for later: one that has been taken
// over never ends.
void Player::hear(FetcherProcess& fetcher) {
  for (int heard = 0; heard < kMostHeard; ++heard) {
    const auto message = fetcher.glance();
    if (!message) return;
    const auto kind = static_cast<FetcherKind>(message->kind);
    no_place_ = kind == FetcherKind::no_place;
    if (kind == FetcherKind::error || no_place_) fetch_error_ = clean(text_of(message->bytes));
    if (kind == FetcherKind::title) title_ = clean(text_of(message->bytes));
  }
}

// The first of what a list names has begun the piece.
void Player::started(std::span<const std::uint8_t> bytes) {
  auto told = started_of(spec_.play, bytes);
  if (!told) return;
  heard_ = true;
  decoded_ = std::move(told->tags);
  if (started_) return;
  told->tags = told_ = tags();
  told->broadcast = is_station_;
  // Of which of them would it be?
  told->seekable = told->seekable && !of_many_;
  started_ = true;
  parts_.on_event(spec_.play, std::move(*told));
}

// The last, of those that have come too soon after the one before.
void Player::tell_tags() {
  const auto now = std::chrono::steady_clock::now();
  if (!started_ || now < tell_at_ || tags() == told_) return;
  tell_at_ = now + kBetweenTitles;
  told_ = tags();
  parts_.on_event(spec_.play, PlayTagged{spec_.play, told_});
}

// A station says "Artist - Title", and is where it comes from.
PlayTags Player::tags() const {
  constexpr std::string_view kBetween = " - ";
  PlayTags tags = decoded_;
  if (!title_.empty()) {
    const std::size_t at = title_.find(kBetween);
    tags.artist = at == title_.npos ? "" : title_.substr(0, at);
    tags.title = at == title_.npos ? title_ : title_.substr(at + kBetween.size());
  }
  if (tags.album.empty()) tags.album = station_;
  return tags;
}

void Player::take(std::span<const std::uint8_t> bytes) {
  if (awaited_ > 0) return;
  std::vector<std::int16_t> samples(bytes.size() / sizeof(std::int16_t));
  std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(std::int16_t));
  source_->write(samples);  // interrupted: by a seek or the end
}

// What waits to be played is of elsewhere now. True: there was one.
bool Player::take_seek(DecoderProcess& decoder) {
  const MutexLock lock(mutex_);
  if (!seek_to_) return false;
  source_->discard();
  source_->interrupt(false);
  if (stopping_) source_->interrupt(true);  // stop()'s came first
  decoder.seek(*std::exchange(seek_to_, std::nullopt));
  ++awaited_;
  return true;
}

}  // namespace media::gst
