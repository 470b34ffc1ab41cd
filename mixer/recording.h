// mixer/recording.h: whether one room is recorded, and who of it may be: nobody before he has heard
// the announcement, whoever comes later either, nor whoever is behind another mixer from when that
// tells of him. Pure; signaling thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "media/media_engine.h"
#include "mixer/clock.h"
#include "mixer/outbox.h"
#include "signaling/jid.h"

namespace mixer {

// What somebody may tell a room that records.
struct RecordOrder {
  enum class What { begin, speakers, stop };  // speakers: begin, with a file of each, too
  What what = What::begin;
  bool operator==(const RecordOrder&) const = default;
};
// "tea-20261121T163000Z": the room's name, of which only letters, digits, '-', '.' and '_' are
// kept, and when it began. `date_time` is XEP-0082's.
std::string recording_name(const std::string& room, const std::string& date_time);

class Recording {
 public:
  struct Place {
    std::string name;   // of the room
    std::string title;  // what people call it
    jingle::Jid full;   // who tells what went wrong
    media::RoomId room;
    std::string directory;            // empty: nothing is recorded here
    std::chrono::seconds longest{0};  // as RecordSpec has them
    std::uint64_t most_bytes = 0, least_free_bytes = 0;
  };
  Recording(Place place, WallTime wall) : place_(std::move(place)), wall_(std::move(wall)) {}

  // nullopt: done, or under way; else a sentence for the asker. Who begins is told how it ends.
  // `plan`: as audience() has it.
  std::optional<std::string> order(const RecordOrder& order, const jingle::Jid& by,
                                   std::span<const media::LegPlan> plan, Outbox& out,
                                   TimePoint now);
  // PlayEnded, RecordReady, RecordStarted, RecordLost, RecordCrowded, RecordEnded of this room; of
  // the last four, lines of the log.
  void media_event(const media::Event& event, Outbox& out, TimePoint now);
  // Those behind the legs of other mixers: each call there, by a name that no other of that leg
  // has, and whether it hears that mixer. Who is not in it is there no more. Before audience().
  using Behind = std::map<media::LegId, std::map<std::string, bool>>;
  void behind(const Behind& calls);
  // Who is connected, and which of them hear the room. Nothing to do while nothing is recorded.
  void audience(std::span<const media::LegPlan> plan, Outbox& out, TimePoint now);

  // The call is, or in a moment will be, recorded: whoever is in it may know.
  bool shown() const { return active() && session_->ready; }
  // It has ended, but the engine is not done with it yet, which takes as long as the disk does.
  bool closing() const { return session_ && session_->ending; }
  // What that leg says may be in a recording: all who can be heard by it have been told. Changes
  // with changes().
  bool may_record(media::LegId leg) const;
  // Goes up when shown() or may_record() may have changed.
  std::uint64_t changes() const { return changes_; }

  std::optional<TimePoint> next_deadline() const;
  void advance(Outbox& out, TimePoint now);

 private:
  struct Session {
    media::RecordSpec spec;
    jingle::Jid by;
    TimePoint ready_by;   // or the disk does not answer
    bool ready = false;   // says the engine
    bool begun = false;   // the engine was told to
    bool ending = false;  // and to stop
    bool lost_told = false;
  };
  // A leg, as 0, or a call behind it, as a number that is given once: who comes again is another.
  using Ear = std::pair<media::LegId, std::uint64_t>;
  struct Caller {
    std::uint64_t number = 0;
    bool hears = false;
  };
  struct Announcement {
    media::PlayId play;
    std::set<Ear> hearing;                // since its beginning
    std::optional<TimePoint> heard_at{};  // it has been played, and is on its way to them
  };

  struct Wish {
    RecordOrder order;
    jingle::Jid by;
  };

  bool active() const { return session_ && !session_->ending; }
  void begin(const Wish& wish, Outbox& out, TimePoint now);
  void count(std::span<const media::LegPlan> plan);
  // `by` knows already.
  void end(Outbox& out, const jingle::Jid& by = {});
  void stop(Outbox& out);
  void announced(Outbox& out);
  void not_announced(const std::string& why, Outbox& out, TimePoint now);
  void over(const media::RecordEnded& ended, Outbox& out, TimePoint now);
  bool someone_untold() const;
  void tell(const jingle::Jid& whom, const std::string& text, Outbox& out) const;

  const Place place_;
  const WallTime wall_;
  std::uint32_t last_record_ = 0, last_play_ = 0;
  std::optional<Session> session_;
  std::optional<Wish> next_;  // to begin when the files of the one that ends are closed
  std::optional<Announcement> announcement_;
  std::optional<TimePoint> announce_at_;  // somebody has not heard one
  std::map<media::LegId, std::map<std::string, Caller>> behind_;
  std::uint64_t last_caller_ = 0;
  std::set<Ear> connected_, listening_, told_;
  std::uint64_t changes_ = 0;
};

}  // namespace mixer
