// Extended presence (XEP-0119) through a real server: what participants show to each other.
#include <gtest/gtest.h>

#include "tests/e2e/contact.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"

namespace e2e {
namespace {

constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kFocus[] = "room@mixer.localhost/focus";

class ExtendedPresence : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
  }
  static void become_contacts(Contact& contact, const std::string& who) {
    contact.say("subscribe " + who);
    ASSERT_TRUE(contact.sees("subscribed", who)) << contact.output();
    contact.say("allow " + who);
  }
};

TEST_F(ExtendedPresence, AMoodThatIsSharedShowsInTheConferenceAndGoesAgain) {
  const support::Prosody prosody(prosody_spec());
  Contact contact(prosody, "ann");
  Mixer mixer(prosody, {.more = "[presence]\nrelay = [\"mood\"]"});
  become_contacts(contact, kRoom);
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
  contact.say(std::string("say ") + kRoom + " share mood");
  EXPECT_TRUE(contact.answered("chat", "The call sees of you: mood")) << contact.output();
  EXPECT_TRUE(bob.wait_until([&](const Call& call) { return last_has_mood(call, "happy"); }))
      << bob.output() << mixer.log();
  contact.say("mood calm");
  EXPECT_TRUE(bob.wait_until([&](const Call& call) { return last_has_mood(call, "calm"); }))
      << bob.output() << mixer.log();
  contact.say("mood -");
  EXPECT_TRUE(bob.wait_until([&](const Call& call) {
    return !call.documents().empty() && call.documents().back().find("<mood") == std::string::npos;
  })) << bob.output();
  EXPECT_EQ(mixer.logged("calm"), 0) << mixer.log();
}

}  // namespace
}  // namespace e2e
