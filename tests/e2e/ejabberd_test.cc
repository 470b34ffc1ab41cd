// A room on a real ejabberd, from its roster to the end of a call: the other suites have Prosody.
#include <gtest/gtest.h>

#include <array>

#include "tests/e2e/chat.h"
#include "tests/e2e/tagged_wav.h"
#include "tests/e2e/world.h"
#include "tests/support/ejabberd.h"

namespace e2e {
namespace {

constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kTune[] = "http://jabber.org/protocol/tune";
constexpr char kMood[] = "http://jabber.org/protocol/mood";

TEST(OnEjabberd, ARoomIsAContactThatIsCalledAndShowsWhatItDoes) {
  REQUIRE_EJABBERD();
  if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
  support::EjabberdSpec spec;
  for (const char* user : {"ann", "bob"}) {
    spec.accounts.push_back({std::string(user) + "@localhost", kPassword});
  }
  const support::Ejabberd ejabberd(spec);
  support::TempDir folder;
  write_tagged_wav((folder / "nocturne.wav").string(), {"Nocturne", "Field", "Evenings"}, 300, 440);
  const std::string here = folder.path().string();
  const std::string more =
      "moderators = [\"ann@localhost\"]\n[play]\nmedia-dir = \"" + here +
      "\"\n[presence]\npublish = [\"tune\", \"mood\"]\nmood = \"happy\"\nrelay = [\"mood\"]\n"
      "[state]\ndirectory = \"" +
      here + "/state\"\n";
  Contact contact(ejabberd, "ann");
  std::size_t before = 0;
  {
    Mixer mixer(ejabberd, {.more = more});
    contact.befriend(kRoom);
    EXPECT_TRUE(contact.is_told(kRoom, kMood, "happy")) << contact.output() << mixer.log();

    Call ann(ejabberd,
             {.user = "ann", .to = kRoom, .play = tone_file(folder, 620), .record = true});
    Call bob(ejabberd,
             {.user = "bob", .to = kRoom, .play = tone_file(folder, 1000), .record = true});
    ASSERT_TRUE(ann.wait_for("connected")) << ann.output() << mixer.log();
    ASSERT_TRUE(bob.wait_for("connected")) << bob.output() << mixer.log();
    EXPECT_TRUE(wait_until_heard(ann.recording(), std::array{1000.0}, 1)) << ann.output();
    EXPECT_TRUE(wait_until_heard(bob.recording(), std::array{620.0}, 1)) << bob.output();
    EXPECT_TRUE(bob.wait_until([](const Call& call) { return call.roster().size() == 2; }));

    Chat chat(contact, kRoom);
    chat.say("share mood");
    chat.hears("The call sees of you: mood. To end that say: unshare");
    const auto has_mood = [](const std::string& word) {
      return [=](const Call& call) {
        const auto documents = call.documents();
        return !documents.empty() &&
               (documents.back().find("<mood") != std::string::npos) == !word.empty() &&
               documents.back().find(word) != std::string::npos;
      };
    };
    contact.say("mood calm");
    EXPECT_TRUE(bob.wait_until(has_mood("<calm/>"))) << bob.output() << mixer.log();
    contact.say("mood -");
    EXPECT_TRUE(bob.wait_until(has_mood(""))) << bob.output() << mixer.log();

    chat.say("play nocturne.wav");
    EXPECT_TRUE(contact.is_told(kRoom, kTune, "Nocturne")) << contact.output() << mixer.log();
    EXPECT_EQ(ann.finish(), 0) << ann.output();
    EXPECT_EQ(bob.finish(), 0) << bob.output();
    EXPECT_TRUE(contact.is_told(kRoom, kTune, "empty")) << contact.output() << mixer.log();
    mixer.crash();
    before = contact.told_of(kRoom, kMood).size();
  }
  {
    Mixer mixer(ejabberd, {.more = more});
    EXPECT_TRUE(
        support::eventually([&] { return contact.told_of(kRoom, kMood).size() > before; }, kWait))
        << "the new process knows him again" << contact.output() << mixer.log();
  }
  EXPECT_TRUE(contact.is_told(kRoom, kMood, "empty")) << contact.output();
}

}  // namespace
}  // namespace e2e
