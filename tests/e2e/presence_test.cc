// What contacts of a room see of it through a real server, whatever becomes of the mixer
// (RFC 6121 §3, §4).
#include <gtest/gtest.h>

#include "mixer/state_store.h"
#include "tests/e2e/contact.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"

namespace e2e {
namespace {

constexpr char kRoom[] = "room@mixer.localhost";
constexpr char kFocus[] = "room@mixer.localhost/focus";

class Presence : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
  }
  Mixer::Spec with_state(const std::string& more = "") const {
    return {.more = "[state]\ndirectory = \"" + directory + "\"\n" + more};
  }
  // As the mixer left it.
  std::vector<mixer::Subscription> saved() const {
    auto opened = mixer::open_state(directory);
    EXPECT_TRUE(opened) << opened.error().text;
    return opened ? opened->subscriptions : std::vector<mixer::Subscription>();
  }
  static bool written(const Mixer& mixer, int times) {
    return support::eventually([&] { return mixer.logged("state=written") >= times; }, kWait);
  }

  support::TempDir folder;
  std::string directory = (folder / "state").string();
};

TEST_F(Presence, ASubscriberSeesTheRoomAgainAfterACrashAndDoesNothingForIt) {
  const support::Prosody prosody(prosody_spec());
  Contact ann(prosody, "ann");
  std::string ver;
  {
    Mixer mixer(prosody, with_state());
    ann.say(std::string("subscribe ") + kRoom);
    EXPECT_TRUE(ann.sees("subscribed", kRoom)) << ann.output() << mixer.log();
    ASSERT_TRUE(ann.sees("available", kFocus)) << ann.output() << mixer.log();
    ver = ann.presences("available", kFocus).at(0)["ver"].string();
    EXPECT_NE(ver, "");
    const std::string node = ann.presences("available", kFocus).at(0)["node"].string();
    EXPECT_TRUE(ann.sees("subscribe", kRoom)) << "asked back";
    EXPECT_TRUE(written(mixer, 1)) << mixer.log();
    ann.say(std::string("allow ") + kRoom);
    EXPECT_TRUE(written(mixer, 2)) << mixer.log();

    ann.say(std::string("info ") + kFocus + " " + node + "#" + ver);
    EXPECT_TRUE(ann.answered("info", "urn:xmpp:jingle:apps:rtp:audio")) << ann.output();
    ann.say(std::string("info ") + kRoom + " nonsense");
    EXPECT_TRUE(ann.answered("info", "item-not-found")) << ann.output();
    ann.say(std::string("items ") + kRoom);
    EXPECT_TRUE(ann.answered("items", kFocus)) << ann.output();
    ann.say(std::string("receipt ") + kRoom);
    EXPECT_TRUE(ann.answered("receipt", "\"asked\"")) << ann.output();
    mixer.crash();
  }
  const auto before = ann.presences("available", kFocus).size();
  {
    Mixer mixer(prosody, with_state());
    EXPECT_EQ(mixer.logged("subscriptions=1"), 1) << mixer.log();
    EXPECT_TRUE(ann.sees("available", kFocus, before + 1)) << ann.output() << mixer.log();
    EXPECT_EQ(ann.presences("available", kFocus).back()["ver"].string(), ver);
    EXPECT_TRUE(ann.presences("unavailable", kFocus).empty()) << ann.output();
  }
  EXPECT_TRUE(ann.sees("unavailable", kFocus)) << "no ghost remains: " << ann.output();
  const auto rows = saved();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].contact.str(), "ann@localhost");
  EXPECT_EQ(rows[0].own, mixer::OwnSubscription::granted);
}

TEST_F(Presence, UnsubscribingIsRememberedThroughACrash) {
  const support::Prosody prosody(prosody_spec());
  Contact ann(prosody, "ann");
  {
    Mixer mixer(prosody, with_state());
    ann.say(std::string("subscribe ") + kRoom);
    ASSERT_TRUE(ann.sees("available", kFocus)) << ann.output() << mixer.log();
    EXPECT_TRUE(written(mixer, 1)) << mixer.log();
    ann.say(std::string("unsubscribe ") + kRoom);
    EXPECT_TRUE(ann.sees("unavailable", kFocus)) << ann.output() << mixer.log();
    EXPECT_TRUE(written(mixer, 2)) << mixer.log();
    mixer.crash();
  }
  EXPECT_TRUE(saved().empty());
}

TEST_F(Presence, WhoMayNotDialAnyMoreIsUnsubscribed) {
  const support::Prosody prosody(prosody_spec());
  Contact ann(prosody, "ann");
  {
    Mixer mixer(prosody, with_state());
    ann.say(std::string("subscribe ") + kRoom);
    ASSERT_TRUE(ann.sees("available", kFocus)) << ann.output() << mixer.log();
  }
  EXPECT_EQ(saved().size(), 1u);
  {
    Mixer mixer(prosody, with_state("[access]\ndial = [\"bob@localhost\"]"));
    EXPECT_TRUE(ann.sees("unsubscribed", kRoom)) << ann.output() << mixer.log();
    EXPECT_TRUE(ann.sees("unavailable", kFocus, 2)) << ann.output() << mixer.log();
  }
  EXPECT_TRUE(saved().empty());
}

TEST_F(Presence, AContactWhoseServerIsNoMoreIsForgotten) {
  const support::Prosody prosody(prosody_spec());
  {
    const auto opened = mixer::open_state(directory);
    ASSERT_TRUE(opened) << opened.error().text;
    for (const char* contact : {"ann@localhost", "dora@gone.localhost"}) {
      opened->store->save(
          mixer::Subscription{*jingle::Jid::parse(kRoom), *jingle::Jid::parse(contact)});
    }
  }
  {
    Mixer mixer(prosody, with_state());
    EXPECT_TRUE(written(mixer, 1)) << mixer.log() << prosody.log();
  }
  const auto rows = saved();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].contact.str(), "ann@localhost");
}

TEST_F(Presence, ThousandsAreToldWhenTheMixerStops) {
  const support::Prosody prosody(prosody_spec());
  Contact ann(prosody, "ann");
  {
    const auto opened = mixer::open_state(directory);
    ASSERT_TRUE(opened) << opened.error().text;
    for (int i = 0; i < 10000; ++i) {
      opened->store->save(
          mixer::Subscription{jingle::Jid::of("r" + std::to_string(i / 50), "mixer.localhost"),
                              jingle::Jid::of("u" + std::to_string(i), "localhost")});
    }
  }
  Mixer mixer(prosody, with_state());
  EXPECT_EQ(mixer.logged("subscriptions=10000"), 1) << mixer.log();
  // The last in order, so the last to be told.
  ann.say("subscribe zzz@mixer.localhost");
  ASSERT_TRUE(ann.sees("available", "zzz@mixer.localhost/focus")) << ann.output() << mixer.log();
  mixer.process().signal(SIGTERM);
  EXPECT_EQ(mixer.process().wait(kWait), 0) << mixer.log();
  EXPECT_EQ(mixer.logged("untold="), 0) << mixer.log();
  EXPECT_TRUE(ann.sees("unavailable", "zzz@mixer.localhost/focus")) << ann.output();
}

}  // namespace
}  // namespace e2e
