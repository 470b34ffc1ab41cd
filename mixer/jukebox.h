// mixer/jukebox.h: what one room plays, and when: pieces that were asked for, one after the other;
// announcements over all that; hold music while somebody is alone; a chime when somebody comes or
// goes. Pure; signaling thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>

#include "mixer/clock.h"
#include "mixer/config.h"
#include "mixer/now_playing.h"
#include "mixer/outbox.h"
#include "signaling/jid.h"

namespace mixer {

// What somebody may tell a room that plays.
struct PlayOrder {
  enum class What { play, announce, pause, resume, seek, skip, stop, viewing };
  What what = What::play;
  std::string source = {};         // play, announce: a name in media-dir, or an https URL
  std::chrono::milliseconds to{};  // seek
  // play, viewing: what is to be told of it (XEP-0197 §2.1), a field by its element's name. An
  // empty text: nothing of that any more.
  std::string field = {}, text = {};
  bool operator==(const PlayOrder&) const = default;
};
// Why nothing comes of it.
enum class PlayRefusal {
  nobody_there,  // in the room
  no_media_dir,  // names are not played here
  not_a_source,  // neither a name nor an https URL
  nothing_playing,
  not_yet,  // what was asked for has not begun
  not_seekable,
  beyond_end,  // a place that it does not have
  queue_full,
  announcing,  // another
};
// A sentence for the asker.
std::string_view to_string(PlayRefusal refusal);

// A sentence for people; what nobody has called anything is told by name to those who may play it.
std::string describe(const NowPlaying& playing, bool may_play);

class Jukebox {
 public:
  struct Place {
    std::string name;
    jingle::Jid full;  // who tells what went wrong
    media::RoomId room;
    std::string media_dir;
    double loudness_lufs = -23;
    std::string hold_music;  // as RoomConfig has it
    bool chimes = false;
  };
  explicit Jukebox(Place place) : place_(std::move(place)) {}

  // nullopt: done, or under way. Who plays something is told if it fails.
  std::optional<PlayRefusal> order(const PlayOrder& order, const jingle::Jid& by, Outbox& out);
  // PlayStarted, PlayTagged, PlayEnded of this room.
  void media_event(const media::Event& event, Outbox& out, TimePoint now);
  // How many are connected and hear it; `alone`: it is one, and nobody is behind him.
  void audience(std::size_t users, bool alone, Outbox& out, TimePoint now);

  // nullopt: nothing. While one loads that follows another: that other.
  std::optional<NowPlaying> now_playing() const;
  // What is heard, or about to be, and what follows: for people, as describe() has it.
  std::string tell(bool may_play) const;
  std::size_t waiting() const { return queue_.size(); }

  std::optional<TimePoint> next_deadline() const;
  void advance(Outbox& out, TimePoint now);

 private:
  using Source = std::variant<media::Sound, media::PlayFile, media::PlayUrl>;
  struct Wanted {
    Source source;
    std::string name;  // as asked for
    jingle::Jid by;
    jingle::pep::Viewing said{};
  };
  struct Piece {
    media::PlayId play;
    Wanted wanted;
    std::optional<media::PlayStarted> started{};
    bool paused = false;
    bool ending = false;  // we have stopped it
  };

  std::optional<PlayRefusal> order_next(const PlayOrder& order);
  tl::expected<Wanted, PlayRefusal> wanted(const PlayOrder& order, const jingle::Jid& by) const;
  std::optional<PlayRefusal> enqueue(const PlayOrder& order, const jingle::Jid& by, Outbox& out);
  std::optional<PlayRefusal> announce(const PlayOrder& order, const jingle::Jid& by, Outbox& out);
  Piece begin(Wanted wanted, Outbox& out, bool urgent = false);
  void stop(Piece& piece, Outbox& out);
  void chime(media::Sound sound, Outbox& out, TimePoint now);
  void next(Outbox& out);
  void settle_hold(Outbox& out, TimePoint now);
  void hold_ended(const media::PlayEnded& ended, Outbox& out, TimePoint now);
  std::chrono::seconds hold_failed(const std::string& text, Outbox& out, TimePoint now);
  void failed(const Piece& piece, const std::string& text, Outbox& out);
  media::PlayId new_id() { return {place_.room, ++last_play_}; }

  const Place place_;
  std::uint32_t last_play_ = 0;
  std::size_t users_ = 0;
  std::deque<Wanted> queue_;
  std::optional<Piece> current_, hold_;
  std::optional<Piece> announcement_;     // beside them, and told of by nobody but itself
  std::optional<Wanted> announced_next_;  // when the one before, which is stopped, is over
  std::optional<NowPlaying> before_;      // what was played until the one that is about to begin
  std::optional<TimePoint> alone_at_;     // alone since then, or in a moment
  TimePoint hold_begun_at_{}, hold_not_before_{};
  int hold_failures_ = 0;     // since it was last heard
  std::string hold_failure_;  // the last that was logged
  TimePoint chime_at_{};      // not before
};

}  // namespace mixer
