// Rooms of the real engine as they are recorded.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "media/gst/record_file.h"
#include "media/gst/recorder.h"
#include "media/room_mixer.h"
#include "tests/media_gst/engine_fixture.h"
#include "tests/support/audio.h"
#include "tests/support/eventually.h"
#include "tests/support/ogg_reader.h"
#include "tests/support/opus_codec.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace media::gst {
namespace {

using test_support::tone_dbfs;

constexpr RoomId kRoom{1};
constexpr RecordId kRecord{kRoom, 1};

// At its loudest: where this process had to wait for the machine, some of it is concealed.
double loudest_dbfs(std::span<const std::int16_t> sound, double tone_hz) {
  constexpr std::size_t kPart = 9600;
  double loudest = -200;
  for (; sound.size() >= kPart; sound = sound.subspan(kPart)) {
    loudest = std::max(loudest, tone_dbfs(sound.first(kPart), tone_hz));
  }
  return loudest;
}

// One caller in a room, who talks.
class RecordedRoom : public ::testing::Test {
 protected:
  RecordedRoom() {
    dial(mixer_, caller_, kRoom);
    mixer_.engine->set_mix_plan(kRoom, {{{.leg = caller_.leg()}}});
    EXPECT_TRUE(mixer_.log.wait_for<LegConnected>(caller_.leg()));
    EXPECT_TRUE(caller_.wait_connected());
    caller_.talk();
  }
  RecordSpec spec() const {
    return {.record = kRecord,
            .directory = folder_.path(),
            .name = "tea",
            .comments = {"TITLE=Tea"},
            .speakers = true};
  }
  void record(const RecordSpec& wanted) {
    mixer_.engine->prepare_record(wanted);
    ASSERT_TRUE(mixer_.log.wait_for<RecordReady>(wanted.record));
    mixer_.engine->record(wanted.record);
  }
  std::string path(const std::string& name) const { return folder_ / name; }
  bool recorded(const std::string& name, std::uint64_t seconds) const {
    return support::eventually([&] {
      return std::filesystem::exists(path(name)) &&
             test_support::read_ogg_opus(path(name)).samples() >= seconds * 48000;
    });
  }

  support::TempDir folder_;
  Engine mixer_;
  CallerThread thread_;
  TestCaller caller_{thread_, LegId{1}, 440};
};

TEST_F(RecordedRoom, TheMixAndTheSpeakersOwnPacketsAreInFilesThatOthersRead) {
  record(spec());
  const auto started = mixer_.log.wait_for<RecordStarted>(kRecord);
  ASSERT_TRUE(started);
  EXPECT_EQ(started->file, "tea.opus");
  ASSERT_TRUE(recorded("tea-5001.opus", 3));
  mixer_.engine->stop_record(kRecord);
  const auto ended = mixer_.log.wait_for<RecordEnded>(kRecord);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->cause, RecordEnd::stopped);
  EXPECT_EQ(ended->files, 2u);
  EXPECT_EQ(ended->lost, 0u);
  double levels[2];
  int i = 0;
  for (const std::string name : {"tea.opus", "tea-5001.opus"}) {
    const auto file = test_support::read_ogg_opus(path(name));
    EXPECT_TRUE(file.ended) << name;
    EXPECT_EQ(file.comments, std::vector<std::string>{"TITLE=Tea"});
    const auto sound = test_support::decode(file);
    ASSERT_GT(sound.size(), 96000u);
    levels[i++] = loudest_dbfs(sound, 440);
    struct stat mode {};
    ASSERT_EQ(stat(path(name).c_str(), &mode), 0);
    EXPECT_EQ(mode.st_mode & 0777, 0600u);
    if (support::have_program("opusinfo")) {
      std::string said;
      EXPECT_EQ(support::run_command({.argv = {"opusinfo", path(name)}}, &said), 0) << said;
      EXPECT_EQ(said.find("WARNING"), said.npos) << said;
    }
  }
  EXPECT_NEAR(levels[0], TestCaller::kLevel_dbfs, 2);
  EXPECT_NEAR(levels[1], TestCaller::kLevel_dbfs, 2);
}

TEST_F(RecordedRoom, ARecordingEndsWithItsRoom) {
  record(spec());
  ASSERT_TRUE(recorded("tea.opus", 1));
  mixer_.engine->close_leg(caller_.leg());
  const auto ended = mixer_.log.wait_for<RecordEnded>(kRecord);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->cause, RecordEnd::stopped);
  EXPECT_TRUE(test_support::read_ogg_opus(path("tea.opus")).ended);
}

TEST_F(RecordedRoom, ARecordingEndsWithTheEngine) {
  record(spec());
  ASSERT_TRUE(recorded("tea.opus", 1));
  mixer_.engine.reset();
  EXPECT_TRUE(mixer_.log.wait_for<RecordEnded>(kRecord, std::chrono::milliseconds(0)));
  EXPECT_TRUE(test_support::read_ogg_opus(path("tea.opus")).ended);
}

TEST_F(RecordedRoom, WhatIsThereAlreadyIsNotTouched) {
  record(spec());
  ASSERT_TRUE(recorded("tea.opus", 1));
  mixer_.engine->stop_record(kRecord);
  ASSERT_TRUE(mixer_.log.wait_for<RecordEnded>(kRecord));
  RecordSpec again = spec();
  again.record.number = 2;
  record(again);
  EXPECT_EQ(mixer_.log.wait_for<RecordStarted>(again.record)->file, "tea-2.opus");
  RecordSpec third = spec();
  third.record.number = 3;
  mixer_.engine->prepare_record(third);
  EXPECT_EQ(mixer_.log.wait_for<RecordEnded>(third.record)->text,
            "The call is being recorded already.");
}

// While people still hear that they will be recorded.
TEST_F(RecordedRoom, OneThatHasNotBegunHasNoFileAndEndsAsAnyOther) {
  mixer_.engine->prepare_record(spec());
  ASSERT_TRUE(mixer_.log.wait_for<RecordReady>(kRecord));
  ASSERT_TRUE(caller_.wait_for_sound(caller_.packets().size() * 960 + 24000));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  mixer_.engine->stop_record(kRecord);
  const auto ended = mixer_.log.wait_for<RecordEnded>(kRecord);
  ASSERT_TRUE(ended);
  EXPECT_EQ(*ended, RecordEnded{.record = kRecord});
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_FALSE(mixer_.log.wait_for<RecordStarted>(kRecord, std::chrono::milliseconds(0)));
  mixer_.engine->record(kRecord);  // the end may have overtaken
  RecordSpec again = spec();
  again.record.number = 2;
  record(again);
  EXPECT_TRUE(mixer_.log.wait_for<RecordStarted>(again.record));
}

TEST_F(RecordedRoom, AFolderThatIsNotThereEndsItWithASentence) {
  RecordSpec nowhere = spec();
  nowhere.directory = path("no/where");
  mixer_.engine->prepare_record(nowhere);
  const auto ended = mixer_.log.wait_for<RecordEnded>(kRecord);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->cause, RecordEnd::error);
  EXPECT_EQ(ended->text, "There is no folder for recordings.");
  EXPECT_TRUE(caller_.wait_for_sound(caller_.packets().size() * 960 + 24000)) << "the room goes on";
}

TEST(RecordIntoARoom, ThatIsEmptyIsRefused) {
  Engine mixer;
  mixer.engine->prepare_record({.record = kRecord, .directory = "/tmp", .name = "tea"});
  EXPECT_EQ(mixer.log.wait_for<RecordEnded>(kRecord)->text, "Nobody is there.");
}

TEST(RecordFile, WhatTheDiskRefusesIsASentenceAndNothingOfItStays) {
  const support::TempDir folder;
  RecordFile file(folder.path(), "a.opus");
  const std::vector<std::uint8_t> bytes(1000);
  file.write(bytes);
  // A child, so that the limit is its own.
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1500, 1500};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      file.write(bytes);
    } catch (const std::runtime_error& error) {
      _exit(std::string(error.what()) == "The file may not become larger." ? 0 : 1);
    }
    _exit(2);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(std::filesystem::file_size(folder / "a.opus"), 1000u);
}

TEST(RecordFile, IsNoneWhereNothingWasWritten) {
  const support::TempDir folder;
  { const RecordFile file(folder.path(), "a.opus"); }
  EXPECT_FALSE(std::filesystem::exists(folder / "a.opus"));
}

TEST(RecordFile, IsNeverOneThatIsThereOrALink) {
  const support::TempDir folder;
  std::filesystem::create_symlink(folder / "b", folder / "a.opus");
  EXPECT_THROW(RecordFile(folder.path(), "a.opus"), std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(folder / "b"));
}

// No room, but a tick that does what one does.
TEST(Recorder, ADiskThatStandsStillCostsSilenceAndNoTime) {
  const support::TempDir folder;
  EventLog log;
  Recorder recorder({.record = kRecord, .directory = folder.path(), .name = "tea"},
                    {.on_event = [&](Event event) { log.push(std::move(event)); },
                     .over = [&](RecordEnded ended) { log.push(std::move(ended)); }});
  recorder.begin();
  ASSERT_TRUE(log.wait_for<RecordStarted>(kRecord));
  // More in one go than the queue holds: as if the thread had been kept for a minute.
  RoomMixer room;
  MixLeg leg({.leg = {1}, .contributor_id = 1, .ssrc = 1, .rtp = {}});
  room.add(leg);
  room.record(recorder.tap().get());
  PlaySource noise;
  room.add(noise);
  std::uint64_t ticks = 0;
  while (recorder.tap()->queue().lost() == 0 && ticks < 200000) {
    const test_support::Samples tone = test_support::tone(440, 8000, kFrame_samples, ticks * 960);
    noise.write(tone);
    room.tick();
    // As large as a packet may be: the queue is full the sooner.
    const std::vector<std::uint8_t> large(1275, 0xF8);
    for (int i = 0; i < 20; ++i) {
      recorder.tap()->queue().push({.now_samples = recorder.tap()->now_samples(),
                                    .contributor_id = 7,
                                    .timestamp = static_cast<std::uint32_t>(ticks * 960),
                                    .payload = large});
    }
    ++ticks;
  }
  EXPECT_TRUE(log.wait_for<RecordLost>(kRecord));
  for (int i = 0; i < 50; ++i, ++ticks) room.tick();
  recorder.finish();
  const auto ended = log.wait_for<RecordEnded>(kRecord);
  ASSERT_TRUE(ended);
  EXPECT_GT(ended->lost, 0u);
  EXPECT_EQ(test_support::read_ogg_opus(folder / "tea.opus").samples(), ticks * 960);
  EXPECT_EQ(test_support::read_ogg_opus(folder / "tea-7.opus").samples(), ticks * 960);
}

}  // namespace
}  // namespace media::gst
