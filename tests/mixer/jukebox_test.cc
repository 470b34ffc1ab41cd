#include "mixer/jukebox.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "mixer/limits.h"

namespace mixer {
namespace {

using namespace std::chrono_literals;
using What = PlayOrder::What;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const jingle::Jid kRomeo = *jingle::Jid::parse("romeo@example.org/home");

class JukeboxTest : public testing::Test {
 protected:
  static Jukebox::Place place() {
    return {.name = "garden",
            .full = *jingle::Jid::parse("garden@mixer.example.org/focus"),
            .room = {3},
            .media_dir = "/music",
            .hold_music = std::string(kBuiltInHoldMusic),
            .chimes = true};
  }
  // What the engine and others are told since the last time.
  std::vector<std::string> told() {
    std::vector<std::string> told;
    for (const Command& command : out_.take()) {
      if (const auto* play = std::get_if<Play>(&command)) {
        const auto& what = play->spec.what;
        std::string name = "sound";
        if (const auto* file = std::get_if<media::PlayFile>(&what)) name = file->name;
        if (const auto* url = std::get_if<media::PlayUrl>(&what)) name = url->url;
        if (what == decltype(play->spec.what)(media::Sound::hold_music)) name = "hold";
        last_ = play->spec.play;
        told.push_back((play->spec.urgent ? "urgently play " : "play ") + name);
      } else if (const auto* pause = std::get_if<PausePlay>(&command)) {
        told.push_back(pause->on ? "pause" : "resume");
      } else if (const auto* seek = std::get_if<SeekPlay>(&command)) {
        told.push_back("seek " + std::to_string(seek->to.count()));
      } else if (std::holds_alternative<StopPlay>(command)) {
        told.push_back("stop");
      } else if (const auto* message = std::get_if<SendMessage>(&command)) {
        told.push_back("to " + message->to.str() + " " + message->payload);
      } else if (const auto* line = std::get_if<Log>(&command)) {
        if (line->level == Log::Level::warning) warnings_.push_back(line->text);
      }
    }
    return told;
  }
  std::optional<PlayRefusal> order(What what, const std::string& source = "") {
    return jukebox_.order({.what = what, .source = source}, kRomeo, out_);
  }
  void started(bool seekable = true, std::optional<std::chrono::milliseconds> duration = 61500ms) {
    jukebox_.media_event(media::PlayStarted{.play = last_,
                                            .tags = {.title = "Nocturne", .artist = "Field"},
                                            .duration = duration,
                                            .seekable = seekable},
                         out_, now_);
  }
  void ended(media::PlayEnd cause = media::PlayEnd::finished, const std::string& text = "") {
    jukebox_.media_event(media::PlayEnded{last_, cause, text}, out_, now_);
  }
  void audience(std::size_t users) { jukebox_.audience(users, users == 1, out_, now_); }

  Outbox out_{[] { return 7; }};
  Jukebox jukebox_{place()};
  TimePoint now_ = TimePoint() + 1h;
  media::PlayId last_;
  std::vector<std::string> warnings_;
};

TEST_F(JukeboxTest, WhoIsAloneHearsMusicUntilSomebodyComes) {
  audience(1);
  EXPECT_EQ(jukebox_.next_deadline(), now_ + limits::kAlone);
  EXPECT_THAT(told(), IsEmpty());
  now_ += limits::kAlone;
  jukebox_.advance(out_, now_);
  EXPECT_THAT(told(), ElementsAre("play hold"));
  started();
  EXPECT_TRUE(jukebox_.now_playing());
  audience(2);
  EXPECT_THAT(told(), ElementsAre("play sound", "stop"));
  EXPECT_FALSE(jukebox_.now_playing());
  EXPECT_EQ(jukebox_.next_deadline(), std::nullopt);
}

TEST_F(JukeboxTest, HoldMusicThatFailsIsTriedAgainEverMoreRarelyAndLoggedOnce) {
  audience(1);
  const TimePoint end = now_ + 24h;
  std::chrono::seconds wait = limits::kAlone;
  int tries = 0;
  while (*jukebox_.next_deadline() < end) {
    EXPECT_EQ(*jukebox_.next_deadline() - now_, wait) << tries;
    if (tries > 0) wait = std::min<std::chrono::seconds>(2 * wait, limits::kHoldRetryMost);
    now_ = *jukebox_.next_deadline();
    jukebox_.advance(out_, now_);
    ASSERT_THAT(told(), ElementsAre("play hold"));
    ++tries;
    if (tries % 3 == 0) started();  // and then it breaks
    ended(media::PlayEnd::error, "There is no such file.");
    ASSERT_THAT(told(), IsEmpty());
    if (tries % 2 == 0) {  // somebody looks in
      audience(2);
      audience(1);
      told();
    }
  }
  EXPECT_GT(tries, 250);
  EXPECT_LT(tries, 300);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("There is no such file.")));
}

TEST_F(JukeboxTest, HoldMusicsFailureIsLoggedAgainForAnotherCauseAndOnceItHasBeenHeard) {
  const auto again = [this] {
    now_ = *jukebox_.next_deadline();
    jukebox_.advance(out_, now_);
    EXPECT_THAT(told(), ElementsAre("play hold"));
  };
  const auto fails = [this](const std::string& text, std::chrono::seconds then) {
    ended(media::PlayEnd::error, text);
    told();
    EXPECT_EQ(*jukebox_.next_deadline() - now_, then);
  };
  audience(1);
  again();
  fails("none", limits::kAlone);
  again();
  fails("too much", 2 * limits::kAlone);
  again();
  fails("too much", 4 * limits::kAlone);
  EXPECT_EQ(warnings_.size(), 2u);
  again();
  started();
  ended();
  again();
  fails("too much", limits::kAlone);
  EXPECT_EQ(warnings_.size(), 3u);
  again();
  started();
  now_ += limits::kHoldRetryMost;
  fails("too much", limits::kAlone);
  EXPECT_EQ(warnings_.size(), 4u) << "it was heard for a while";
}

TEST_F(JukeboxTest, NoMusicIsPlayedToAnotherMixerAlone) {
  jukebox_.audience(1, false, out_, now_);
  EXPECT_EQ(jukebox_.next_deadline(), std::nullopt);
}

TEST_F(JukeboxTest, SomebodyWhoComesOrGoesIsHeardButNotACrowd) {
  audience(1);
  EXPECT_THAT(told(), IsEmpty()) << "nobody to hear it";
  audience(2);
  EXPECT_THAT(told(), ElementsAre("play sound"));
  audience(3);
  EXPECT_THAT(told(), IsEmpty());
  now_ += limits::kBetweenChimes;
  audience(2);
  EXPECT_THAT(told(), ElementsAre("play sound"));
}

TEST_F(JukeboxTest, PiecesArePlayedOneAfterTheOther) {
  audience(2);
  told();
  EXPECT_EQ(order(What::play, "one.ogg"), std::nullopt);
  EXPECT_EQ(order(What::play, "https://radio.example.org/two"), std::nullopt);
  EXPECT_EQ(order(What::play, "three.ogg"), std::nullopt);
  EXPECT_THAT(told(), ElementsAre("play one.ogg"));
  started();
  ended();
  EXPECT_THAT(told(), ElementsAre("play https://radio.example.org/two"));
  EXPECT_EQ(order(What::skip), std::nullopt);
  EXPECT_THAT(told(), ElementsAre("stop"));
  ended(media::PlayEnd::stopped);
  EXPECT_THAT(told(), ElementsAre("play three.ogg"));
  ended();
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_FALSE(jukebox_.now_playing());
}

TEST_F(JukeboxTest, WhoSkipsTwiceSkipsTwo) {
  audience(2);
  for (const char* piece : {"one.ogg", "two.ogg", "three.ogg"}) order(What::play, piece);
  told();
  EXPECT_EQ(order(What::skip), std::nullopt);
  EXPECT_EQ(order(What::skip), std::nullopt) << "one.ogg is still being faded out";
  EXPECT_EQ(order(What::pause), PlayRefusal::not_yet);
  EXPECT_THAT(told(), ElementsAre("stop"));
  ended(media::PlayEnd::stopped);
  EXPECT_THAT(told(), ElementsAre("play three.ogg"));
  EXPECT_EQ(order(What::skip), std::nullopt);
  EXPECT_EQ(order(What::skip), PlayRefusal::nothing_playing);
}

TEST_F(JukeboxTest, StopForgetsWhatWaits) {
  audience(2);
  order(What::play, "one.ogg");
  order(What::play, "two.ogg");
  told();
  EXPECT_EQ(order(What::stop), std::nullopt);
  ended(media::PlayEnd::stopped);
  EXPECT_THAT(told(), ElementsAre("stop"));
}

TEST_F(JukeboxTest, AnAnnouncementIsHeardAtOnceBesideWhatIsPlayedAndWaits) {
  EXPECT_EQ(order(What::announce, "fire.wav"), PlayRefusal::nobody_there);
  audience(2);
  order(What::play, "one.ogg");
  order(What::play, "two.ogg");
  told();
  started();
  const media::PlayId playing = last_;
  EXPECT_EQ(order(What::announce, "file:///etc/passwd"), PlayRefusal::not_a_source);
  EXPECT_EQ(order(What::announce, "fire.wav"), std::nullopt);
  EXPECT_THAT(told(), ElementsAre("urgently play fire.wav"));
  started();
  EXPECT_EQ(jukebox_.now_playing()->name, "one.ogg") << "that goes on";
  EXPECT_EQ(order(What::announce, "again.wav"), PlayRefusal::announcing);
  EXPECT_EQ(order(What::pause), std::nullopt) << "what is played, not what is announced";
  ended(media::PlayEnd::error, "It cannot be read.");
  EXPECT_THAT(
      told(),
      ElementsAre("pause", "to romeo@example.org/home <body>fire.wav: It cannot be read.</body>"));
  EXPECT_EQ(jukebox_.now_playing()->name, "one.ogg");
  EXPECT_EQ(order(What::announce, "https://example.org/again"), std::nullopt);
  EXPECT_THAT(told(), ElementsAre("urgently play https://example.org/again"));
  ended();
  last_ = playing;
  ended();
  EXPECT_THAT(told(), ElementsAre("play two.ogg"));
}

TEST_F(JukeboxTest, StopEndsAnAnnouncementToo) {
  audience(2);
  order(What::announce, "fire.wav");
  EXPECT_EQ(order(What::skip), PlayRefusal::nothing_playing);
  told();
  EXPECT_EQ(order(What::stop), std::nullopt);
  EXPECT_EQ(order(What::stop), std::nullopt) << "it is ending";
  EXPECT_THAT(told(), ElementsAre("stop"));
  ended(media::PlayEnd::stopped);
  order(What::play, "one.ogg");
  order(What::announce, "fire.wav");
  told();
  EXPECT_EQ(order(What::stop), std::nullopt);
  EXPECT_THAT(told(), ElementsAre("stop", "stop"));
}

TEST_F(JukeboxTest, PausesResumesAndSeeksWhatCan) {
  audience(2);
  EXPECT_EQ(order(What::pause), PlayRefusal::nothing_playing);
  order(What::play, "one.ogg");
  EXPECT_EQ(order(What::seek), PlayRefusal::not_yet);
  told();
  started();
  EXPECT_EQ(order(What::pause), std::nullopt);
  EXPECT_TRUE(jukebox_.now_playing()->paused);
  EXPECT_EQ(order(What::resume), std::nullopt);
  EXPECT_EQ(jukebox_.order({.what = What::seek, .to = -5s}, kRomeo, out_), std::nullopt);
  EXPECT_THAT(told(), ElementsAre("pause", "resume", "seek 0"));
  started(false);
  EXPECT_EQ(order(What::seek), PlayRefusal::not_seekable);
}

TEST_F(JukeboxTest, AllOfItIsAtOneLoudness) {
  Jukebox::Place quiet = place();
  quiet.loudness_lufs = -30;
  Jukebox jukebox(quiet);
  jukebox.audience(1, true, out_, now_);
  jukebox.advance(out_, now_ + limits::kAlone);             // hold music
  jukebox.audience(2, false, out_, now_ + limits::kAlone);  // a chime
  jukebox.order({What::announce, "fire.wav"}, kRomeo, out_);
  jukebox.order({What::play, "one.ogg"}, kRomeo, out_);
  std::size_t played = 0;
  for (const Command& command : out_.take()) {
    const auto* play = std::get_if<Play>(&command);
    if (!play) continue;
    ++played;
    EXPECT_EQ(play->spec.loudness_lufs, -30);
  }
  EXPECT_EQ(played, 4u);
}

TEST_F(JukeboxTest, TellsWhatIsPlayedAndWhatFollows) {
  EXPECT_EQ(jukebox_.tell(true), "Nothing is played.");
  audience(2);
  order(What::play, "one.ogg");
  told();
  EXPECT_EQ(jukebox_.tell(true), "one.ogg is about to begin.");
  EXPECT_EQ(jukebox_.tell(false), "A piece without a title is about to begin.");
  started();
  order(What::play, "two.ogg");
  EXPECT_EQ(jukebox_.tell(true), "Nocturne by Field (1:02). Next: two.ogg.");
  for (int i = 0; i < 11; ++i) order(What::play, std::to_string(i));
  EXPECT_EQ(jukebox_.tell(true),
            "Nocturne by Field (1:02). Next: two.ogg; 0; 1; 2; 3; 4; 5; 6; 7; 8; and 2 more.");
  order(What::skip);
  EXPECT_THAT(jukebox_.tell(true), testing::StartsWith("Nothing is played. Next: two.ogg; 0"));
  told();
  ended(media::PlayEnd::stopped);
  told();
  EXPECT_THAT(jukebox_.tell(true), testing::StartsWith("two.ogg is about to begin. Next: 0"))
      << "not what was played before";
  order(What::stop);
  EXPECT_EQ(jukebox_.tell(true), "Nothing is played.");
  ended(media::PlayEnd::stopped);
  audience(1);
  now_ += limits::kAlone;
  jukebox_.advance(out_, now_);
  told();
  EXPECT_EQ(jukebox_.tell(true), "Nothing is played.");
  started();
  EXPECT_EQ(jukebox_.tell(false), "hold music by Field (1:02).");
}

// It ended the piece without a word.
TEST_F(JukeboxTest, NobodySeeksBeyondTheEnd) {
  audience(2);
  order(What::play, "one.ogg");
  told();
  started(true, 90s);
  EXPECT_EQ(jukebox_.order({.what = What::seek, .to = 90s}, kRomeo, out_), PlayRefusal::beyond_end);
  EXPECT_EQ(jukebox_.order({.what = What::seek, .to = 89s}, kRomeo, out_), std::nullopt);
  EXPECT_THAT(told(), ElementsAre("seek 89000"));
  started(true, std::nullopt);
  EXPECT_EQ(jukebox_.order({.what = What::seek, .to = 90s}, kRomeo, out_), std::nullopt);
}

// "Something is being announced already", though it had just been stopped.
TEST_F(JukeboxTest, WhatIsAnnouncedAfterAStopFollowsIt) {
  audience(2);
  order(What::announce, "fire.wav");
  order(What::stop);
  told();
  EXPECT_EQ(order(What::announce, "drill.wav"), std::nullopt);
  EXPECT_EQ(order(What::announce, "more.wav"), PlayRefusal::announcing);
  EXPECT_THAT(told(), IsEmpty());
  ended(media::PlayEnd::stopped);
  EXPECT_THAT(told(), ElementsAre("urgently play drill.wav"));
  order(What::stop);
  order(What::announce, "never.wav");
  order(What::stop);
  told();
  ended(media::PlayEnd::stopped);
  EXPECT_THAT(told(), IsEmpty());
}

// Users and queries are keys of stations; the log is read by others than the moderators.
TEST_F(JukeboxTest, AFailureIsLoggedWithoutTheKeysOfItsUrl) {
  audience(2);
  order(What::play, "https://ann:secret@radio.example.org/live?token=secret#secret");
  told();
  ended(media::PlayEnd::error, "No.");
  told();
  EXPECT_THAT(warnings_, ElementsAre(AllOf(HasSubstr("https://radio.example.org/live"),
                                           Not(HasSubstr("secret")))));
}

TEST_F(JukeboxTest, AFailureIsToldToWhoAskedAndTheNextIsPlayed) {
  audience(2);
  order(What::play, "one.ogg");
  order(What::play, "two.ogg");
  told();
  ended(media::PlayEnd::error, "It cannot be read.");
  EXPECT_THAT(told(),
              ElementsAre("to romeo@example.org/home <body>one.ogg: It cannot be read.</body>",
                          "play two.ogg"));
}

TEST_F(JukeboxTest, OnlyNamesAndHttpsArePlayed) {
  audience(2);
  for (const char* source :
       {"", "file:///etc/passwd", "http://radio.example.org/", "v4l2:///dev/video0", "alsasrc://",
        "rtsp://camera.example.org/", "a\nb", "HTTPS://radio.example.org/", "cdda://1"}) {
    EXPECT_EQ(order(What::play, source), PlayRefusal::not_a_source) << source;
  }
  EXPECT_EQ(order(What::play, std::string(limits::kMaxSourceBytes + 1, 'a')),
            PlayRefusal::not_a_source);
  EXPECT_THAT(told(), ElementsAre("play sound"));
}

TEST_F(JukeboxTest, TheQueueIsBounded) {
  EXPECT_EQ(order(What::play, "one.ogg"), PlayRefusal::nobody_there);
  audience(1);
  for (std::size_t i = 0; i <= limits::kMaxPlayQueue; ++i) {
    EXPECT_EQ(order(What::play, "one.ogg"), std::nullopt);
  }
  EXPECT_EQ(order(What::play, "one.ogg"), PlayRefusal::queue_full);
}

TEST_F(JukeboxTest, TellsWhatIsPlayed) {
  audience(2);
  order(What::play, "https://radio.example.org/two");
  EXPECT_FALSE(jukebox_.now_playing()) << "it may never begin";
  told();
  started();
  EXPECT_EQ(jukebox_.now_playing(), (NowPlaying{.title = "Nocturne",
                                                .artist = "Field",
                                                .length = 62s,
                                                .uri = "https://radio.example.org/two",
                                                .name = "https://radio.example.org/two"}));
  jukebox_.media_event(media::PlayTagged{last_, {.artist = "Chopin"}}, out_, now_);
  EXPECT_EQ(jukebox_.now_playing()->artist, "Chopin");
  EXPECT_EQ(jukebox_.now_playing()->title, "") << "a URL is none";
}

// XEP-0197 §2.1.
TEST_F(JukeboxTest, TellsWhatIsSaidOfAPieceAndOnlyOfThatOne) {
  audience(2);
  const auto say = [&](const std::string& field, const std::string& text) {
    return jukebox_.order({.what = What::viewing, .field = field, .text = text}, kRomeo, out_);
  };
  EXPECT_EQ(say("episode", "807"), PlayRefusal::nothing_playing);
  jukebox_.order(
      {.what = What::play, .source = "film.webm", .field = "program_name", .text = "The film"},
      kRomeo, out_);
  order(What::play, "one.ogg");
  told();
  started();
  EXPECT_EQ(say("episode", "807"), std::nullopt);
  EXPECT_EQ(jukebox_.now_playing()->said.program_name, "The film");
  EXPECT_EQ(jukebox_.now_playing()->said.episode, "807");
  say("episode", "");
  EXPECT_EQ(jukebox_.now_playing()->said.episode, "");
  order(What::skip);
  told();
  ended(media::PlayEnd::stopped);
  told();
  started();
  EXPECT_EQ(jukebox_.now_playing()->said, jingle::pep::Viewing());
}

TEST_F(JukeboxTest, WhileAPieceIsEndingTheNextIsSpokenOf) {
  audience(2);
  for (const char* name : {"one.ogg", "two.webm", "three.ogg"}) order(What::play, name);
  told();
  started();
  order(What::skip);
  EXPECT_EQ(
      jukebox_.order({.what = What::viewing, .field = "episode", .text = "807"}, kRomeo, out_),
      std::nullopt);
  ended(media::PlayEnd::stopped);
  told();
  started();
  EXPECT_EQ(jukebox_.now_playing()->said.episode, "807");
  order(What::skip);
  told();
  EXPECT_EQ(order(What::stop), std::nullopt);
  ended(media::PlayEnd::stopped);
  EXPECT_THAT(told(), IsEmpty()) << "what waited is forgotten";
  EXPECT_EQ(order(What::stop), PlayRefusal::nothing_playing);
}

}  // namespace
}  // namespace mixer
