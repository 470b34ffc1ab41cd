// Extended presence (XEP-0119) through a real server: what a bot and a component's room show to
// their contacts, whatever becomes of them, and what participants show to each other.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <regex>
#include <utility>

#include "tests/e2e/chat.h"
#include "tests/e2e/tagged_wav.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tests/support/readme.h"

namespace e2e {
namespace {

constexpr char kBot[] = "bot@localhost";
constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kFocus[] = "room@mixer.localhost/focus";
constexpr char kTune[] = "http://jabber.org/protocol/tune";
constexpr char kStatus[] = "http://jabber.org/protocol/status";
constexpr char kActivity[] = "http://jabber.org/protocol/activity";
constexpr char kMood[] = "http://jabber.org/protocol/mood";
constexpr char kAvatar[] = "urn:xmpp:avatar:metadata";

class ExtendedPresence : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
    for (std::uint32_t i = 0; i < kPieces; ++i) {
      std::random_device random;
      const auto word = [&] { return std::to_string(random()); };
      pieces.push_back({{"Title " + word(), "Artist " + word(), "Album " + word()},
                        150 + random() % 150,
                        400 + 200 * i});
      write_tagged_wav((folder / (std::to_string(i) + ".wav")).string(), pieces.back(),
                       pieces.back().seconds, pieces.back().tone_hz);
    }
  }
  std::string config() const {
    const std::string here = folder.path().string();
    return "moderators = [\"ann@localhost\"]\n[play]\nmedia-dir = \"" + here +
           "\"\n[presence]\npublish = [\"tune\", \"status\", \"activity\", \"mood\", \"avatar\"]\n"
           "mood = \"happy\"\n[state]\ndirectory = \"" +
           here + "/state\"\n";
  }
  // It has come, and has nothing of all that in it (XEP-0118 §2).
  static void expect_plain_presence(const Contact& contact, const std::string& from) {
    const auto presences = contact.presences("available", from);
    EXPECT_FALSE(presences.empty()) << contact.output();
    for (const call::Json& presence : presences) {
      const std::string xml = presence["xml"].string();
      EXPECT_TRUE(xml.starts_with("<presence")) << xml;
      for (std::size_t i = 0; i < jingle::pep::kNodes; ++i) {
        const auto node = jingle::pep::id_of(static_cast<jingle::pep::Node>(i));
        EXPECT_EQ(xml.find(node), std::string::npos) << xml;
      }
    }
  }
  // Ann has all played, and skips to the last when each has come to be heard: that is all that is
  // told of them (XEP-0118 §3). Where this machine lets so much time pass between two that the
  // first is what is listened to, it is told of too.
  void skip_through(Contact& ann, const std::string& who, const Call& listener,
                    const Mixer& mixer) const {
    using Clock = std::chrono::steady_clock;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      ann.say("say " + who + " play " + std::to_string(i) + ".wav");
    }
    std::size_t at_most = 1;
    for (auto before = Clock::now(); const Piece& piece : pieces) {
      ASSERT_TRUE(support::eventually(
          [&] { return last_dbfs(listener.recording(), piece.tone_hz, 0.2) > -40; }, kWait))
          << piece.tone_hz << " Hz\n"
          << ann.output() << mixer.log();
      const auto since = Clock::now() - std::exchange(before, Clock::now());
      if (&piece != &pieces.front() && since > std::chrono::seconds(3)) ++at_most;
      if (&piece != &pieces.back()) ann.say("say " + who + " skip");
    }
    EXPECT_TRUE(ann.is_told(who, kTune, pieces.back().title)) << ann.output() << mixer.log();
    EXPECT_LE(ann.told_of(who, kTune).size(), at_most) << ann.output();
    ASSERT_TRUE(ann.answered("tune", pieces.back().title)) << ann.output();
    const auto tunes =
        ann.events([](const call::Json& event) { return event["event"].string() == "tune"; });
    const call::Json& tune = tunes.back();
    EXPECT_EQ(tune["title"].string(), pieces.back().title);
    EXPECT_EQ(tune["artist"].string(), pieces.back().artist);
    EXPECT_EQ(tune["source"].string(), pieces.back().album);
    EXPECT_EQ(tune["length"].string(), std::to_string(pieces.back().seconds));
  }

  static constexpr std::uint32_t kPieces = 5;
  support::TempDir folder;
  struct Piece : Tags {
    std::uint32_t seconds, tone_hz;
  };
  std::vector<Piece> pieces;
};

TEST_F(ExtendedPresence, AContactSeesWhatTheBotIsDoingAndThatItIsOver) {
  support::ProsodySpec with_tls = prosody_spec();
  with_tls.tls = true;  // a bot wants it
  const support::Prosody prosody(with_tls);
  Contact ann(prosody, "ann");
  {
    Mixer mixer(prosody, {.client_mode = true, .more = config()});
    ann.befriend(kBot);
    EXPECT_TRUE(ann.is_told(kBot, kMood, "happy")) << ann.output() << mixer.log();
    Call bob(prosody, {.user = "bob", .to = mixer.jid(), .record = true});
    EXPECT_TRUE(bob.wait_for("connected")) << bob.output();
    EXPECT_TRUE(ann.is_told(kBot, kStatus, "1 on the call: bot")) << ann.output();
    EXPECT_TRUE(ann.is_told(kBot, kActivity, "on_the_phone")) << ann.output();
    skip_through(ann, kBot, bob, mixer);
    ann.say(std::string("say ") + kBot + " stop");
    EXPECT_TRUE(ann.is_told(kBot, kTune, "empty")) << ann.output();
    ann.say(std::string("say ") + kBot + " play 0.wav");
    EXPECT_TRUE(ann.is_told(kBot, kTune, pieces[0].title)) << ann.output();
    mixer.crash();
  }
  std::filesystem::remove_all(folder.path() / "state");  // its server knows what it has left
  {
    Mixer mixer(prosody, {.client_mode = true, .more = config()});
    for (const char* node : {kTune, kStatus, kActivity}) {
      EXPECT_TRUE(ann.is_told(kBot, node, "empty")) << node << ann.output() << mixer.log();
    }
    EXPECT_NE(ann.told(kBot, kMood), "empty") << "that goes on";
  }
  EXPECT_TRUE(ann.is_told(kBot, kMood, "empty")) << ann.output();
  expect_plain_presence(ann, std::string(kBot) + "/focus");
}

TEST_F(ExtendedPresence, ABotThatPublishesNothingAnyMoreTakesBackWhatACrashHasLeft) {
  support::ProsodySpec with_tls = prosody_spec();
  with_tls.tls = true;
  const support::Prosody prosody(with_tls);
  Contact ann(prosody, "ann");
  {
    Mixer mixer(prosody, {.client_mode = true, .more = config()});
    ann.befriend(kBot);
    EXPECT_TRUE(ann.is_told(kBot, kMood, "happy")) << ann.output() << mixer.log();
    mixer.crash();
  }
  const std::string state = (folder.path() / "state").string();
  Mixer mixer(prosody, {.client_mode = true, .more = "[state]\ndirectory = \"" + state + "\"\n"});
  EXPECT_TRUE(ann.is_told(kBot, kMood, "empty")) << ann.output() << mixer.log();
}

// XEP-0060 §7.1.5: another client of the account has made the node, and somebody who is no contact
// follows it.
TEST_F(ExtendedPresence, ANodeThatWasOpenShowsNothingToStrangers) {
  support::ProsodySpec with_tls = prosody_spec();
  with_tls.tls = true;
  const support::Prosody prosody(with_tls);
  Contact ann(prosody, "ann"), cyd(prosody, "cyd");
  Contact(prosody, "bot").expose("exposed");
  const std::string tune = std::string(kBot) + ' ' + kTune;
  cyd.say("read " + tune);
  EXPECT_TRUE(cyd.answered("read", "exposed")) << "it is open: " << cyd.output();
  cyd.say("follow " + tune);
  EXPECT_TRUE(cyd.answered("follow", kTune)) << cyd.output();
  Mixer mixer(prosody, {.client_mode = true, .more = config()});
  ann.befriend(kBot);
  Call bob(prosody, {.user = "bob", .to = mixer.jid(), .record = true});
  EXPECT_TRUE(bob.wait_for("connected")) << bob.output();
  ann.say(std::string("say ") + kBot + " play 0.wav");
  EXPECT_TRUE(ann.is_told(kBot, kTune, pieces[0].title)) << ann.output() << mixer.log();
  cyd.say("read " + tune);
  EXPECT_TRUE(cyd.answered("read", "\"error\"")) << cyd.output();
  EXPECT_EQ(cyd.output().find(pieces[0].title), std::string::npos) << cyd.output();
}

TEST_F(ExtendedPresence, AContactSeesTheSameOfAComponentsRoom) {
  const support::Prosody prosody(prosody_spec());
  Contact ann(prosody, "ann");
  {
    Mixer mixer(prosody, {.more = config()});
    ann.say(std::string("read ") + kRoom + " " + kMood);
    EXPECT_TRUE(ann.answered("read", "presence-subscription-required")) << ann.output();
    ann.befriend(kRoom);
    EXPECT_TRUE(ann.is_told(kRoom, kMood, "happy")) << ann.output() << mixer.log();
    EXPECT_TRUE(ann.is_told(kRoom, kAvatar, "image/png")) << ann.output();
    const auto pictures = ann.told_of(kRoom, kAvatar);
    ASSERT_FALSE(pictures.empty());
    const std::string picture = pictures.back()["id"].string();
    ann.say(std::string("avatar ") + kRoom + " " + picture);
    EXPECT_TRUE(ann.answered("avatar", picture)) << ann.output();
    ann.say(std::string("items ") + kRoom);
    EXPECT_TRUE(ann.answered("items", kTune)) << ann.output();
    Call bob(prosody, {.user = "bob", .to = kRoom, .record = true});
    EXPECT_TRUE(bob.wait_for("connected")) << bob.output();
    EXPECT_TRUE(ann.is_told(kRoom, kStatus, "1 on the call: room")) << ann.output();
    EXPECT_TRUE(ann.is_told(kRoom, kActivity, "on_the_phone")) << ann.output();
    skip_through(ann, kRoom, bob, mixer);
    ann.say(std::string("read ") + kRoom + " " + kTune);
    EXPECT_TRUE(ann.answered("read", pieces.back().title)) << ann.output();
    ann.say(std::string("follow ") + kRoom + " " + kTune);
    EXPECT_TRUE(ann.answered("follow", kTune)) << ann.output();
    ann.say(std::string("say ") + kRoom + " stop");
    EXPECT_TRUE(ann.is_told(kRoom, kTune, "empty")) << ann.output();
    ann.say(std::string("say ") + kRoom + " play 0.wav");
    EXPECT_TRUE(ann.is_told(kRoom, kTune, pieces[0].title)) << ann.output();
    mixer.crash();
  }
  {
    Mixer mixer(prosody, {.more = config()});
    for (const char* node : {kTune, kStatus, kActivity}) {
      EXPECT_TRUE(ann.is_told(kRoom, node, "empty")) << node << ann.output() << mixer.log();
    }
    EXPECT_NE(ann.told(kRoom, kMood), "empty") << "that goes on";
    ann.say(std::string("unfollow ") + kRoom + " " + kTune);
    EXPECT_TRUE(ann.answered("unfollow", kTune)) << "kept through the crash" << ann.output();
  }
  EXPECT_TRUE(ann.is_told(kRoom, kMood, "empty")) << ann.output();
  expect_plain_presence(ann, kFocus);
}

TEST_F(ExtendedPresence, AMoodThatIsSharedShowsInTheConferenceAndGoesAgain) {
  const support::Prosody prosody(prosody_spec());
  Contact contact(prosody, "ann");
  Mixer mixer(prosody, {.more = "[presence]\nrelay = [\"mood\"]"});
  contact.befriend(kRoom);
  ASSERT_TRUE(contact.sees("available", kFocus)) << contact.output();
  contact.say("mood happy");
  Call ann(prosody, {.user = "ann", .to = kRoom});
  Call bob(prosody, {.user = "bob", .to = kRoom});
  ASSERT_TRUE(ann.wait_for("connected")) << ann.output();
  ASSERT_TRUE(bob.wait_for("connected")) << bob.output();
  const auto last_has_mood = [](const Call& call, const std::string& word) {
    const auto documents = call.documents();
    return !documents.empty() && documents.back().find("<" + word + "/>") != std::string::npos;
  };
  ASSERT_TRUE(bob.wait_until([](const Call& call) { return call.roster().size() == 2; }));
  EXPECT_FALSE(last_has_mood(bob, "happy")) << "she has not said so";
  Chat chat(contact, kRoom);
  chat.say("share mood");
  chat.hears("The call sees of you: mood. To end that say: unshare");
  EXPECT_TRUE(bob.wait_until([&](const Call& call) { return last_has_mood(call, "happy"); }))
      << bob.output() << mixer.log();
  EXPECT_TRUE(support::readme_shows(chat.transcript()));
  const std::string document = bob.documents().back();
  std::smatch user;
  ASSERT_TRUE(
      std::regex_search(document, user, std::regex("<user [^>]*\"xmpp:ann@localhost\".*?</user>")))
      << document;
  EXPECT_TRUE(support::readme_shows(std::regex_replace(support::in_order(user.str(), "user"),
                                                       std::regex("<endpoint.*</endpoint>"),
                                                       "\n  <endpoint …>…</endpoint>\n  ")));
  contact.say("mood calm");
  EXPECT_TRUE(bob.wait_until([&](const Call& call) { return last_has_mood(call, "calm"); }))
      << bob.output() << mixer.log();
  contact.say("mood -");
  EXPECT_TRUE(bob.wait_until([&](const Call& call) {
    return !call.documents().empty() && call.documents().back().find("<mood") == std::string::npos;
  })) << bob.output();
  EXPECT_EQ(mixer.logged("calm"), 0) << mixer.log();
}

// XEP-0172, published by slixmpp's own plug-in before the call and in it.
TEST_F(ExtendedPresence, ANickIsWhatAParticipantIsCalledOnceSheSharesIt) {
  const support::Prosody prosody(prosody_spec());
  Contact contact(prosody, "ann");
  Mixer mixer(prosody, {.more = "[presence]\nrelay = [\"nick\"]"});
  contact.befriend(kRoom);
  ASSERT_TRUE(contact.sees("available", kFocus)) << contact.output();
  contact.say("nick Annie");
  Call bob(prosody, {.user = "bob", .to = kRoom});
  Call ann(prosody, {.user = "ann", .to = kRoom});
  ASSERT_TRUE(ann.wait_for("connected")) << ann.output();
  const auto called = [&](const std::string& name) {
    return bob.wait_until(
        [&](const Call& call) { return std::ranges::count(call.roster(), name) == 1; });
  };
  EXPECT_TRUE(called("ann")) << bob.output();
  Chat chat(contact, kRoom);
  const auto share = [&chat] {
    chat.say("share nick");
    chat.hears("The call sees of you: nick. To end that say: unshare");
  };
  share();
  EXPECT_TRUE(called("Annie")) << bob.output() << mixer.log();
  contact.say("nick Anna");
  EXPECT_TRUE(called("Anna")) << bob.output() << mixer.log();
  EXPECT_EQ(ann.finish(), 0) << ann.output();
  Call again(prosody, {.user = "ann", .to = kRoom});
  ASSERT_TRUE(again.wait_for("connected")) << again.output();
  EXPECT_TRUE(called("ann")) << bob.output() << mixer.log();
  share();
  EXPECT_TRUE(called("Anna")) << bob.output() << mixer.log();
  contact.say("nick -");
  EXPECT_TRUE(called("ann")) << bob.output() << mixer.log();
}

TEST_F(ExtendedPresence, WhereAPieceIsIsToldToNobodyWhoMayNotPlayIt) {
  support::ProsodySpec with_tls = prosody_spec();
  with_tls.tls = true;
  const support::Prosody prosody(with_tls);
  std::filesystem::create_directory(folder / "private");
  write_tagged_wav(folder / "private/board.wav", {}, 300, 620);
  Contact ann(prosody, "ann");
  Contact cyd(prosody, "cyd");
  Mixer mixer(prosody, {.client_mode = true, .more = config()});
  cyd.befriend(kBot);
  Call bob(prosody, {.user = "bob", .to = mixer.jid()});
  ASSERT_TRUE(bob.wait_for("connected")) << bob.output();
  ann.say(std::string("say ") + kBot + " play private/board.wav");
  EXPECT_TRUE(cyd.is_told(kBot, kTune, "<length>300</length>")) << cyd.output() << mixer.log();
  EXPECT_TRUE(bob.wait_until([](const Call& call) {
    const auto names = call.roster();
    return std::ranges::any_of(names, [](const auto& name) { return name.starts_with("Playing"); });
  })) << bob.output();
  ann.say(std::string("say ") + kBot + " playing");
  EXPECT_TRUE(ann.answered("chat", "private/board.wav")) << "she may" << ann.output();
  for (const std::string& told : {cyd.output(), bob.output()}) {
    EXPECT_EQ(told.find("private"), std::string::npos) << told;
    EXPECT_EQ(told.find("board"), std::string::npos) << told;
  }
}

// Each kind of it that a server passes on, 100 a second.
TEST_F(ExtendedPresence, AFloodOfWhatOneContactPublishesIsLoggedOnceAndHarmsNobodyElse) {
  const support::Prosody prosody(prosody_spec());
  Contact eve(prosody, "ann"), contact(prosody, "bob");
  Mixer mixer(prosody, {.more = "[presence]\nrelay = [\"mood\", \"tune\", \"activity\", "
                                "\"avatar\"]"});
  for (Contact* each : {&eve, &contact}) {
    each->befriend(kRoom);
    ASSERT_TRUE(each->sees("available", kFocus)) << each->output();
  }
  Call flooding(prosody, {.user = "ann", .to = kRoom});
  Call bob(prosody, {.user = "bob", .to = kRoom});
  ASSERT_TRUE(flooding.wait_for("connected")) << flooding.output();
  ASSERT_TRUE(bob.wait_for("connected")) << bob.output();
  Chat of_eve(eve, kRoom), of_bob(contact, kRoom);
  of_eve.say("share tune activity avatar");
  of_eve.hears("The call sees of you: tune, activity, avatar. To end that say: unshare");
  of_bob.say("share mood");
  of_bob.hears("The call sees of you: mood. To end that say: unshare");
  const auto tune = [](const std::string& inside) {
    return std::string(kTune) + " <tune xmlns='" + kTune + "'>" + inside + "</tune>";
  };
  const std::vector<std::string> floods = {
      tune("<title>Sunrise</title>"),
      std::string(kTune) + " <mood xmlns='" + kMood + "'><happy/></mood>",
      tune("<title>" + std::string(8192, 'x') + "</title>"),
      tune("<length>70000</length>"),
      tune("<length>-1</length>"),
      tune("<rating>11</rating>"),
      std::string(kActivity) + " <activity xmlns='" + kActivity +
          "'><eating/><talking/><working/></activity>",
      "urn:xmpp:avatar:data <data xmlns='urn:xmpp:avatar:data'>eA==</data>",
  };
  for (const std::string& flood : floods) eve.say("flood 100 " + flood);
  const auto flooded = [&](std::size_t times) {
    return support::eventually(
        [&] {
          return eve.events([](const call::Json& event) {
                      return event["event"].string() == "flooded";
                    })
                     .size() >= times;
        },
        kWait);
  };
  EXPECT_TRUE(flooded(1)) << eve.output();
  contact.say("mood happy");
  EXPECT_TRUE(flooding.wait_until([](const Call& call) {
    const auto documents = call.documents();
    return std::ranges::any_of(documents, [](const std::string& document) {
      return document.find("<happy/>") != std::string::npos;
    });
  })) << flooding.output();
  Call cyd(prosody, {.user = "cyd", .to = kRoom});
  EXPECT_TRUE(cyd.wait_for("connected")) << cyd.output();
  EXPECT_TRUE(bob.wait_until([](const Call& call) { return call.roster().size() == 3; }));
  EXPECT_TRUE(flooded(floods.size())) << eve.output();
  // What was published at last comes last.
  eve.say("flood 1 " + tune("<title>Sunset</title>"));
  EXPECT_TRUE(bob.wait_until([](const Call& call) {
    return call.documents().back().find("<title>Sunset</title>") != std::string::npos;
  })) << bob.output();
  EXPECT_EQ(mixer.logged("presence=malformed"), 1) << mixer.log();
  EXPECT_EQ(cyd.finish(), 0) << cyd.output();
  EXPECT_EQ(bob.finish(), 0) << bob.output();
}

}  // namespace
}  // namespace e2e
