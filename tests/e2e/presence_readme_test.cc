// What README shows of extended presence is what a contact gets, of a bot and of a component's
// room, with the configuration that stands there.
#include <gtest/gtest.h>

#include <regex>

#include "tests/e2e/chat.h"
#include "tests/e2e/film.h"
#include "tests/e2e/tagged_wav.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tests/support/readme.h"
#include "tests/support/sanitized.h"

namespace e2e {
namespace {

class PresenceInReadme : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
    if (test_support::kThreadsSanitized) GTEST_SKIP() << support::kEncodersUnseen;
    gst_init(nullptr, nullptr);
    write_tagged_wav(folder_ / "nocturne.wav", {"Nocturne", "Field", "Evenings"}, 300, 620);
    ASSERT_TRUE(make_film(folder_ / "talk.webm", {"IMG 0815", "Ann", 300, 970})) << "no encoder";
  }
  std::string config() const {
    const std::string readme = support::readme(), here = folder_.path().string();
    const auto tables = readme.find("[presence]\npublish");
    return "moderators = [\"ann@localhost\"]\n[play]\nmedia-dir = \"" + here + "\"\n" +
           readme.substr(tables, readme.find("[state]", tables) - tables) +
           "[state]\ndirectory = \"" + here + "/state\"\n";
  }

  // Without what depends on the picture.
  static std::string readable(const std::string& shown) {
    return std::regex_replace(support::in_order(shown, "info"), std::regex("(bytes|id)=\"[^\"]*\""),
                              "$1=\"…\"");
  }

  void expect_as_shown(bool client_mode) {
    support::ProsodySpec spec = prosody_spec();
    spec.tls = client_mode;  // a bot wants it
    const support::Prosody prosody(spec);
    Contact ann(prosody, "ann");
    Mixer mixer(prosody, {.client_mode = client_mode, .more = config()});
    const std::string who = client_mode ? "bot@localhost" : "bot@mixer.localhost";
    ann.befriend(who);
    Call bob(prosody, {.user = "bob", .to = mixer.jid("bot"), .record = true});
    ASSERT_TRUE(bob.wait_for("connected")) << bob.output();

    std::string shown;
    const auto gets = [&](const std::string& node, const std::string& what) {
      EXPECT_TRUE(ann.is_told(who, node, what)) << node << ann.output() << mixer.log();
      const auto all = ann.told_of(who, node);
      if (!all.empty()) shown += all.back()["payload"].string() + '\n';
    };
    const std::string protocol = "http://jabber.org/protocol/";
    const std::string tune = protocol + "tune", viewing = "urn:xmpp:viewing:0";
    gets(protocol + "mood", "happy");
    gets(protocol + "geoloc", "lat");
    gets(protocol + "physloc", "country");
    gets("urn:xmpp:avatar:metadata", "info");
    shown = readable(shown);
    gets(protocol + "status", "1 on the call");
    gets(protocol + "activity", "on_the_phone");
    ann.say("say " + who + " play nocturne.wav");
    gets(tune, "Nocturne");
    ann.say("say " + who + " stop");
    gets(tune, "empty");
    ann.say("say " + who + " play talk.webm as \"The talk\"");
    EXPECT_TRUE(
        support::eventually([&] { return last_dbfs(bob.recording(), 970, 0.5) > -40; }, kWait))
        << mixer.log();
    ann.say("say " + who + " viewing episode 807");
    gets(viewing, "807");
    ann.say("say " + who + " stop");
    gets(viewing, "empty");
    EXPECT_EQ(bob.finish(), 0) << bob.output();
    gets(protocol + "status", "empty");
    gets(protocol + "activity", "empty");
    EXPECT_TRUE(support::readme_shows("```xml\n" + shown + "```\n"));
  }

  support::TempDir folder_;
};

TEST_F(PresenceInReadme, IsWhatAContactGetsOfABot) { expect_as_shown(true); }

TEST_F(PresenceInReadme, IsWhatAContactGetsOfAComponentsRoom) { expect_as_shown(false); }

}  // namespace
}  // namespace e2e
