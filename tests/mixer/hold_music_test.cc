// Hold music and chimes, by the whole focus.
#include "tests/support/focus_bench.h"

namespace {

using namespace test;
using mixer::Play;
using mixer::StopPlay;

constexpr char kAnn[] = "ann@localhost/phone";
constexpr char kBob[] = "bob@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";

mixer::Config with_music() {
  mixer::Config config = component_config();
  config.room_defaults.hold_music = mixer::kBuiltInHoldMusic;
  config.room_defaults.chimes = true;
  return config;
}

struct Room : Bench {
  Room() : Bench(with_music()) { up(); }

  Step connect(const std::string& from, const std::string& sid) {
    return media(engine.connected(call(from, kRoom, {.sid = sid})));
  }
  static std::vector<media::PlayId> music(const Step& step) {
    std::vector<media::PlayId> found;
    for (const auto& play : step.all<Play>()) {
      if (play.spec.what == decltype(play.spec.what)(media::Sound::hold_music)) {
        EXPECT_TRUE(play.spec.loop);
        found.push_back(play.spec.play);
      }
    }
    return found;
  }
};

TEST(HoldMusic, IsPlayedWhileSomebodyIsAloneAndAgainWhenHeIs) {
  Room room;
  EXPECT_TRUE(Room::music(room.connect(kBob, "B")).empty()) << "somebody may come at once";
  const auto first = Room::music(room.wait(5s));
  ASSERT_EQ(first.size(), 1u);
  room.media(media::PlayStarted{.play = first[0]});

  const auto stopped = room.connect(kAnn, "A").all<StopPlay>();
  ASSERT_EQ(stopped.size(), 1u);
  EXPECT_EQ(stopped[0].play, first[0]);
  room.media(media::PlayEnded{first[0], media::PlayEnd::stopped});
  EXPECT_TRUE(Room::music(room.wait(60s)).empty());

  room.iq(kAnn, kRoom, terminate("A"));
  const auto second = Room::music(room.wait(5s));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_NE(second[0], first[0]);
}

TEST(HoldMusic, EndsWithTheCall) {
  Room room;
  room.connect(kBob, "B");
  const auto music = Room::music(room.wait(5s));
  ASSERT_EQ(music.size(), 1u);
  room.iq(kBob, kRoom, terminate("B"));
  room.media(media::PlayEnded{music[0], media::PlayEnd::stopped});
  EXPECT_TRUE(Room::music(room.wait(60s)).empty()) << "to nobody";
}

TEST(HoldMusic, IsNotPlayedToAnotherFocus) {
  Room room;
  const auto leg = room.call(
      "mixer@localhost/focus", kRoom,
      {.sid = "M", .more_jingle = "<conference-info xmlns='urn:xmpp:coin:1' isfocus='true'/>"});
  ASSERT_NE(leg, media::LegId{});
  room.media(room.engine.connected(leg));
  EXPECT_TRUE(Room::music(room.wait(60s)).empty()) << "it is many people";
}

TEST(HoldMusic, WhoComesIsHeardByAChimeButNotTheFirst) {
  Room room;
  EXPECT_TRUE(room.connect(kBob, "B").all<Play>().empty());
  const auto chime = room.connect(kAnn, "A").all<Play>();
  ASSERT_EQ(chime.size(), 1u);
  EXPECT_EQ(chime[0].spec.what, decltype(chime[0].spec.what)(media::Sound::joined));
}

}  // namespace
