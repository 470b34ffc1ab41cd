// coin-watch shows the documents of a real room as they come.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/world.h"
#include "tests/support/eventually.h"

namespace e2e {
namespace {

class CoinWatch : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }

  static support::Process::Spec command(const support::Prosody& prosody,
                                        std::vector<std::string> more) {
    std::vector<std::string> argv{
        COIN_WATCH, "--server",      "127.0.0.1:" + std::to_string(prosody.c2s_port()),
        "--jid",    "cyd@localhost", "--password",
        kPassword,  "--tls",         prosody.certificate().pem.empty() ? "off" : "trust-all"};
    argv.insert(argv.end(), more.begin(), more.end());
    return {.argv = argv};
  }
};

TEST_F(CoinWatch, ShowsTwoJoiningAMuteAndALeaveAndWhoTalks) {
  const support::TempDir folder;
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  support::Process watch(command(prosody, {"--to", mixer.jid()}));
  std::size_t read = 0;  // of its output: each thing is said after the one before
  const auto says = [&](const std::string& line) {
    const bool said = support::eventually(
        [&] { return watch.output().find(line, read) != std::string::npos; }, kWait);
    if (!said) return testing::AssertionFailure() << line << "\n" << watch.output() << mixer.log();
    read = watch.output().find(line, read) + line.size();
    return testing::AssertionSuccess();
  };
  EXPECT_TRUE(says("cyd (xmpp:cyd@localhost) came: connected, dialed-in"));
  Call ann(prosody, {.user = "ann", .to = mixer.jid(), .play = tone_file(folder, 440)});
  EXPECT_TRUE(says("    ann (xmpp:ann@localhost) came: connected"));
  Call bob(prosody, {.user = "bob", .to = mixer.jid()});
  EXPECT_TRUE(says("    bob (xmpp:bob@localhost) came: connected"));
  EXPECT_TRUE(says("  users 3\n"));
  bob.say("mute");
  EXPECT_TRUE(says("    bob muted\n"));
  EXPECT_TRUE(says("* xmpp:ann@localhost  ann"));
  bob.say("hangup");
  EXPECT_EQ(bob.finish(), 0) << bob.output();
  EXPECT_TRUE(says("    bob "));  // left or went: as long as the room lists who was there
  EXPECT_TRUE(says("  users 2\n"));
  EXPECT_EQ(watch.output().find("\x1b"), std::string::npos) << "a pipe is no terminal";
  EXPECT_EQ(watch.terminate(kWait), 0) << watch.output();
}

TEST_F(CoinWatch, CanBeCalledByAFocus) {
  const support::TempDir folder;
  const auto file = (folder / "document.xml").string();
  std::ofstream(file) << "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' "
                         "entity='xmpp:room@elsewhere' state='partial' version='5'>"
                         "<conference-description/></conference-info>";
  const support::Prosody prosody(prosody_spec());
  support::Process watch(command(prosody, {"--answer", "--raw"}));
  ASSERT_TRUE(watch.wait_for_output("online", kWait)) << watch.output();
  Call bob(
      prosody,
      {.user = "bob", .to = "cyd@localhost", .more = {"--jmi", "--focus", "--document", file}});
  EXPECT_TRUE(bob.wait_for("document-answer")) << bob.output() << watch.output();
  EXPECT_TRUE(watch.wait_for_output("nonsense: no base", kWait)) << watch.output();
  EXPECT_TRUE(watch.wait_for_output("      <conference-description />", kWait)) << watch.output();
  EXPECT_EQ(watch.terminate(kWait), 0) << watch.output();
}

}  // namespace
}  // namespace e2e
