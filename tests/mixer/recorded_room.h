// tests/mixer/recorded_room.h: a room that can be recorded, as the tests of recordings use it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mixer/limits.h"
#include "mixer/recording.h"
#include "tests/support/focus_bench.h"

namespace test {

inline constexpr char kAnn[] = "ann@localhost/phone";  // a moderator
inline constexpr char kBob[] = "bob@localhost/phone";
inline constexpr char kCat[] = "cat@localhost/phone";
inline constexpr char kRoom[] = "room@mixer.localhost";

inline mixer::Config recorded() {
  mixer::Config config = component_config();
  config.room_defaults.moderators = {jid("ann@localhost")};
  config.record.directory = "/recordings";
  return config;
}

// A room that can be recorded, and an engine that plays and records as it is told.
struct RecordedRoom : Bench {
  explicit RecordedRoom(mixer::Config config = recorded()) : Bench(std::move(config)) { up(); }

  std::string say(const std::string& from, const std::string& text) {
    step = message(from, kRoom, "<body>" + text + "</body>", "chat");
    std::string answer;
    for (const auto& said : step.all<mixer::SendMessage>()) {
      if (said.to == jid(from)) answer = said.payload;
    }
    return answer;
  }
  // Announcements so far.
  std::vector<media::PlayId> tones() const {
    std::vector<media::PlayId> found;
    for (const auto& play : engine.plays()) {
      if (play.what == decltype(play.what)(media::Sound::recording)) found.push_back(play.play);
    }
    return found;
  }
  // The last has been played, and has reached everybody.
  void tones_end() {
    const auto last = tones();
    ASSERT_FALSE(last.empty());
    media(media::PlayEnded{last.back(), media::PlayEnd::finished, ""});
    wait(mixer::limits::kAnnouncementTravels);
  }
  const std::vector<media::RecordSpec>& records() const { return engine.records(); }
  bool may_record(media::LegId leg) const {
    for (const auto& [room, plan] : engine.plans()) {
      for (const auto& each : plan.legs) {
        if (each.leg == leg) return each.recorded;
      }
    }
    ADD_FAILURE() << "not in the plan";
    return false;
  }
  const coin::User* recorder(const std::string& sid) const {
    return listed(sid, "xmpp:" + std::string(kRoom));
  }

  Step step;
};

// Without the room around it.
inline mixer::Recording::Place tea() {
  return {.name = "tea",
          .title = "Tea",
          .full = jid("tea@mixer.localhost/focus"),
          .room = {3},
          .directory = "/recordings"};
}

}  // namespace test
