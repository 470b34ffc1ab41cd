// A piece whose decoder cannot end, dead as it is: another process traces it, and lets nobody know
// of its death. A disk that does not answer does the same.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "media/limits.h"
#include "tests/media_gst/engine_fixture.h"
#include "tests/media_gst/played.h"
#include "tests/support/audio.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace media::gst {
namespace {

constexpr RoomId kRoom{1};

TEST(StuckPiece, HoldsUpNobody) {
  const support::TempDir folder;
  test_support::write_wav(folder / "a.wav", {48000, test_support::tone(440, 8000, 48000 * 60)});
  Engine mixer;
  CallerThread thread;
  TestCaller caller(thread, LegId{1}, 440);
  dial(mixer, caller, kRoom);
  mixer.engine->set_mix_plan(kRoom, {{{.leg = caller.leg()}}});
  const PlayId stuck{kRoom, 100};
  mixer.engine->play({.play = stuck, .what = PlayFile{folder.path(), "a.wav"}});
  ASSERT_TRUE(mixer.log.wait_for<PlayStarted>(stuck));
  const auto decoders = children();
  ASSERT_EQ(decoders.size(), 1U);
  support::Process tracer({.argv = {"/proc/self/exe", "--trace", std::to_string(decoders[0])}});
  if (!tracer.wait_for_output("traced\n")) GTEST_SKIP() << "no tracing: " << tracer.output();

  mixer.engine->stop_play(stuck);
  const auto stopped = mixer.log.wait_for<PlayEnded>(stuck);
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->cause, PlayEnd::stopped);
  const auto is_there = [&] { return std::ranges::count(children(), decoders[0]) == 1; };
  for (std::uint32_t i = 0; i < limits::kMaxPlaysPerRoom; ++i) {
    mixer.engine->play({.play = {kRoom, i}, .what = Sound::hold_music, .loop = true});
  }
  const PlayId last{kRoom, limits::kMaxPlaysPerRoom - 1};
  const auto refused = mixer.log.wait_for<PlayEnded>(last);
  ASSERT_TRUE(refused) << "it has a thread still";
  EXPECT_EQ(refused->cause, PlayEnd::error);
  EXPECT_TRUE(mixer.log.wait_for<PlayStarted>(PlayId{kRoom, 0}));
  mixer.engine->close_leg(caller.leg());
  EXPECT_TRUE(mixer.log.wait_for<LegClosed>(caller.leg()));
  EXPECT_TRUE(is_there());

  tracer.signal(SIGKILL);
  EXPECT_TRUE(eventually([&] { return !is_there(); }));
  EXPECT_EQ(mixer.log.count<PlayEnded>(stuck), 1U);
}

}  // namespace
}  // namespace media::gst
