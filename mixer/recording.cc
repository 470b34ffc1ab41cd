#include "mixer/recording.h"

#include <algorithm>
#include <utility>

#include "mixer/limits.h"
#include "mixer/log.h"
#include "mixer/overloaded.h"

namespace mixer {
namespace {

// The room's other pieces are the jukebox's, which counts from one.
constexpr std::uint32_t kFirstPlay = 1U << 31;

}  // namespace

std::string_view to_string(RecordRefusal refusal) {
  switch (refusal) {
    case RecordRefusal::not_here: return "Calls are not recorded here.";
    case RecordRefusal::nobody_there: return "Nobody is there to be recorded.";
    case RecordRefusal::already: return "The call is being recorded already.";
    case RecordRefusal::not_recording: return "The call is not being recorded.";
  }
  return "";
}

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

std::optional<Log> recording_line(const media::Event& event) {
  if (const auto* started = std::get_if<media::RecordStarted>(&event)) {
    return Log{Log::Level::info, "recording=started " + field("file", started->file)};
  }
  if (const auto* lost = std::get_if<media::RecordLost>(&event)) {
    return Log{Log::Level::warning,
               "recording=late room=" + std::to_string(lost->record.room.value) +
                   " lost=" + std::to_string(lost->packets)};
  }
  if (const auto* crowded = std::get_if<media::RecordCrowded>(&event)) {
    return Log{Log::Level::warning,
               "recording=crowded room=" + std::to_string(crowded->record.room.value) +
                   " speakers=" + std::to_string(crowded->speakers) + ' ' +
                   field("text", "whoever speaks first from now on is in the mix only")};
  }
  const auto* ended = std::get_if<media::RecordEnded>(&event);
  if (!ended) return std::nullopt;
  const bool failed = ended->cause == media::RecordEnd::error;
  std::string text =
      (failed ? "recording=failed " : "recording=ended ") + field("file", ended->file) +
      " seconds=" + std::to_string(ended->length.count() / 1000) +
      " files=" + std::to_string(ended->files) + " bytes=" + std::to_string(ended->bytes) +
      " lost=" + std::to_string(ended->lost);
  if (!ended->text.empty()) text += ' ' + field("text", ended->text);
  return Log{failed ? Log::Level::error : Log::Level::info, std::move(text)};
}

std::optional<RecordRefusal> Recording::order(const RecordOrder& order, const jingle::Jid& by,
                                              std::span<const media::LegPlan> plan, Outbox& out,
                                              TimePoint now) {
  if (place_.directory.empty()) return RecordRefusal::not_here;
  if (order.what == RecordOrder::What::stop) {
    if (!shown()) return RecordRefusal::not_recording;
    end(out);
    return std::nullopt;
  }
  // Its files are not closed yet, which takes as long as the disk does.
  if (session_) return RecordRefusal::already;
  if (std::ranges::none_of(plan, &media::LegPlan::receives)) return RecordRefusal::nobody_there;
  begin(order, by, now);
  count(plan);
  return std::nullopt;
}

void Recording::begin(const RecordOrder& order, const jingle::Jid& by, TimePoint now) {
  const std::string at = date_time(wall_(now));
  session_ = Session{.spec = {.record = {place_.room, ++last_record_},
                              .directory = place_.directory,
                              .name = recording_name(place_.name, at),
                              .comments = {"TITLE=" + place_.title, "DATE=" + at},
                              .speakers = order.what == RecordOrder::What::speakers,
                              .longest = place_.longest,
                              .most_bytes = place_.most_bytes,
                              .least_free_bytes = place_.least_free_bytes},
                     .by = by};
  told_.clear();
  announce_at_ = now;
  ++changes_;
}

void Recording::end(Outbox& out) {
  session_->ending = true;
  ++changes_;
  if (announcement_) out.put(StopPlay{announcement_->play});
  announcement_.reset();
  announce_at_.reset();
  if (session_->begun) {
    out.put(StopRecord{session_->spec.record});
  } else {
    forget();
  }
}

void Recording::forget() {
  session_.reset();
  announcement_.reset();
  announce_at_.reset();
  told_.clear();
  ++changes_;
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
  if (!shown()) return;
  count(plan);
  if (connected_.empty()) return end(out);
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
  out.put(Record{session_->spec});
}

void Recording::not_announced(const std::string& why, Outbox& out, TimePoint now) {
  announcement_.reset();
  if (session_->begun) {
    announce_at_ = now + limits::kAnnounceRecordingAgain;
    return;
  }
  tell("The recording could not be announced, so there is none. " + why, out);
  forget();
}

void Recording::media_event(const media::Event& event, Outbox& out, TimePoint now) {
  if (!session_) return;
  const auto* played = std::get_if<media::PlayEnded>(&event);
  if (played && announcement_ && announcement_->play == played->play) {
    if (played->cause == media::PlayEnd::finished) {
      announcement_->heard_at = now + limits::kAnnouncementTravels;
    } else {
      not_announced(played->text, out, now);
    }
  } else if (std::holds_alternative<media::RecordLost>(event)) {
    if (!std::exchange(session_->lost_told, true)) {
      tell("The disk is too slow: the recording has silence in some places.", out);
    }
  } else if (const auto* crowded = std::get_if<media::RecordCrowded>(&event)) {
    tell(std::to_string(crowded->speakers) +
             " speakers have files of their own: those after them are in the mix only.",
         out);
  } else if (const auto* ended = std::get_if<media::RecordEnded>(&event)) {
    if (ended->record == session_->spec.record) over(*ended, out);
  }
}

void Recording::over(const media::RecordEnded& ended, Outbox& out) {
  if (ended.cause == media::RecordEnd::error) {
    tell("The recording has ended: " + ended.text, out);
  } else {
    const std::string why = ended.text.empty() ? "" : ' ' + ended.text;
    tell("The recording has ended: " + ended.file + '.' + why, out);
  }
  if (announcement_) out.put(StopPlay{announcement_->play});
  forget();
}

void Recording::tell(const std::string& text, Outbox& out) const {
  out.put(SendMessage{place_.full, session_->by, "chat", out.next_id(),
                      "<body>" + jingle::escape(text) + "</body>"});
}

std::optional<TimePoint> Recording::next_deadline() const {
  if (announcement_) return announcement_->heard_at;
  return announce_at_;
}

}  // namespace mixer
