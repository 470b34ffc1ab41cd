// What becomes of a piece, a recording and the names of ICE servers when the machine has no thread
// left, or hardly a file descriptor: each of them ends with a sentence, and nothing else does.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "media/gst/child_process.h"
#include "media/gst/ice_servers.h"
#include "tests/media_gst/engine_fixture.h"
#include "tests/media_gst/played.h"
#include "tests/support/no_threads.h"
#include "tests/support/sanitized.h"
#include "tests/support/temp_dir.h"

namespace media::gst {
namespace {

constexpr RoomId kRoom{1};
constexpr const char* kNoThread = "The mixer has no thread left for it.";

// Two callers in a room, of whom one talks.
class Scarcity : public ::testing::Test {
 protected:
  Scarcity() {
    for (TestCaller* caller : {&talker_, &listener_}) dial(mixer_, *caller, kRoom);
    mixer_.engine->set_mix_plan(kRoom, {{{.leg = talker_.leg()}, {.leg = listener_.leg()}}});
    for (TestCaller* caller : {&talker_, &listener_}) {
      EXPECT_TRUE(mixer_.log.wait_for<LegConnected>(caller->leg()));
      EXPECT_TRUE(caller->wait_connected());
    }
    talker_.talk();
  }
  void expect_the_call_goes_on() {
    EXPECT_TRUE(listener_.wait_for_sound(listener_.packets().size() * 960 + 48000));
    double level = 0;  // of the last half second; a machine that is in want makes gaps
    EXPECT_TRUE(eventually([&] {
      level = test_support::tone_dbfs(listener_.last_samples(24000), 440);
      return std::abs(level - TestCaller::kLevel_dbfs) < 2;
    })) << level;
    for (const TestCaller* caller : {&talker_, &listener_}) {
      EXPECT_EQ(mixer_.log.count<LegFailed>(caller->leg()), 0U);
    }
  }

  Engine mixer_;
  CallerThread thread_;
  TestCaller talker_{thread_, LegId{1}, 440}, listener_{thread_, LegId{2}, 610};
};

TEST_F(Scarcity, APieceWithoutAThreadEndsWithASentenceAndTheCallGoesOn) {
  const PlaySpec piece{.play = {kRoom, 1}, .what = Sound::hold_music, .loop = true};
  {
    const support::NoThreads none;
    mixer_.engine->play(piece);
    const auto ended = mixer_.log.wait_for<PlayEnded>(piece.play);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->cause, PlayEnd::error);
    EXPECT_EQ(ended->text, kNoThread);
  }
  expect_the_call_goes_on();
  PlaySpec again = piece;
  again.play.number = 2;
  mixer_.engine->play(again);
  EXPECT_TRUE(mixer_.log.wait_for<PlayStarted>(again.play));
}

TEST_F(Scarcity, ARecordingWithoutAThreadEndsWithASentenceAndTheCallGoesOn) {
  const support::TempDir folder;
  const RecordSpec record{.record = {kRoom, 1}, .directory = folder.path(), .name = "tea"};
  {
    const support::NoThreads none;
    mixer_.engine->prepare_record(record);
    const auto ended = mixer_.log.wait_for<RecordEnded>(record.record);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->cause, RecordEnd::error);
    EXPECT_EQ(ended->text, kNoThread);
    EXPECT_EQ(ended->file, "");
  }
  expect_the_call_goes_on();
  RecordSpec again = record;
  again.record.number = 2;
  mixer_.engine->prepare_record(again);
  EXPECT_TRUE(mixer_.log.wait_for<RecordReady>(again.record));
}

TEST(ScarceThreads, NamesOfIceServersWaitForTheNextTime) {
  std::atomic<int> lines{0}, changes{0};
  IceServerResolver resolver([&] { ++changes; }, [&](std::string_view) { ++lines; });
  const std::vector<IceServer> servers{{.host = "localhost"}, {.host = "192.0.2.1"}};
  {
    const support::NoThreads none;
    resolver.set(servers);
  }
  EXPECT_EQ(lines, 1);
  EXPECT_EQ(resolver.servers().size(), 1U) << "the one that has no name";
  resolver.set(servers);
  EXPECT_TRUE(eventually([&] { return changes == 1; }));
  EXPECT_GT(resolver.servers().size(), 1U);
}

// So many files may be opened, and no more.
class FewFiles {
 public:
  explicit FewFiles(std::size_t most) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    Fd last(open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(last.get()) + 64;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (last) {
      taken_.push_back(std::move(last));
      last = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    taken_.resize(taken_.size() - std::min(most, taken_.size()));
  }
  ~FewFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;

 private:
  rlimit before_{};
  std::vector<Fd> taken_;
};

TEST(ScarceFiles, WithHoweverFewAPieceIsPlayedOrEndsWithASentence) {
  if (test_support::kSanitized) GTEST_SKIP() << "UBSan looks at memory through a pipe of its own";
  const support::TempDir folder;
  test_support::write_wav(folder / "a.wav", {48000, test_support::tone(440, 8000, 9600)});
  const int before = open_fds();
  bool played = false;
  for (std::size_t most = 0; most < 16; ++most) {
    SCOPED_TRACE(most);
    PlayEnded end;
    {
      const FewFiles few(most);
      end = Played(folder.path(), "a.wav").ended();
    }
    played = end.cause == PlayEnd::finished;
    EXPECT_TRUE(played || end.text == kTooMuchOpen || end.text == kCannotStart) << end.text;
    EXPECT_FALSE(played && most == 0);
    EXPECT_EQ(open_fds(), before);
  }
  EXPECT_TRUE(played) << "with enough of them";
}

}  // namespace
}  // namespace media::gst
