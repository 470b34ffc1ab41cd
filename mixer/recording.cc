#include "mixer/recording.h"

#include <algorithm>
#include <utility>

#include "mixer/limits.h"
#include "mixer/log.h"
#include "mixer/overloaded.h"

namespace mixer {
namespace {

constexpr const char* kNotHere = "Calls are not recorded here.";
constexpr const char* kNobodyThere = "Nobody is there to be recorded.";
constexpr const char* kAlready = "The call is being recorded already.";
constexpr const char* kNotRecording = "The call is not being recorded.";
const std::string kNotRecorded = "The call is not recorded. ";
constexpr const char* kNotBegun = "Nothing was recorded: the tones were not over yet.";

// The room's other pieces are the jukebox's, which counts from one.
constexpr std::uint32_t kFirstPlay = 1U << 31;

// For the log, of RecordStarted, RecordLost, RecordCrowded and RecordEnded.
std::optional<Log> line_of(const media::Event& event, const std::string& room) {
  const std::string of = ' ' + field("room", room) + ' ';
  if (const auto* started = std::get_if<media::RecordStarted>(&event)) {
    return Log{Log::Level::info, "recording=started" + of + field("file", started->file)};
  }
  if (const auto* lost = std::get_if<media::RecordLost>(&event)) {
    return Log{Log::Level::warning,
               "recording=late" + of + "lost=" + std::to_string(lost->packets)};
  }
  if (const auto* crowded = std::get_if<media::RecordCrowded>(&event)) {
    return Log{Log::Level::warning,
               "recording=crowded" + of + "speakers=" + std::to_string(crowded->speakers) + ' ' +
                   field("text", "whoever speaks first from now on is in the mix only")};
  }
  const auto* ended = std::get_if<media::RecordEnded>(&event);
  if (!ended) return std::nullopt;
  const bool failed = ended->cause == media::RecordEnd::error;
  std::string text =
      (failed ? "recording=failed" : "recording=ended") + of + field("file", ended->file) +
      " seconds=" + std::to_string(ended->length.count() / 1000) +
      " files=" + std::to_string(ended->files) + " bytes=" + std::to_string(ended->bytes) +
      " lost=" + std::to_string(ended->lost);
  if (!ended->text.empty()) text += ' ' + field("text", ended->text);
  return Log{failed ? Log::Level::error : Log::Level::info, std::move(text)};
}

}  // namespace

std::string recording_name(const std::string& room, const std::string& date_time) {
  std::string name = room.substr(0, limits::kMaxRecordedNameBytes);
  const auto is_kept = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  std::ranges::replace_if(
      name, [&](char c) { return !is_kept(c); }, '_');
  if (name.starts_with('.')) name.front() = '_';
  name += '-';
  std::ranges::copy_if(date_time, std::back_inserter(name),
                       [](char c) { return c != '-' && c != ':'; });
  return name;
}

std::optional<std::string> Recording::order(const RecordOrder& order, const jingle::Jid& by,
                                            std::span<const media::LegPlan> plan, Outbox& out,
                                            TimePoint now) {
  if (place_.directory.empty()) return kNotHere;
  if (order.what == RecordOrder::What::stop) {
    if (!active() && !next_) return kNotRecording;
    const bool begun = active() && session_->begun;
    end(out, by);
    return begun ? std::nullopt : std::optional<std::string>(kNotBegun);
  }
  if (active() || next_) return kAlready;
  if (std::ranges::none_of(plan, &media::LegPlan::receives)) return kNobodyThere;
  if (closing()) {
    next_ = Wish{order, by};
  } else {
    begin({order, by}, out, now);
  }
  count(plan);
  return std::nullopt;
}

void Recording::begin(const Wish& wish, Outbox& out, TimePoint now) {
  const std::string at = date_time(wall_(now));
  session_ = Session{.spec = {.record = {place_.room, ++last_record_},
                              .directory = place_.directory,
                              .name = recording_name(place_.name, at),
                              .comments = {"TITLE=" + place_.title, "DATE=" + at},
                              .speakers = wish.order.what == RecordOrder::What::speakers,
                              .longest = place_.longest,
                              .most_bytes = place_.most_bytes,
                              .least_free_bytes = place_.least_free_bytes},
                     .by = wish.by,
                     .ready_by = now + limits::kRecordReady};
  told_.clear();
  ++changes_;
  out.put(PrepareRecord{session_->spec});
}

void Recording::end(Outbox& out, const jingle::Jid& by) {
  const auto not_begun = [&](const jingle::Jid& asker) {
    if (asker != by) tell(asker, kNotBegun, out);
  };
  if (next_) not_begun(std::exchange(next_, std::nullopt)->by);
  if (!active()) return;
  if (!session_->begun) not_begun(session_->by);
  if (announcement_) out.put(StopPlay{announcement_->play});
  stop(out);
}

void Recording::stop(Outbox& out) {
  session_->ending = true;
  ++changes_;
  announcement_.reset();
  announce_at_.reset();
  out.put(StopRecord{session_->spec.record});
}

void Recording::behind(const Behind& calls) {
  decltype(behind_) there;
  for (const auto& [leg, callers] : calls) {
    const auto& known = behind_[leg];
    for (const auto& [name, hears] : callers) {
      const auto before = known.find(name);
      there[leg][name] = {before == known.end() ? ++last_caller_ : before->second.number, hears};
    }
  }
  behind_ = std::move(there);
  if (session_) ++changes_;
}

void Recording::count(std::span<const media::LegPlan> plan) {
  connected_.clear();
  listening_.clear();
  const auto add = [this](const Ear& ear, bool hears) {
    connected_.insert(ear);
    if (hears) listening_.insert(ear);
  };
  for (const media::LegPlan& leg : plan) {
    add({leg.leg, 0}, leg.receives);
    const auto behind = behind_.find(leg.leg);
    if (behind == behind_.end()) continue;
    for (const auto& [name, caller] : behind->second) {
      add({leg.leg, caller.number}, leg.receives && caller.hears);
    }
  }
}

void Recording::audience(std::span<const media::LegPlan> plan, Outbox& out, TimePoint now) {
  if (!session_) return;
  count(plan);
  if (connected_.empty()) end(out);
  if (!shown()) return;
  std::erase_if(told_, [this](const Ear& ear) { return !connected_.contains(ear); });
  if (announcement_) {
    // On hold, one hears no announcement.
    std::erase_if(announcement_->hearing,
                  [this](const Ear& ear) { return !listening_.contains(ear); });
  } else if (!announce_at_ && someone_untold()) {
    announce_at_ = now;
  }
}

// On hold one is not heard (RFC 4575 §5.7.2).
bool Recording::may_record(media::LegId leg) const {
  if (!session_) return true;
  if (!told_.contains({leg, 0})) return false;
  const auto first = listening_.lower_bound({leg, 0});
  const auto last = listening_.upper_bound({leg, ~std::uint64_t{0}});
  return std::all_of(first, last, [this](const Ear& ear) { return told_.contains(ear); });
}

bool Recording::someone_untold() const { return !std::ranges::includes(told_, listening_); }

// Those who are connected when it begins: the plan that lets them hear it has been sent.
void Recording::advance(Outbox& out, TimePoint now) {
  if (active() && !session_->ready && session_->ready_by <= now) {
    const std::string why = "The disk does not answer.";
    out.log(Log::Level::error,
            "recording=failed " + field("room", place_.name) + ' ' + field("text", why));
    tell(session_->by, kNotRecorded + why, out);
    stop(out);
  }
  if (announcement_ && announcement_->heard_at && *announcement_->heard_at <= now) {
    announced(out);
    if (someone_untold()) announce_at_ = now + limits::kAnnounceRecordingAgain;
  }
  if (!announce_at_ || *announce_at_ > now || announcement_) return;
  announce_at_.reset();
  announcement_ =
      Announcement{.play = {place_.room, kFirstPlay + ++last_play_}, .hearing = listening_};
  out.put(Play{{.play = announcement_->play, .what = media::Sound::recording, .urgent = true}});
}

void Recording::announced(Outbox& out) {
  const auto hearing = std::exchange(announcement_, std::nullopt)->hearing;
  told_.insert(hearing.begin(), hearing.end());
  ++changes_;
  if (std::exchange(session_->begun, true)) return;
  out.put(Record{session_->spec.record});
}

void Recording::not_announced(const std::string& why, Outbox& out, TimePoint now) {
  announcement_.reset();
  if (session_->begun) {
    announce_at_ = now + limits::kAnnounceRecordingAgain;
    return;
  }
  tell(session_->by, "The recording could not be announced, so there is none. " + why, out);
  stop(out);
}

void Recording::media_event(const media::Event& event, Outbox& out, TimePoint now) {
  if (!session_) return;
  const auto line = line_of(event, place_.name);
  if (line && (session_->begun || line->level == Log::Level::error)) {
    out.log(line->level, line->text);
  }
  const auto* played = std::get_if<media::PlayEnded>(&event);
  if (played && announcement_ && announcement_->play == played->play) {
    if (played->cause == media::PlayEnd::finished) {
      announcement_->heard_at = now + limits::kAnnouncementTravels;
    } else {
      not_announced(played->text, out, now);
    }
  } else if (std::holds_alternative<media::RecordLost>(event)) {
    if (!std::exchange(session_->lost_told, true)) {
      tell(session_->by, "The disk is too slow: the recording has silence in some places.", out);
    }
  } else if (const auto* crowded = std::get_if<media::RecordCrowded>(&event)) {
    tell(session_->by,
         std::to_string(crowded->speakers) +
             " speakers have files of their own: those after them are in the mix only.",
         out);
  } else if (const auto* ended = std::get_if<media::RecordEnded>(&event)) {
    if (ended->record == session_->spec.record) over(*ended, out, now);
  } else if (const auto* ready = std::get_if<media::RecordReady>(&event)) {
    if (ready->record != session_->spec.record || !active()) return;
    session_->ready = true;
    announce_at_ = now;
    ++changes_;
  }
}

void Recording::over(const media::RecordEnded& ended, Outbox& out, TimePoint now) {
  if (session_->begun) {
    const bool failed = ended.cause == media::RecordEnd::error;
    tell(
        session_->by,
        "The recording has ended: " +
            (failed ? ended.text : ended.file + '.' + (ended.text.empty() ? "" : ' ' + ended.text)),
        out);
  } else if (active()) {
    tell(session_->by, kNotRecorded + ended.text, out);
  }
  if (announcement_) out.put(StopPlay{announcement_->play});
  session_.reset();
  announcement_.reset();
  announce_at_.reset();
  told_.clear();
  ++changes_;
  if (const auto wish = std::exchange(next_, std::nullopt)) begin(*wish, out, now);
}

void Recording::tell(const jingle::Jid& whom, const std::string& text, Outbox& out) const {
  out.put(SendMessage{place_.full, whom, "chat", out.next_id(),
                      "<body>" + jingle::escape(text) + "</body>"});
}

std::optional<TimePoint> Recording::next_deadline() const {
  if (active() && !session_->ready) return session_->ready_by;
  if (announcement_) return announcement_->heard_at;
  return announce_at_;
}

}  // namespace mixer
