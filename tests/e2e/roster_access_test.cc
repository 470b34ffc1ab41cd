// What a bot shows only to groups of its roster (XEP-0060 §4.5, access model "roster"), on a server
// that knows them: Prosody's mod_pep does not.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/e2e/contact.h"
#include "tests/e2e/tagged_wav.h"
#include "tests/e2e/world.h"
#include "tests/support/ejabberd.h"

namespace e2e {
namespace {

constexpr char kBot[] = "bot@localhost";
constexpr char kTune[] = "http://jabber.org/protocol/tune";
constexpr char kMood[] = "http://jabber.org/protocol/mood";
constexpr char kFriends[] = "access = \"roster\"\nroster-groups = [\"friends\"]\n";

class RosterAccess : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_EJABBERD();
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
    support::EjabberdSpec spec{.tls = true};  // a bot wants it
    for (const char* user : {"ann", "bob", "cyd", "dan", "bot"}) {
      spec.accounts.push_back({std::string(user) + "@localhost", kPassword});
    }
    ejabberd = std::make_unique<support::Ejabberd>(spec);
    owner = std::make_unique<Contact>(*ejabberd, "bot");
    owner->say("group ann@localhost friends");
    ASSERT_TRUE(owner->answered("group", "friends")) << owner->output();
  }
  Mixer::Spec showing(const std::string& access) const {
    const std::string here = folder.path().string();
    return {.client_mode = true,
            .more = "moderators = [\"ann@localhost\"]\n[play]\nmedia-dir = \"" + here +
                    "\"\n[presence]\npublish = [\"tune\", \"mood\"]\nmood = \"happy\"\n" + access +
                    "[state]\ndirectory = \"" + here + "/state\"\n"};
  }

  support::TempDir folder;
  std::unique_ptr<support::Ejabberd> ejabberd;
  std::unique_ptr<Contact> owner;
};

TEST_F(RosterAccess, ATuneIsShownToTheGroupsThatTheConfigurationNames) {
  write_tagged_wav((folder / "nocturne.wav").string(), {"Nocturne", "Field", "Evenings"}, 300, 440);
  Contact ann(*ejabberd, "ann"), bob(*ejabberd, "bob"), cyd(*ejabberd, "cyd");
  Mixer mixer(*ejabberd, showing(kFriends));
  ann.befriend(kBot);
  bob.befriend(kBot);
  Call dan(*ejabberd, {.user = "dan", .to = mixer.jid()});
  ASSERT_TRUE(dan.wait_for("connected")) << dan.output() << mixer.log();
  ann.say(std::string("say ") + kBot + " play nocturne.wav");
  EXPECT_TRUE(ann.is_told(kBot, kTune, "Nocturne")) << ann.output() << mixer.log();

  const std::string tune = std::string(kBot) + ' ' + kTune;
  ann.say("read " + tune);
  EXPECT_TRUE(ann.answered("read", "Nocturne")) << ann.output();
  bob.say("read " + tune);
  EXPECT_TRUE(bob.answered("read", "not-in-roster-group")) << bob.output();
  cyd.say("read " + tune);
  EXPECT_TRUE(cyd.answered("read", "not-authorized")) << cyd.output();
  for (const Contact* other : {&bob, &cyd}) {
    EXPECT_TRUE(other->told_of_anything().empty()) << other->output();
    EXPECT_EQ(other->output().find("Nocturne"), std::string::npos) << other->output();
  }
  owner->say("configuration " + tune);
  EXPECT_TRUE(owner->answered("configuration", R"(["roster",["friends"]])")) << owner->output();
  EXPECT_EQ(mixer.logged("presence=refused"), 0) << mixer.log();
}

TEST_F(RosterAccess, WhoLosesSightOfANodeSeesThatWhatACrashHasLeftThereIsOver) {
  Contact ann(*ejabberd, "ann"), bob(*ejabberd, "bob");
  {
    Mixer mixer(*ejabberd, showing(""));
    ann.befriend(kBot);
    bob.befriend(kBot);
    for (const Contact* contact : {&ann, &bob}) {
      EXPECT_TRUE(contact->is_told(kBot, kMood, "happy")) << contact->output() << mixer.log();
    }
    mixer.crash();
  }
  Mixer mixer(*ejabberd, showing(kFriends));
  EXPECT_TRUE(bob.is_told(kBot, kMood, "empty")) << bob.output() << mixer.log();
  const auto took_it_back = [](const call::Json& event) { return event["empty"].boolean(); };
  EXPECT_TRUE(support::eventually(
      [&] { return std::ranges::any_of(ann.told_of(kBot, kMood), took_it_back); }, kWait));
  EXPECT_TRUE(ann.is_told(kBot, kMood, "happy")) << ann.output() << mixer.log();
  bob.say(std::string("read ") + kBot + ' ' + kMood);
  EXPECT_TRUE(bob.answered("read", "not-in-roster-group")) << bob.output();
  EXPECT_EQ(bob.told(kBot, kMood), "empty") << bob.output();
}

}  // namespace
}  // namespace e2e
