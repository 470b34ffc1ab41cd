// jingle-load against the mixer: what its report says is what was done.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tests/support/speech.h"
#include "tools/call/wav.h"

namespace e2e {
namespace {

using call::Json;

class Load : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_PROSODY(); }

  static support::ProsodySpec with_load() {
    support::ProsodySpec spec;
    spec.components.push_back({"load.localhost", kPassword});
    spec.components.push_back({"mixer-b.localhost", kPassword});
    return spec;
  }
  std::vector<std::string> command(const std::vector<std::string>& more, std::string to = {}) {
    if (to.empty()) to = mixer_.jid();
    call::WavWriter(speech_).write(test_support::speech(140, 4 * 180 * 960, 3.1, 12000));
    std::vector<std::string> argv{JINGLE_LOAD,
                                  "--component",
                                  "load.localhost",
                                  "--secret",
                                  kPassword,
                                  "--server",
                                  "127.0.0.1:" + std::to_string(prosody_.component_port()),
                                  "--speech",
                                  speech_,
                                  "--watch-pid",
                                  std::to_string(mixer_.process().pid()),
                                  "--settle",
                                  "1",
                                  "--to",
                                  to};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
  Json run(std::vector<std::string> more, int expected_status = 0, const std::string& to = {}) {
    more.insert(more.end(), {"--json", "--quiet"});
    support::Process load({.argv = command(more, to)});
    return report_of(load, expected_status);
  }
  static Json report_of(support::Process& load, int expected_status) {
    EXPECT_EQ(load.wait(4 * kWait).value_or(-1), expected_status) << load.output();
    const std::string output = load.output();
    const auto report = Json::parse(output.substr(std::min(output.find('{'), output.size())));
    if (!report) ADD_FAILURE() << output;
    return report.value_or(Json());
  }

  support::TempDir folder_;
  const std::string speech_ = (folder_ / "speech.wav").string();
  const support::Prosody prosody_{with_load()};
  Mixer mixer_{prosody_};
};

TEST_F(Load, TwentyCallersJoinAreToldOfEachOtherAndLeave) {
  const Json report = run({"--callers", "20", "--talkers", "2", "--seconds", "7"});
  EXPECT_EQ(report["calls"]["connected"].number(), 20);
  EXPECT_EQ(report["calls"]["ended_as_asked"].number(), 20);
  EXPECT_EQ(report["join_ms"]["count"].number(), 20);
  EXPECT_EQ(report["packets"]["undecryptable"].number(), 0);
  EXPECT_EQ(report["listeners_sent_per_s"]["count"].number(), 18);
  EXPECT_LE(report["listeners_sent_per_s"]["max"].number(), 3);
  EXPECT_EQ(report["coin"]["left_out"].number(), 0);
  EXPECT_GE(report["coin"]["full"].number(), 20) << "everybody's first";
  EXPECT_GT(report["coin"]["lag_ms"]["count"].number(), 0);
  EXPECT_GT(report["watched"]["memory_mb"].number(), 1);
  EXPECT_LE(report["own"]["threads"].number(), 3) << "not one for each caller; TSan has its own";
}

// On a machine that is too busy for sound in real time it is tried again.
TEST_F(Load, ListenersHearTheMarkersSomeTimeAfterTheyWereSaid) {
  Json report;
  for (int tries = 0; tries < 5; ++tries) {
    report = run({"--callers", "6", "--talkers", "2", "--seconds", "7"});
    ASSERT_GT(report["markers"]["expected"].number(), 0);
    if (report["markers"]["heard"].number() == report["markers"]["expected"].number()) break;
  }
  EXPECT_EQ(report["markers"]["heard"].number(), report["markers"]["expected"].number());
  EXPECT_GE(report["received_per_s"]["min"].number(), 45);
  EXPECT_GT(report["delay_ms"]["min"].number(), 0);
  EXPECT_LT(report["own_marker_db"]["max"].number(), -20);
}

// Their sockets were too many for the usual soft limit: calls failed, and it looked like the mixer.
TEST_F(Load, CallersAreNotAsFewAsTheSoftLimitOfFiles) {
  std::vector<std::string> argv{"sh", "-c", "ulimit -Sn 40 && exec \"$@\"", "sh"};
  const auto load_argv = command({"--callers", "60", "--seconds", "1", "--json", "--quiet"});
  argv.insert(argv.end(), load_argv.begin(), load_argv.end());
  support::Process load({.argv = argv});
  EXPECT_EQ(report_of(load, 0)["calls"]["connected"].number(), 60);
}

TEST_F(Load, CallersAreSpreadOverTheRoomsAndHearTheirOwn) {
  Json report;
  int runs = 0;
  while (runs < 5) {
    ++runs;
    report = run({"--callers", "9", "--rooms", "3", "--talkers", "1", "--seconds", "6"});
    ASSERT_GT(report["markers"]["expected"].number(), 0);
    if (report["markers"]["heard"].number() == report["markers"]["expected"].number()) break;
  }
  EXPECT_EQ(report["rooms"].number(), 3);
  EXPECT_EQ(report["calls"]["connected"].number(), 9);
  EXPECT_EQ(report["listeners_sent_per_s"]["count"].number(), 6) << "one talks in each";
  EXPECT_EQ(report["markers"]["heard"].number(), report["markers"]["expected"].number());
  for (const char* room : {"room1", "room2", "room3"}) {
    const std::string ended = std::string("call=ended room=") + room + " ";
    EXPECT_TRUE(support::eventually([&] { return mixer_.logged(ended) == 3 * runs; }))
        << mixer_.log();
  }
}

// He is the floor of what a mixer gives back: the README says below -100 dB.
TEST_F(Load, WhoTalksAloneHearsNothingOfHimself) {
  const Json report = run({"--callers", "4", "--talkers", "1", "--seconds", "9"});
  EXPECT_GT(report["own_marker_db"]["count"].number(), 0);
  EXPECT_LT(report["own_marker_db"]["max"].number(), -100);
}

TEST_F(Load, AMutedTalkerSaysNoMarker) {
  const Json report = run({"--callers", "5", "--talkers", "1", "--muted", "1", "--seconds", "5"});
  EXPECT_EQ(report["calls"]["connected"].number(), 5);
  EXPECT_EQ(report["markers"]["said"].number(), 0);
  EXPECT_EQ(report["talkers_sent_per_s"]["max"].number(), 0);
}

TEST_F(Load, LossOnTheWayToTheMixerIsWhatTheMixerReports) {
  const Json report = run({"--callers", "6", "--talkers", "3", "--seconds", "12", "--loss", "20",
                           "--afflict", "talkers", "--listeners", "noise"});
  EXPECT_EQ(report["bad_lines"].number(), 3);
  EXPECT_EQ(report["loss_reported_by_mixer_percent"]["count"].number(), 3);
  EXPECT_GT(report["loss_reported_by_mixer_percent"]["min"].number(), 5);
  EXPECT_LT(report["loss_reported_by_mixer_percent"]["max"].number(), 60);
  EXPECT_GT(report["packets"]["dropped_by_bad_lines"].number(), 100);
}

TEST_F(Load, AGoodLineSpoilsNothing) {
  const Json report = run({"--callers", "4", "--seconds", "3", "--listeners", "noise"});
  EXPECT_EQ(report["bad_lines"].number(), 0);
  EXPECT_EQ(report["packets"]["dropped_by_bad_lines"].number(), 0);
  EXPECT_EQ(report["packets"]["delayed_by_bad_lines"].number(), 0);
  EXPECT_EQ(report["packets"]["overtaken"].number(), 0);
}

TEST_F(Load, JitterDelaysAndLosesNothing) {
  const Json report =
      run({"--callers", "4", "--seconds", "3", "--listeners", "noise", "--jitter", "60"});
  EXPECT_EQ(report["injected"]["jitter_ms"].number(), 60);
  EXPECT_EQ(report["bad_lines"].number(), 4) << "all, unless some are named";
  EXPECT_GT(report["packets"]["delayed_by_bad_lines"].number(), 400);
  EXPECT_EQ(report["packets"]["overtaken"].number(), 0);
  EXPECT_EQ(report["packets"]["dropped_by_bad_lines"].number(), 0);
}

TEST_F(Load, ReorderingIsSeenByThoseWhoReceive) {
  const Json report = run({"--callers", "4", "--seconds", "3", "--reorder", "20"});
  EXPECT_EQ(report["injected"]["reorder_percent"].number(), 20);
  EXPECT_GT(report["packets"]["overtaken"].number(), 0);
  EXPECT_EQ(report["packets"]["dropped_by_bad_lines"].number(), 0);
}

TEST_F(Load, BurstsOfLossGoToThoseWhoAreNamed) {
  const Json report = run({"--callers", "12", "--talkers", "2", "--seconds", "4", "--loss", "30",
                           "--burst", "10", "--afflict", "listeners", "--afflicted", "50"});
  EXPECT_EQ(report["injected"]["burst"].number(), 10);
  EXPECT_EQ(report["injected"]["afflicted"].string(), "listeners");
  EXPECT_EQ(report["bad_lines"].number(), 5);
  EXPECT_GE(report["listeners_with_loss"].number(), 5);
  EXPECT_GT(report["packets"]["lost"].number(), 0);
  EXPECT_GT(report["gaps"]["count"].number(), 0) << "ten packets are 200 ms";
}

TEST_F(Load, ListenersSendNoiseOrAFrameOfSilenceNowAndThenOrNothing) {
  const auto sent = [this](const char* listeners) {
    const Json report = run({"--callers", "3", "--seconds", "4", "--listeners", listeners});
    EXPECT_EQ(report["listeners"].string(), listeners);
    EXPECT_GT(report["talkers_sent_per_s"]["min"].number(), 10);
    return report["listeners_sent_per_s"]["min"].number();
  };
  EXPECT_GT(sent("noise"), 10);
  const double dtx = sent("dtx");
  EXPECT_GT(dtx, 0);
  EXPECT_LE(dtx, 4);
  EXPECT_EQ(sent("none"), 0);
}

// Until the end, which is half of the time measured.
TEST_F(Load, SilenceIsOfTheTalkersAlone) {
  const Json report = run({"--callers", "4", "--talkers", "2", "--seconds", "6", "--silence", "60",
                           "--listeners", "noise"});
  EXPECT_EQ(report["injected"]["silence_s"].number(), 60);
  EXPECT_GT(report["talkers_sent_per_s"]["min"].number(), 0);
  EXPECT_LT(report["talkers_sent_per_s"]["max"].number(),
            report["listeners_sent_per_s"]["min"].number() * 0.8);
}

TEST_F(Load, CallersWhoLikeLongPacketsGetAThirdOfThemAndHearTheSame) {
  Json report;
  for (int tries = 0; tries < 5; ++tries) {
    report = run({"--callers", "5", "--talkers", "2", "--seconds", "7", "--ptime", "60"});
    ASSERT_GT(report["markers"]["expected"].number(), 0);
    if (report["markers"]["heard"].number() == report["markers"]["expected"].number()) break;
  }
  EXPECT_EQ(report["ptime_ms"].number(), 60);
  EXPECT_EQ(report["markers"]["heard"].number(), report["markers"]["expected"].number());
  EXPECT_LT(report["received_per_s"]["max"].number(), 18);
  EXPECT_GT(report["received_per_s"]["min"].number(), 12);
}

TEST_F(Load, OnlyListenersComeAndGo) {
  const Json report = run({"--callers", "8", "--talkers", "2", "--seconds", "6", "--churn", "3"});
  EXPECT_EQ(report["injected"]["churn_per_s"].number(), 3);
  EXPECT_EQ(report["calls"]["connected"].number(), 8);
  EXPECT_GT(report["rejoin_ms"]["count"].number(), 5);
  EXPECT_GE(report["calls"]["ended_as_asked"].number(), 8 + report["rejoin_ms"]["count"].number());
  EXPECT_EQ(report["calls"]["failed"].size(), 0U);
}

// What each process took was that of another time: less than nothing of their CPU.
TEST_F(Load, EndedInTheMiddleItReportsWhatItHasMeasured) {
  support::Process load({.argv = command({"--callers", "3", "--seconds", "600", "--json"})});
  ASSERT_TRUE(load.wait_for_output(" s measuring: ")) << load.output();
  load.signal(SIGTERM);
  const Json report = report_of(load, 0);
  EXPECT_EQ(report["calls"]["ended_as_asked"].number(), 3);
  EXPECT_GT(report["measured_s"].number(), 0);
  EXPECT_LT(report["measured_s"].number(), 600);
  EXPECT_GE(report["own"]["cpu_percent"].number(), 0);
  EXPECT_GE(report["watched"]["threads"].number(), 1);
}

TEST_F(Load, TellsPeopleInLinesWithoutControlCharacters) {
  support::Process load({.argv = command({"--callers", "3", "--seconds", "2"})});
  EXPECT_EQ(load.wait(4 * kWait).value_or(-1), 0);
  const std::string output = load.output();
  for (const char* line : {"jingle-load: seed ", " s measuring: ",
                           "calls             3 of 3 connected", "packet to packet  "}) {
    EXPECT_NE(output.find(line), std::string::npos) << line << " in\n" << output;
  }
  EXPECT_TRUE(std::ranges::all_of(output, [](char c) { return c == '\n' || c < 0 || c >= ' '; }))
      << output;
}

TEST_F(Load, ThoseWhoVanishAreMissedAndThoseWhoRejoinAreBack) {
  const Json report = run(
      {"--callers", "10", "--seconds", "90", "--vanish", "20", "--rejoin", "50", "--seed", "7"});
  EXPECT_EQ(report["calls"]["connected"].number(), 10);
  EXPECT_EQ(report["rejoin_ms"]["count"].number(), 4) << "half of those left";
  EXPECT_EQ(report["calls"]["ended_by_mixer"]["connectivity-error"].number(), 2);
  EXPECT_EQ(report["calls"]["ended_of_vanished"]["connectivity-error"].number(), 2);
  EXPECT_EQ(report["vanishing_noticed_s"]["count"].number(), 2);
  EXPECT_EQ(report["calls"]["ended_as_asked"].number(), 12);
}

// With --vanish the mixer might end all the others' calls: it was exit status 0.
TEST_F(Load, ThatSomeVanishExcusesNoOtherCallThatTheMixerEnds) {
  support::Process load(
      {.argv = command({"--callers", "4", "--seconds", "10", "--vanish", "25", "--json"})});
  ASSERT_TRUE(load.wait_for_output(" s measuring: ")) << load.output();
  EXPECT_EQ(mixer_.process().terminate(kWait), 0) << mixer_.log();
  const Json report = report_of(load, 1);
  EXPECT_EQ(report["calls"]["connected"].number(), 4);
  EXPECT_EQ(report["calls"]["ended_by_mixer"].size(), 1U) << report["calls"].str();
  EXPECT_EQ(report["calls"]["ended_of_vanished"].size(), 0U) << report["calls"].str();
}

TEST_F(Load, RefusedCallsAreCountedByTheirReason) {
  Mixer full(prosody_,
             {.more = "[limits]\nparticipants-per-room = 3", .component = "mixer-b.localhost"});
  const Json report = run({"--callers", "5", "--seconds", "1"}, 1, full.jid());
  EXPECT_EQ(report["calls"]["connected"].number(), 3);
  EXPECT_EQ(report["calls"]["refused"].size(), 1u) << report["calls"].str();
  EXPECT_EQ(report["calls"]["refused"]["busy"].number(), 2) << report["calls"].str();
}

}  // namespace
}  // namespace e2e
