// What the mixer survives, how it starts and how it stops.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <span>
#include <string>

#include "tests/e2e/listening.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tests/support/net.h"
#include "tools/call/tones.h"
#include "tools/call/wav.h"

namespace e2e {
namespace {

class Endurance : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }
};

TEST_F(Endurance, TheServersRestartDoesNotEndACall) {
  const support::TempDir folder;
  support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann", .to = mixer.jid(), .play = tone_file(folder, 440)});
  Call bob(prosody, {.user = "bob", .to = mixer.jid(), .record = true});
  const std::vector<double> anns_tone{440};
  ASSERT_TRUE(wait_until_heard(bob.recording(), anns_tone, 1)) << bob.output() << mixer.log();
  ASSERT_TRUE(bob.wait_until([](const Call& call) { return call.roster().size() == 2; }));
  const auto full_before = bob.documents().size();
  const Listening listening({{bob.recording(), 440}});

  prosody.restart();
  EXPECT_TRUE(support::eventually([&] { return mixer.logged("xmpp=up") == 2; }, kWait))
      << mixer.log();
  // Healed: a full document after the reconnection.
  EXPECT_TRUE(bob.wait_until([&](const Call& call) {
    const auto all = call.documents();
    return std::any_of(all.begin() + static_cast<std::ptrdiff_t>(full_before), all.end(),
                       [](const std::string& document) {
                         return document.substr(0, document.find('>')).find("\"full\"") !=
                                std::string::npos;
                       });
  })) << bob.output()
      << mixer.log();
  Call cyd(prosody, {.user = "cyd", .to = mixer.jid()});
  const std::vector<std::string> three{"ann", "bob", "cyd"};
  for (Call* each : {&ann, &bob, &cyd}) {
    EXPECT_TRUE(each->wait_until([&](const Call& call) { return call.roster() == three; }))
        << each->output();
  }
  // What happens while the server is away is told when it is back, to everybody.
  prosody.stop();
  cyd.process().signal(SIGKILL);
  prosody.start();
  const std::vector<std::string> two{"ann", "bob"};
  for (Call* each : {&ann, &bob}) {
    EXPECT_TRUE(each->wait_until([&](const Call& call) { return call.roster() == two; }))
        << each->output() << mixer.log();
  }

  listening.expect_no_gaps();
  EXPECT_EQ(ann.finish(), 0) << ann.output();
  EXPECT_EQ(bob.finish(), 0) << bob.output();
}

// As a suspended machine or a CPU that is taken away. That it was stopped its callers say: they
// miss its packets for 3 s.
TEST_F(Endurance, WhatAStandstillMissedIsLeftOutAndSoundGoesOn) {
  const support::TempDir folder;
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann", .to = mixer.jid(), .play = tone_file(folder, 440)});
  Call bob(prosody, {.user = "bob", .to = mixer.jid(), .record = true});
  const std::vector<double> anns_tone{440};
  ASSERT_TRUE(wait_until_heard(bob.recording(), anns_tone, 1)) << bob.output() << mixer.log();
  mixer.process().signal(SIGSTOP);
  EXPECT_TRUE(bob.wait_for("quiet")) << bob.output();
  mixer.process().signal(SIGCONT);
  EXPECT_TRUE(bob.wait_for("heard")) << bob.output() << mixer.log();
  const auto so_far = call::read_wav(bob.recording()).value_or(call::Sound()).samples.size();
  EXPECT_TRUE(bob.wait_until([&](const Call& listener) {
    const auto sound = call::read_wav(listener.recording()).value_or(call::Sound());
    const auto since = std::span(sound.samples).subspan(std::min(so_far, sound.samples.size()));
    const auto stretch = call::best_stretch(since, anns_tone, 2, sound.rate_hz);
    return stretch && call::tone_dbfs(*stretch, 440, sound.rate_hz) > kTone_dbfs - 3;
  })) << bob.output()
      << mixer.log();
  EXPECT_EQ(ann.finish(), 0) << ann.output();
  EXPECT_EQ(bob.finish(), 0) << bob.output();
  ASSERT_TRUE(mixer.process().wait_for_output("room closed", kWait)) << mixer.log();
  const std::string log = mixer.log();
  const auto skipped = log.find(" skipped=", log.find("room closed"));
  ASSERT_NE(skipped, std::string::npos) << log;
  EXPECT_GE(std::stoi(log.substr(skipped + 9)), 140) << "ticks of 20 ms";
  EXPECT_EQ(mixer.logged("call=ended "), 2) << "by themselves\n" << log;
}

TEST_F(Endurance, AWrongSecretIsSaidAndTriedAgain) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody, {.secret = "wrong", .wait_until_up = false});
  EXPECT_TRUE(mixer.process().wait_for_output("refused", kWait)) << mixer.log();
  EXPECT_NE(mixer.log().find("retry in"), std::string::npos) << mixer.log();
  EXPECT_TRUE(mixer.process().running());
  EXPECT_EQ(mixer.process().terminate(kWait), 0) << mixer.log();
}

TEST_F(Endurance, AServerThatComesLaterIsFound) {
  support::Prosody prosody(prosody_spec());
  prosody.stop();
  Mixer mixer(prosody, {.wait_until_up = false});
  EXPECT_TRUE(mixer.process().wait_for_output("server not there", kWait)) << mixer.log();
  prosody.start();
  EXPECT_TRUE(mixer.process().wait_for_output("xmpp=up", kWait)) << mixer.log();
}

TEST_F(Endurance, StoppingEndsEveryCallWithAReason) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call ann(prosody, {.user = "ann", .to = mixer.jid()});
  Call bob(prosody, {.user = "bob", .to = mixer.jid("other")});
  ASSERT_TRUE(ann.wait_for("connected")) << ann.output() << mixer.log();
  ASSERT_TRUE(bob.wait_for("connected")) << bob.output() << mixer.log();
  mixer.process().signal(SIGTERM);
  EXPECT_EQ(mixer.process().wait(kWait), 0) << mixer.log();
  for (Call* each : {&ann, &bob}) {
    EXPECT_EQ(each->process().wait(kWait), 1) << each->output();
    EXPECT_EQ(each->report()["result"].string(), "ended");
    EXPECT_NE(each->report()["reason"].string(), "") << each->output();
  }
}

TEST_F(Endurance, ThreadsAreConstantFromThreeToFiftyCallers) {
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody);
  Call few(prosody, {.user = "ann", .to = mixer.jid(), .more = {"--count", "3"}});
  const auto connected = [](std::size_t count) {
    return [count](const Call& call) {
      const auto all = call.events();
      return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& each) {
               return each["event"].string() == "connected";
             })) == count;
    };
  };
  ASSERT_TRUE(few.wait_until(connected(3))) << few.output() << mixer.log();
  const auto with_three = mixer.threads();
  EXPECT_EQ(few.finish(), 0);

  Call many(prosody, {.user = "caller{n}", .to = mixer.jid(), .more = {"--count", "50"}});
  ASSERT_TRUE(many.wait_until(connected(50))) << mixer.log();
  EXPECT_EQ(mixer.threads(), with_three);
  EXPECT_EQ(many.finish(), 0) << many.report().str();
}

TEST(Configuration, AMistakeIsNamedWithFileLineAndKey) {
  const support::TempDir folder;
  const auto file = (folder / "mixer.toml").string();
  std::ofstream(file) << "[xmpp]\nmode = \"component\"\njid = \"mixer.localhost\"\n"
                      << "password = \"secret\"\nport = \"many\"\n";
  for (const bool only_check : {true, false}) {
    std::vector<std::string> argv{JINGLE_MIXER, "--config", file};
    if (only_check) argv.emplace_back("--check-config");
    std::string output;
    EXPECT_EQ(support::run_command({.argv = argv}, &output), 78) << output;
    EXPECT_NE(output.find(file + ":5"), std::string::npos) << output;
    EXPECT_NE(output.find("port"), std::string::npos) << output;
  }
}

TEST(Configuration, AGoodOneIsFoundGood) {
  const support::TempDir folder;
  const auto file = (folder / "mixer.toml").string();
  std::ofstream(file) << "[xmpp]\nmode = \"component\"\njid = \"mixer.localhost\"\n"
                      << "password = \"secret\"\nhost = \"127.0.0.1\"\nport = 5347\n"
                      << "[media]\naddresses = [\"127.0.0.1\"]\n";
  std::string output;
  EXPECT_EQ(
      support::run_command({.argv = {JINGLE_MIXER, "--config", file, "--check-config"}}, &output),
      0)
      << output;
}

}  // namespace
}  // namespace e2e
