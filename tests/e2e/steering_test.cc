// What is played is steered by chat, through a real server, and what callers then hear is the
// proof: where in a file the sound comes from is told by its tone.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>

#include "tests/e2e/contact.h"
#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tests/support/https_server.h"
#include "tools/call/tones.h"
#include "tools/call/wav.h"

namespace e2e {
namespace {

const std::string kRoom = "room@mixer.localhost";
// The first and the second minute of a file; another file.
constexpr double kFirst_hz = 620, kSecond_hz = 970, kOther_hz = 1330;
constexpr std::array kTones_hz{kFirst_hz, kSecond_hz, kOther_hz};
constexpr double kHeard_dbfs = -40, kUnheard_dbfs = -60;

class Steering : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_PROSODY();
    call::WavWriter two((folder_ / "two.wav").string());
    two.write(call::sine(kFirst_hz, kTone_dbfs, 60));
    two.write(call::sine(kSecond_hz, kTone_dbfs, 60));
    call::WavWriter((folder_ / "other.wav").string()).write(call::sine(kOther_hz, kTone_dbfs, 60));
  }
  std::string play_table() const {
    return "[play]\nmedia-dir = \"" + folder_.path().string() + "\"\nhosts = [\"localhost\"]\n" +
           "ca-file = \"" + server_.ca_file() + "\"\n";
  }
  // Comes to hear that tone and no other; 0: none.
  static bool hears(const Call& call, double hz) {
    return support::eventually(
        [&] {
          return std::ranges::all_of(kTones_hz, [&](double each) {
            const double level = last_dbfs(call.recording(), each, 0.5);
            return each == hz ? level > kHeard_dbfs : level < kUnheard_dbfs;
          });
        },
        kWait);
  }
  // No tone at all for two seconds from now on.
  static void expect_silence(const Call& call) {
    const auto so_far = call::read_wav(call.recording()).value_or(call::Sound()).samples.size();
    call::Sound sound;
    ASSERT_TRUE(support::eventually(
        [&] {
          sound = call::read_wav(call.recording()).value_or(call::Sound());
          return sound.samples.size() >= so_far + 2 * 48000;
        },
        kWait));
    for (const double hz : kTones_hz) {
      EXPECT_LT(call::tone_dbfs(std::span(sound.samples).subspan(so_far), hz), kUnheard_dbfs) << hz;
    }
  }
  // Of the last second of a recording.
  static double loudness_dbfs(const Call& call) {
    const auto sound = call::read_wav(call.recording());
    if (!sound || sound->samples.size() < 48000) return call::kSilence_dbfs;
    double sum = 0;
    for (const std::int16_t sample : std::span(sound->samples).last(48000)) {
      sum += static_cast<double>(sample) * sample;
    }
    return 10 * std::log10(std::max(sum / 48000, 1e-3)) - 20 * std::log10(32768);
  }
  static bool hears_music(const Call& call, bool wanted) {
    return support::eventually(
        [&] {
          const double level = loudness_dbfs(call);
          return wanted ? level > kHeard_dbfs : level < kUnheard_dbfs;
        },
        kWait);
  }

  support::TempDir folder_;
  support::HttpsServer server_{folder_.path().string()};
};

TEST_F(Steering, AModeratorPausesSeeksSkipsAndStopsWhatEverybodyHears) {
  if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody, {.more = "moderators = [\"ann@localhost\"]\n" + play_table()});
  Contact ann(prosody, "ann");
  Call bob(prosody, {.user = "bob", .to = kRoom, .record = true});
  ASSERT_TRUE(bob.wait_for("connected")) << bob.output();
  const auto say = [&ann](const std::string& text) { ann.say("say " + kRoom + " " + text); };
  const auto after = [&](const std::string& text, double heard_hz) {
    say(text);
    ASSERT_TRUE(hears(bob, heard_hz)) << text << ann.output() << mixer.log();
  };
  for (const std::string& source : {std::string("two.wav"), server_.url("/ranged/two.wav")}) {
    after("play " + source, kFirst_hz);
    after("pause", 0);
    say("playing");
    EXPECT_TRUE(ann.answered("chat", source + " (2:00), paused.")) << ann.output();
    expect_silence(bob);
    after("resume", kFirst_hz);
    after("seek 1:05", kSecond_hz);
    after("seek 2", kFirst_hz);  // to where it cannot come by itself
    say("play other.wav");
    after("skip", kOther_hz);
    after("stop", 0);
  }
  say("playing");
  EXPECT_TRUE(ann.answered("chat", "Nothing is played.")) << ann.output();
  EXPECT_EQ(mixer.logged("not played: "), 0) << mixer.log();
}

TEST_F(Steering, AnAnnouncementIsHeardAtOnceOverWhatIsPlayedWhichGoesOn) {
  if (const auto why = Contact::missing(); !why.empty()) GTEST_SKIP() << why;
  const support::Prosody prosody(prosody_spec());
  Mixer mixer(prosody, {.more = "moderators = [\"ann@localhost\"]\n" + play_table()});
  Contact ann(prosody, "ann");
  Call bob(prosody, {.user = "bob", .to = kRoom, .record = true});
  ASSERT_TRUE(bob.wait_for("connected")) << bob.output();
  const auto say = [&ann](const std::string& text) { ann.say("say " + kRoom + " " + text); };
  const auto level = [&](double hz) { return last_dbfs(bob.recording(), hz, 0.5); };
  say("play two.wav");
  ASSERT_TRUE(hears(bob, kFirst_hz)) << ann.output() << mixer.log();
  say("play two.wav");  // an announcement waits for nothing
  say("announce other.wav");
  // Both tones are brought to one loudness; one sinks by 12 dB, in half a second with some of its
  // way down.
  EXPECT_TRUE(support::eventually(
      [&] {
        const double sunk = level(kFirst_hz);
        return level(kOther_hz) - sunk > 9 && sunk > kUnheard_dbfs;
      },
      kWait))
      << level(kOther_hz) << ", " << level(kFirst_hz) << ann.output() << mixer.log();
  say("announce other.wav");
  EXPECT_TRUE(ann.answered("chat", "Something is being announced already.")) << ann.output();
  say("stop");
  EXPECT_TRUE(hears(bob, 0)) << ann.output() << mixer.log();
  say("announce nothing.wav");
  EXPECT_TRUE(ann.answered("chat", "nothing.wav: There is no such file.")) << ann.output();
}

TEST_F(Steering, WhoIsAloneHearsHoldMusicUntilSomebodyComes) {
  const support::Prosody prosody(prosody_spec());
  for (const char* music : {"on", "other.wav"}) {
    SCOPED_TRACE(music);
    Mixer mixer(prosody, {.more = std::string("hold-music = \"") + music + "\"\n" + play_table()});
    Call bob(prosody, {.user = "bob", .to = kRoom, .record = true});
    ASSERT_TRUE(hears_music(bob, true)) << bob.output() << mixer.log();
    {
      Call ann(prosody, {.user = "ann", .to = kRoom, .record = true});
      ASSERT_TRUE(ann.wait_for("connected")) << ann.output();
      EXPECT_TRUE(hears_music(bob, false)) << mixer.log();
      EXPECT_TRUE(hears_music(ann, false)) << mixer.log();
      EXPECT_EQ(ann.finish(), 0) << ann.output();
    }
    EXPECT_TRUE(hears_music(bob, true)) << "alone again\n" << mixer.log();
    EXPECT_EQ(bob.finish(), 0) << bob.output();
  }
}

}  // namespace
}  // namespace e2e
