#include "mixer/jukebox.h"

#include <algorithm>
#include <utility>

#include "mixer/display_name.h"
#include "mixer/limits.h"
#include "mixer/overloaded.h"

namespace mixer {
namespace {

constexpr std::string_view kHttps = "https://";

void say(jingle::pep::Viewing& viewing, const PlayOrder& order) {
  jingle::pep::Payload payload = viewing;
  if (set_field(payload, order.field, order.text))
    viewing = std::get<jingle::pep::Viewing>(payload);
}

std::string called(std::string_view title, const std::string& name, bool may_play) {
  std::string text = displayable(title);
  if (text.empty() && may_play) text = displayable(name);
  return text.empty() ? "A piece without a title" : text;
}

}  // namespace

std::string_view to_string(PlayRefusal refusal) {
  switch (refusal) {
    case PlayRefusal::nobody_there: return "Nobody is there to hear it.";
    case PlayRefusal::no_media_dir: return "Files are not played here.";
    case PlayRefusal::not_a_source: return "That is neither a file's name nor an https URL.";
    case PlayRefusal::nothing_playing: return "Nothing is playing.";
    case PlayRefusal::not_yet: return "It has not begun yet. Say that again in a moment.";
    case PlayRefusal::beyond_end: return "It is not that long.";
    case PlayRefusal::not_seekable: return "One cannot go to another place in this.";
    case PlayRefusal::queue_full: return "Too many pieces are waiting.";
    case PlayRefusal::announcing: return "Something is being announced already.";
  }
  return "";
}

std::string describe(const NowPlaying& playing, bool may_play) {
  std::string text = called(playing.called(), playing.name, may_play);
  if (!playing.artist.empty()) text += " by " + displayable(playing.artist);
  if (!playing.source.empty()) text += ", from " + displayable(playing.source);
  if (playing.length) {
    const auto seconds = playing.length->count();
    text += " (" + std::to_string(seconds / 60) + (seconds % 60 < 10 ? ":0" : ":") +
            std::to_string(seconds % 60) + ')';
  }
  return text + (playing.paused ? ", paused." : ".");
}

std::optional<PlayRefusal> Jukebox::order(const PlayOrder& order, const jingle::Jid& by,
                                          Outbox& out) {
  using What = PlayOrder::What;
  if (order.what == What::play) return enqueue(order, by, out);
  if (order.what == What::announce) return announce(order, by, out);
  const bool announced = order.what == What::stop && announcement_;
  if (announced) {
    stop(*announcement_, out);
    announced_next_.reset();
  }
  if (!current_ || current_->ending) {
    const auto refused = order_next(order);
    return announced ? std::nullopt : refused;
  }
  switch (order.what) {
    case What::play:
    case What::announce: break;
    case What::viewing: say(current_->wanted.said, order); break;
    case What::pause:
    case What::resume:
      current_->paused = order.what == What::pause;
      out.put(PausePlay{current_->play, current_->paused});
      break;
    case What::seek:
      if (!current_->started) return PlayRefusal::not_yet;
      if (!current_->started->seekable) return PlayRefusal::not_seekable;
      if (const auto length = current_->started->duration; length && order.to >= *length) {
        return PlayRefusal::beyond_end;
      }
      out.put(SeekPlay{current_->play, std::max(order.to, std::chrono::milliseconds(0))});
      break;
    case What::stop: queue_.clear(); [[fallthrough]];
    case What::skip: stop(*current_, out); break;
  }
  return std::nullopt;
}

// While one is still ending, of the one that follows.
std::optional<PlayRefusal> Jukebox::order_next(const PlayOrder& order) {
  if (queue_.empty()) return PlayRefusal::nothing_playing;
  if (order.what == PlayOrder::What::viewing) {
    say(queue_.front().said, order);
  } else if (order.what == PlayOrder::What::stop) {
    queue_.clear();
  } else if (order.what == PlayOrder::What::skip) {
    queue_.pop_front();
  } else {
    return PlayRefusal::not_yet;
  }
  return std::nullopt;
}

tl::expected<Jukebox::Wanted, PlayRefusal> Jukebox::wanted(const PlayOrder& order,
                                                           const jingle::Jid& by) const {
  using Refused = tl::unexpected<PlayRefusal>;
  if (users_ == 0) return Refused(PlayRefusal::nobody_there);
  const std::string& name = order.source;
  Wanted wanted{.source = {}, .name = name, .by = by};
  say(wanted.said, order);
  if (name.empty() || name.size() > limits::kMaxSourceBytes ||
      std::ranges::any_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
    return Refused(PlayRefusal::not_a_source);
  }
  if (name.starts_with(kHttps)) {
    wanted.source = media::PlayUrl{name};
  } else if (name.find("://") != std::string::npos) {
    return Refused(PlayRefusal::not_a_source);
  } else if (place_.media_dir.empty()) {
    return Refused(PlayRefusal::no_media_dir);
  } else {
    wanted.source = media::PlayFile{place_.media_dir, name};
  }
  return wanted;
}

std::optional<PlayRefusal> Jukebox::enqueue(const PlayOrder& order, const jingle::Jid& by,
                                            Outbox& out) {
  auto piece = wanted(order, by);
  if (!piece) return piece.error();
  if (queue_.size() >= limits::kMaxPlayQueue) return PlayRefusal::queue_full;
  queue_.push_back(*std::move(piece));
  next(out);
  return std::nullopt;
}

std::optional<PlayRefusal> Jukebox::announce(const PlayOrder& order, const jingle::Jid& by,
                                             Outbox& out) {
  auto piece = wanted(order, by);
  if (!piece) return piece.error();
  if (announced_next_ || (announcement_ && !announcement_->ending)) return PlayRefusal::announcing;
  if (announcement_) {
    announced_next_ = *std::move(piece);
  } else {
    announcement_ = begin(*std::move(piece), out, true);
  }
  return std::nullopt;
}

void Jukebox::next(Outbox& out) {
  if (current_ || queue_.empty()) return;
  if (hold_) stop(*hold_, out);
  current_ = begin(std::move(queue_.front()), out);
  queue_.pop_front();
}

Jukebox::Piece Jukebox::begin(Wanted wanted, Outbox& out, bool urgent) {
  Piece piece{.play = new_id(), .wanted = std::move(wanted)};
  out.put(Play{{.play = piece.play,
                .what = piece.wanted.source,
                .loop = std::holds_alternative<media::Sound>(piece.wanted.source),
                .urgent = urgent,
                .loudness_lufs = place_.loudness_lufs}});
  return piece;
}

void Jukebox::stop(Piece& piece, Outbox& out) {
  if (!std::exchange(piece.ending, true)) out.put(StopPlay{piece.play});
}

void Jukebox::media_event(const media::Event& event, Outbox& out, TimePoint now) {
  const auto piece = [this](media::PlayId play) -> Piece* {
    if (current_ && current_->play == play) return &*current_;
    return hold_ && hold_->play == play ? &*hold_ : nullptr;
  };
  if (const auto* started = std::get_if<media::PlayStarted>(&event)) {
    if (Piece* const found = piece(started->play)) found->started = *started;
  } else if (const auto* tagged = std::get_if<media::PlayTagged>(&event)) {
    Piece* const found = piece(tagged->play);
    if (found && found->started) found->started->tags = tagged->tags;
  } else if (const auto* ended = std::get_if<media::PlayEnded>(&event)) {
    if (announcement_ && announcement_->play == ended->play) {
      if (ended->cause == media::PlayEnd::error) failed(*announcement_, ended->text, out);
      announcement_.reset();
      if (auto next = std::exchange(announced_next_, {}))
        announcement_ = begin(*std::move(next), out, true);
      return;
    }
    Piece* const found = piece(ended->play);
    if (!found) return;  // a chime
    if (hold_ && found == &*hold_) {
      hold_ended(*ended, out, now);
    } else {
      if (ended->cause == media::PlayEnd::error) failed(*found, ended->text, out);
      before_ = queue_.empty() ? std::nullopt : now_playing();
      current_.reset();
      next(out);
    }
    settle_hold(out, now);
  }
}

void Jukebox::hold_ended(const media::PlayEnded& ended, Outbox& out, TimePoint now) {
  std::chrono::seconds wait = hold_->ending ? std::chrono::seconds(0) : limits::kAlone;
  if (ended.cause == media::PlayEnd::error) {
    wait = hold_failed(ended.text, out, now);
  } else if (hold_->started) {
    hold_failures_ = 0;
  }
  hold_not_before_ = now + wait;
  if (alone_at_) alone_at_ = hold_not_before_;
  hold_.reset();
}

// Until it is tried again. Whoever waits for hours is no reason to say the same for hours.
std::chrono::seconds Jukebox::hold_failed(const std::string& text, Outbox& out, TimePoint now) {
  if (now - hold_begun_at_ >= limits::kHoldRetryMost) hold_failures_ = 0;  // it was heard
  if (hold_failures_ == 0 || text != hold_failure_) failed(*hold_, text, out);
  hold_failure_ = text;
  constexpr int kDoublings = 8;  // beyond kHoldRetryMost
  return std::min<std::chrono::seconds>(
      limits::kAlone * (1 << std::min(hold_failures_++, kDoublings)), limits::kHoldRetryMost);
}

void Jukebox::failed(const Piece& piece, const std::string& text, Outbox& out) {
  out.log(Log::Level::warning, "not played: room=" + quoted(place_.name) +
                                   " source=" + quoted(without_keys(piece.wanted.name)) +
                                   " text=" + quoted(text));
  if (piece.wanted.by.empty()) return;
  out.put(SendMessage{place_.full, piece.wanted.by, "chat", out.next_id(),
                      "<body>" + jingle::escape(piece.wanted.name + ": " + text) + "</body>"});
}

void Jukebox::audience(std::size_t users, bool alone, Outbox& out, TimePoint now) {
  if (users > users_ && users > 1) chime(media::Sound::joined, out, now);
  if (users < users_ && users > 0) chime(media::Sound::left, out, now);
  users_ = users;
  if (!alone) {
    alone_at_.reset();
  } else if (!alone_at_) {
    alone_at_ = std::max(now + limits::kAlone, hold_not_before_);
  }
  settle_hold(out, now);
}

// Not for each of a crowd.
void Jukebox::chime(media::Sound sound, Outbox& out, TimePoint now) {
  if (!place_.chimes || now < chime_at_) return;
  chime_at_ = now + limits::kBetweenChimes;
  out.put(Play{{.play = new_id(), .what = sound, .loudness_lufs = place_.loudness_lufs}});
}

void Jukebox::settle_hold(Outbox& out, TimePoint now) {
  if (hold_ && !alone_at_) stop(*hold_, out);
  const bool due = alone_at_ && *alone_at_ <= now && !place_.hold_music.empty();
  if (!due || hold_ || current_) return;
  Wanted wanted{.source = media::Sound::hold_music, .name = "hold music", .by = {}};
  if (place_.hold_music != kBuiltInHoldMusic) {
    wanted.source = media::PlayFile{place_.media_dir, place_.hold_music};
    wanted.name = place_.hold_music;
  }
  hold_ = begin(std::move(wanted), out);
  hold_begun_at_ = now;
}

std::optional<NowPlaying> Jukebox::now_playing() const {
  const auto& piece = current_ ? current_ : hold_;
  if (!piece || (piece->ending && queue_.empty())) return std::nullopt;
  if (!piece->started) return before_;
  const media::PlayTags& tags = piece->started->tags;
  NowPlaying now{.title = tags.title,
                 .artist = tags.artist,
                 .source = tags.album,
                 .track = tags.track,
                 .genre = tags.genre,
                 .composer = tags.composer,
                 .date = tags.date,
                 .language = tags.language,
                 .performer = tags.performer,
                 .name = piece->wanted.name,
                 .video = piece->started->has_video,
                 .broadcast = piece->started->broadcast,
                 .paused = piece->paused,
                 .said = piece->wanted.said};
  if (std::holds_alternative<media::Sound>(piece->wanted.source)) now.title = now.name;
  if (const auto* url = std::get_if<media::PlayUrl>(&piece->wanted.source)) now.uri = url->url;
  if (piece->started->duration) {
    now.length = std::chrono::round<std::chrono::seconds>(*piece->started->duration);
  }
  return now;
}

std::string Jukebox::tell(bool may_play) const {
  const auto name_of = [may_play](const Wanted& wanted) {
    return called(wanted.said.program_name, wanted.name, may_play);
  };
  std::string text = "Nothing is played.";
  if (const auto& piece = current_ ? current_ : hold_; piece && !piece->ending) {
    if (piece->started) {
      text = describe(*now_playing(), may_play);
    } else if (current_) {
      text = name_of(piece->wanted) + " is about to begin.";
    }
  }
  if (queue_.empty()) return text;
  const std::size_t shown = std::min(queue_.size(), limits::kShownOfPlayQueue);
  text += " Next: ";
  for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? "; " : "") + name_of(queue_[i]);
  if (shown < queue_.size()) text += "; and " + std::to_string(queue_.size() - shown) + " more";
  return text + '.';
}

std::optional<TimePoint> Jukebox::next_deadline() const {
  const bool waits = !hold_ && !current_ && !place_.hold_music.empty();
  return waits ? alone_at_ : std::nullopt;
}

void Jukebox::advance(Outbox& out, TimePoint now) { settle_hold(out, now); }

}  // namespace mixer
