// A recording without a room: the test is its tick.
#include "media/gst/recorder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "media/limits.h"
#include "media/room_mixer.h"
#include "tests/media_gst/transport_peer.h"
#include "tests/support/audio.h"
#include "tests/support/eventually.h"
#include "tests/support/ogg_reader.h"
#include "tests/support/temp_dir.h"

namespace media::gst {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr RecordId kRecord{{1}, 1};

class Recorded : public ::testing::Test {
 protected:
  Recorded() {
    room_.add(leg_);
    room_.add(sound_);
  }
  RecordSpec spec() const {
    return {.record = kRecord, .directory = folder_.path(), .name = "tea"};
  }
  void begin(const RecordSpec& wanted) {
    recorder_ = std::make_unique<Recorder>(
        wanted, Recorder::Parts{.on_event =
                                    [this](Event event) {
                                      if (std::holds_alternative<RecordCrowded>(event)) ++crowded_;
                                      log_.push(std::move(event));
                                    },
                                .over = [this](RecordEnded end) { log_.push(std::move(end)); }});
    recorder_->begin();
    room_.record(recorder_->tap().get());
  }
  void tick(int ticks) {
    for (int i = 0; i < ticks; ++i, ++ticks_) {
      sound_.write(test_support::tone(440, 8000, kFrame_samples, ticks_ * kFrame_samples));
      room_.tick();
    }
  }
  std::optional<RecordEnded> ended(milliseconds within = kPatience) {
    return log_.wait_for<RecordEnded>(kRecord, within);
  }
  test_support::OggOpusFile mix() const {
    return test_support::read_ogg_opus(folder_ / "tea.opus");
  }
  // All but what the page that is being made holds.
  bool written() {
    return support::eventually([this] {
      return ended(milliseconds(0)) || mix().samples() + 48000 >= ticks_ * kFrame_samples;
    });
  }

  support::TempDir folder_;
  EventLog log_;
  std::atomic<int> crowded_ = 0;
  std::unique_ptr<Recorder> recorder_;
  RoomMixer room_;
  MixLeg leg_{MixLegSpec{.leg = {1}, .contributor_id = 1, .ssrc = 1, .rtp = {}}};
  PlaySource sound_;
  std::size_t ticks_ = 0;
};

TEST_F(Recorded, ItLastsNoLongerThanItMay) {
  RecordSpec brief = spec();
  brief.longest = seconds(2);
  begin(brief);
  tick(99);
  ASSERT_TRUE(written());
  EXPECT_FALSE(ended(milliseconds(0)));
  tick(1);
  const auto end = ended();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->cause, RecordEnd::bound);
  EXPECT_EQ(end->text, "It may last no longer.");
  EXPECT_EQ(end->length, seconds(2));
  EXPECT_TRUE(mix().ended);
  EXPECT_EQ(mix().samples(), 96000u);
}

TEST_F(Recorded, ItEndsWholeWhenItsFolderHoldsWhatItMay) {
  std::ofstream(folder_ / "before.opus") << std::string(50'000, 'x');
  RecordSpec small = spec();
  small.most_bytes = 80'000;
  begin(small);
  while (!ended(milliseconds(0))) {
    tick(50);
    ASSERT_TRUE(written());
  }
  EXPECT_EQ(ended()->cause, RecordEnd::bound);
  EXPECT_EQ(ended()->text, "Recordings may take no more room.");
  EXPECT_TRUE(mix().ended);
  EXPECT_EQ(ended()->bytes, std::filesystem::file_size(folder_ / "tea.opus"));
  EXPECT_GE(ended()->bytes, 30'000u);
  EXPECT_LT(ended()->bytes, 50'000u) << "what a second or two bring";
}

TEST_F(Recorded, WhatOthersPutThereMeanwhileCountsToo) {
  RecordSpec small = spec();
  small.most_bytes = 1'000'000;
  begin(small);
  tick(50);
  ASSERT_TRUE(written());
  EXPECT_FALSE(ended(milliseconds(0)));
  std::ofstream(folder_ / "another.opus") << std::string(1'000'000, 'x');
  ASSERT_TRUE(ended());
  EXPECT_EQ(ended()->cause, RecordEnd::bound);
  EXPECT_EQ(mix().samples(), 48000u);
}

TEST_F(Recorded, WhereThereIsNoRoomNoneBegins) {
  std::ofstream(folder_ / "before.opus") << std::string(1000, 'x');
  RecordSpec small = spec();
  small.most_bytes = 1000;
  begin(small);
  ASSERT_TRUE(ended());
  EXPECT_EQ(ended()->cause, RecordEnd::error);
  EXPECT_EQ(ended()->text, "Recordings may take no more room.");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "tea.opus"));
}

TEST_F(Recorded, WhereTheDiskHasLessLeftThanItMustNoneBegins) {
  RecordSpec careful = spec();
  careful.least_free_bytes = UINT64_MAX;
  begin(careful);
  ASSERT_TRUE(ended());
  EXPECT_EQ(ended()->cause, RecordEnd::error);
  EXPECT_EQ(ended()->text, "The disk has too little room left.");
}

TEST_F(Recorded, AFolderThatIsGoneIsMadeAgainForUsAlone) {
  RecordSpec gone = spec();
  gone.directory = folder_ / "gone";
  begin(gone);
  ASSERT_TRUE(log_.wait_for<RecordStarted>(kRecord));
  EXPECT_EQ(std::filesystem::status(gone.directory).permissions(),
            std::filesystem::perms::owner_all);
}

TEST_F(Recorded, WhereNobodyMakesFilesNoneBegins) {
  RecordSpec refused = spec();
  refused.directory = "/sys/kernel";  // root neither
  begin(refused);
  ASSERT_TRUE(ended());
  EXPECT_EQ(ended()->cause, RecordEnd::error);
  EXPECT_EQ(ended()->text, "The folder for recordings cannot be written to.");
  EXPECT_FALSE(log_.wait_for<RecordReady>(kRecord, milliseconds(0)));
}

TEST_F(Recorded, OneWhoseFileWasDeletedHasFailed) {
  begin(spec());
  tick(100);
  ASSERT_TRUE(written());
  ASSERT_TRUE(std::filesystem::remove(folder_ / "tea.opus"));
  recorder_->finish();
  ASSERT_TRUE(ended());
  EXPECT_EQ(ended()->cause, RecordEnd::error);
  EXPECT_EQ(ended()->text, "Its file is gone: somebody has deleted it.");
}

TEST_F(Recorded, WhoeverSpeaksAfterTooManyIsInTheMixAloneAndThatIsSaidOnce) {
  RecordSpec each = spec();
  each.speakers = true;
  begin(each);
  const std::vector<std::uint8_t> silence = {0xF8, 0xFF, 0xFE};
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t id = 1; id <= limits::kMaxRecordTracks + 5; ++id) {
      recorder_->tap()->queue().push({.now_samples = recorder_->tap()->now_samples(),
                                      .contributor_id = id,
                                      .ssrc = id,
                                      .timestamp = static_cast<std::uint32_t>(ticks_ * 960),
                                      .payload = silence});
    }
    tick(50);
  }
  const auto crowded = log_.wait_for<RecordCrowded>(kRecord);
  ASSERT_TRUE(crowded);
  EXPECT_EQ(crowded->speakers, limits::kMaxRecordTracks);
  recorder_->finish();
  ASSERT_TRUE(ended());
  EXPECT_EQ(ended()->cause, RecordEnd::stopped);
  EXPECT_EQ(ended()->files, limits::kMaxRecordTracks + 1);
  EXPECT_EQ(crowded_, 1);
  EXPECT_EQ(mix().samples(), 96000u);
}

}  // namespace
}  // namespace media::gst
