// What people tell a room by chat, by the whole focus.
#include <set>

#include "tests/support/focus_bench.h"
#include "tests/support/readme.h"

namespace {

using namespace test;
using mixer::SendMessage;

constexpr char kAnn[] = "ann@localhost/phone";  // a moderator
constexpr char kBob[] = "bob@localhost/phone";
constexpr char kRoom[] = "room@mixer.localhost";

mixer::Config moderated() {
  mixer::Config config = component_config();
  config.room_defaults.moderators = {jid("ann@localhost")};
  config.room_defaults.announce = mixer::Announce::off;
  return config;
}

mixer::Config everything() {
  mixer::Config config = moderated();
  config.presence.publish = {jingle::pep::Node::viewing, jingle::pep::Node::status};
  config.presence.relay = {jingle::pep::Node::mood};
  config.record.directory = "/recordings";
  return config;
}

struct Chat : Bench {
  explicit Chat(mixer::Config config = moderated()) : Bench(std::move(config)) { up(); }

  Step say(const std::string& from, const std::string& text, const std::string& more = "",
           const std::string& type = "chat") {
    return message(from, kRoom, "<body>" + jingle::escape(text) + "</body>" + more, type);
  }
  // What that JID is told in words, line by line.
  static std::string heard(const Step& step, const std::string& by) {
    std::string text;
    for (const auto& said : step.all<SendMessage>()) {
      if (said.to == jid(by)) text += jingle::text_of(jingle::Xml::parse(said.payload)->root());
    }
    return text;
  }
  std::string ask(const std::string& from, const std::string& text) {
    return heard(say(from, text), from);
  }
  std::string status(const std::string& bare) const {
    const coin::User* user = listed("S1", "xmpp:" + bare);
    if (!user || user->endpoints.empty()) return "";
    return std::string(coin::to_string(*user->endpoints[0].status));
  }
};

TEST(Controls, AreWhatReadmeShows) {
  Chat chat(everything());
  chat.join(kAnn, kRoom, {.sid = "A"});
  chat.join(kBob);
  std::string shown;
  for (const std::string text : {"help", "mute bob"}) {
    shown += "ann> " + text + '\n';
    std::istringstream lines(chat.ask(kAnn, text));
    for (std::string line; std::getline(lines, line);) shown += "     " + line + '\n';
  }
  EXPECT_TRUE(support::readme_shows(shown));
}

TEST(Controls, ParticipantsLearnWhoIsThereAndOthersDoNot) {
  Chat chat;
  chat.join(kBob);
  EXPECT_EQ(chat.ask(kBob, "who"), "In this call (1): bob.");
  EXPECT_EQ(chat.ask("cat@localhost/x", "who"), "Call this address first.");
  EXPECT_EQ(chat.ask("cat@localhost/x", "mute bob"), "Only moderators may say that.");
  EXPECT_EQ(chat.ask("cat@localhost/x", "mute"), "mute NAME: let nobody hear that participant");
}

// RFC 4575 §5.3.1
TEST(Controls, AModeratorSetsTheTopicForEverybodysDocument) {
  Chat chat;
  chat.join(kAnn, kRoom, {.sid = "A"});
  chat.join(kBob);
  chat.wait(2s);
  EXPECT_EQ(chat.ask(kBob, "topic"), "There is no topic.");
  EXPECT_EQ(chat.ask(kBob, "topic Tea"), "Only moderators may say that.");
  EXPECT_EQ(chat.ask(kAnn, "topic Tea"), "Topic: Tea");
  chat.wait(2s);
  EXPECT_EQ(chat.views["S1"].info()->description->subject, "Tea");
  EXPECT_EQ(chat.ask(kAnn, "topic -"), "There is no topic.");
  chat.wait(2s);
  EXPECT_FALSE(chat.views["S1"].info()->description->subject);
}

// RFC 4575 §5.7.2
TEST(Controls, WhomAModeratorMutesNobodyHearsUntilHeMaySpeakAgain) {
  Chat chat;
  chat.client = disco("x", "urn:xmpp:coin:1");
  chat.join(kAnn, kRoom, {.sid = "A"});
  const auto leg = chat.join(kBob);
  const Step muted = chat.say(kAnn, "mute BOB");
  EXPECT_EQ(Chat::heard(muted, kAnn), "Muted.");
  EXPECT_NE(Chat::heard(muted, kBob), "") << "he is told";
  const auto planned = [&](media::LegId of) {
    for (const auto& [room, plan] : chat.engine.plans()) {
      for (const auto& each : plan.legs) {
        if (each.leg == of) return each;
      }
    }
    return media::LegPlan{};
  };
  EXPECT_FALSE(planned(leg).in_mix);
  EXPECT_TRUE(planned(leg).receives);
  chat.wait(2s);
  EXPECT_EQ(chat.status("bob@localhost"), "muted-via-focus");
  EXPECT_EQ(chat.ask(kAnn, "mute bob"), "Muted already.");

  // Not by calling again, either.
  chat.iq(kBob, kRoom, terminate("S1"));
  const auto again = chat.join(kBob, kRoom, {.sid = "S1"});
  EXPECT_FALSE(planned(again).in_mix);

  EXPECT_EQ(chat.ask(kAnn, "unmute bob"), "Not muted any more.");
  EXPECT_TRUE(planned(again).in_mix);
  EXPECT_EQ(chat.ask(kAnn, "unmute bob"), "Not muted.");
  EXPECT_EQ(chat.ask(kAnn, "mute dora"), "Nobody here has that name: dora");
}

// RFC 4575 §5.7.5
TEST(Controls, WhomAModeratorKicksIsBootedAndMayCallAgain) {
  Chat chat;
  chat.client = disco("x", "urn:xmpp:coin:1");
  chat.join(kAnn, kRoom, {.sid = "S1"});
  chat.join(kBob, kRoom, {.sid = "B"});
  const Step kicked = chat.say(kAnn, "kick bob@localhost");
  EXPECT_EQ(kicked.terminated().condition, "gone");
  EXPECT_NE(kicked.terminated().text, "");
  chat.wait(1s);
  const coin::User* bob = chat.listed("S1", "xmpp:bob@localhost");
  ASSERT_TRUE(bob && !bob->endpoints.empty());
  EXPECT_EQ(bob->endpoints[0].disconnection_method, coin::DisconnectionMethod::booted);
  EXPECT_NE(chat.join(kBob, kRoom, {.sid = "B2"}), media::LegId{});
}

TEST(Controls, AModeratorInvitesFromOutside) {
  Chat chat;
  EXPECT_EQ(chat.ask(kAnn, "invite bob@localhost/phone"), "bob@localhost/phone is called.");
  EXPECT_EQ(chat.focus.rooms(), 1u);
  EXPECT_NE(chat.ask(kAnn, "invite bob@elsewhere.example"), "");
  EXPECT_EQ(chat.ask(kBob, "invite cat@localhost"), "Only moderators may say that.");
}

TEST(Controls, AModeratorPlaysAndParticipantsAskWhatItIs) {
  mixer::Config config = moderated();
  config.play.media_dir = "/music";
  config.play.loudness_lufs = -30;
  Chat chat(config);
  EXPECT_EQ(chat.ask(kAnn, "play tea.ogg"), "Nobody is in the call.");
  chat.join(kBob);
  EXPECT_EQ(chat.ask(kBob, "play tea.ogg"), "Only moderators may say that.");
  const auto played = chat.say(kAnn, "play tea.ogg").all<mixer::Play>();
  ASSERT_EQ(played.size(), 1u);
  EXPECT_EQ(std::get<media::PlayFile>(played[0].spec.what).name, "tea.ogg");
  EXPECT_EQ(played[0].spec.loudness_lufs, -30);
  EXPECT_EQ(chat.ask(kBob, "playing"), "A piece without a title is about to begin.");
  EXPECT_EQ(chat.ask(kAnn, "playing"), "tea.ogg is about to begin.");
  chat.media(media::PlayStarted{.play = played[0].spec.play,
                                .tags = {.title = "Tea", .artist = "Ann", .album = "Cups"},
                                .duration = 65s,
                                .seekable = true});
  EXPECT_EQ(chat.ask(kBob, "playing"), "Tea by Ann, from Cups (1:05).");
  chat.say(kAnn, "play cake.ogg as \"Cake\"");
  chat.say(kAnn, "play jam.ogg");
  EXPECT_EQ(chat.ask(kBob, "playing"),
            "Tea by Ann, from Cups (1:05). Next: Cake; A piece without a title.");
  EXPECT_EQ(chat.say(kAnn, "seek 1:02").all<mixer::SeekPlay>().at(0).to, 62s);
  EXPECT_EQ(chat.say(kAnn, "stop").all<mixer::StopPlay>().size(), 1u);
  EXPECT_EQ(chat.ask(kAnn, "play gopher://x"), "That is neither a file's name nor an https URL.");
}

// It was "Done." where nobody would ever see it.
TEST(Controls, WhoSaysWhatIsWatchedIsToldWhetherThatIsShown) {
  mixer::Config config = moderated();
  config.play.media_dir = "/music";
  Chat silent(config);
  silent.join(kBob);
  EXPECT_EQ(silent.ask(kAnn, "viewing episode 807"), "What is watched is not published here.");
  config.presence.publish = {jingle::pep::Node::viewing};
  Chat chat(config);
  chat.join(kBob);
  EXPECT_EQ(chat.ask(kAnn, "viewing episode 807"), "Nothing is playing.");
  media::PlayStarted started{
      .play = chat.say(kAnn, "play tea.ogg").all<mixer::Play>().at(0).spec.play,
      .tags = {.title = "Tea"}};
  EXPECT_EQ(chat.ask(kAnn, "viewing episode 807"), "Done.") << "it may be a film";
  chat.media(started);
  EXPECT_EQ(chat.ask(kAnn, "viewing episode 807"),
            "Done, but that is told of videos and broadcasts only.");
  started.has_video = true;
  chat.media(started);
  EXPECT_EQ(chat.ask(kAnn, "viewing episode 807"), "Done.");
}

// It showed what is answered with a refusal.
TEST(Controls, HelpShowsWhatIsSwitchedOn) {
  Chat few;
  for (const char* off : {"status ", "viewing ", "share ", "unshare ", "record "}) {
    EXPECT_THAT(few.ask(kAnn, "help"), testing::Not(testing::HasSubstr(std::string("\n") + off)));
  }
  Chat all(everything());
  for (const char* on : {"status ", "viewing ", "share ", "unshare ", "record "}) {
    EXPECT_THAT(all.ask(kAnn, "help"), testing::HasSubstr(std::string("\n") + on));
  }
}

// What is refused to somebody is not in his help, and what he may say some form of is.
TEST(Controls, AreForThoseWhoMay) {
  enum Who { outsider, participant, moderator };
  const std::string jids[] = {"cat@localhost/x", kBob, kAnn};
  const std::pair<const char*, Who> forms[] = {{"help", outsider},
                                               {"who", participant},
                                               {"topic", participant},
                                               {"topic Tea", moderator},
                                               {"status", participant},
                                               {"status Tea", moderator},
                                               {"share mood", participant},
                                               {"unshare", participant},
                                               {"invite dora@localhost", moderator},
                                               {"mute dora", moderator},
                                               {"unmute dora", moderator},
                                               {"kick dora", moderator},
                                               {"playing", participant},
                                               {"play a", moderator},
                                               {"announce a", moderator},
                                               {"viewing episode 1", moderator},
                                               {"pause", moderator},
                                               {"resume", moderator},
                                               {"seek 1", moderator},
                                               {"skip", moderator},
                                               {"stop", moderator},
                                               {"record", moderator},
                                               {"record speakers", moderator},
                                               {"record stop", moderator}};
  for (const Who who : {outsider, participant, moderator}) {
    Chat chat(everything());
    chat.join(kAnn, kRoom, {.sid = "A"});
    chat.join(kBob);
    const std::string help = '\n' + chat.ask(jids[who], "help");
    std::set<std::string> allowed, all;
    for (const auto& [form, least] : forms) {
      SCOPED_TRACE(jids[who] + ": " + form);
      const std::string name = std::string(form).substr(0, std::string_view(form).find(' '));
      all.insert(name);
      if (who >= least) allowed.insert(name);
      const std::string answer = chat.ask(jids[who], form);
      const bool refused =
          answer == "Only moderators may say that." || answer == "Call this address first.";
      EXPECT_EQ(refused, who < least) << answer;
      chat.wait(10s);
    }
    for (const std::string& name : all) {
      const bool shown =
          help.find('\n' + name + ' ') != help.npos || help.find('\n' + name + ':') != help.npos;
      EXPECT_EQ(shown, allowed.contains(name)) << jids[who] << " " << name;
    }
    EXPECT_EQ(std::ranges::count(help, '\n'), static_cast<long>(allowed.size())) << help;
  }
}

TEST(Controls, OfAModeratorAreLogged) {
  Chat chat;
  chat.join(kBob);
  const auto logged = chat.say(kAnn, "mute bob").all<mixer::Log>();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0].text, "control: room=room by=ann@localhost/phone said=\"mute bob\"");
  EXPECT_TRUE(chat.say(kBob, "who").all<mixer::Log>().empty());
}

TEST(Controls, AnythingElseIsAnsweredByOneHintInTenMinutes) {
  Chat chat;
  EXPECT_NE(chat.ask(kBob, "hello there"), "");
  EXPECT_EQ(chat.ask(kBob, "is anybody there?"), "");
  EXPECT_NE(chat.ask(kAnn, "hello there"), "");
  chat.wait(10min);
  EXPECT_NE(chat.ask(kBob, "hello there"), "");
}

TEST(Controls, AreNotAnsweredToProgramsStrangersOrLate) {
  Chat chat;
  const auto silent = [&](const Step& step) { return step.all<SendMessage>().empty(); };
  EXPECT_TRUE(silent(chat.say(kBob, "help", "", "headline")));
  EXPECT_TRUE(silent(chat.say(kBob, "help", "", "error")));
  EXPECT_TRUE(silent(chat.say(kBob, "help", "", "groupchat")));
  EXPECT_TRUE(silent(
      chat.say(kBob, "help", "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>")));
  EXPECT_TRUE(silent(chat.say("eve@elsewhere.example/x", "help")));
  EXPECT_TRUE(silent(chat.say("room@mixer.localhost/x", "help"))) << "ourselves";
  EXPECT_FALSE(silent(chat.say(kBob, "help", "", "normal")));

  chat.client =
      "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' "
      "type='bot'/></query>";
  chat.join("robot@localhost/x", kRoom, {.sid = "R"});
  EXPECT_TRUE(silent(chat.say("robot@localhost/x", "help")));
}

TEST(Controls, FloodsAreNotAnswered) {
  Chat chat;
  int answers = 0;
  for (int i = 0; i < 1000; ++i) answers += chat.ask(kBob, "help").empty() ? 0 : 1;
  EXPECT_EQ(answers, mixer::limits::kControlsPerMinute);
  EXPECT_NE(chat.ask(kAnn, "help"), "");
}

TEST(Controls, ReachABotToo) {
  mixer::Config config = client_config();
  config.room_defaults.moderators = {jid("ann@localhost")};
  Bench bench(config);
  bench.up(false, "bot@localhost/focus");
  const auto said = bench.message(kAnn, "bot@localhost", "<body>help</body>").all<SendMessage>();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].from, jid("bot@localhost/focus"));
  EXPECT_NE(said[0].payload.find("kick NAME"), std::string::npos);
}

}  // namespace
