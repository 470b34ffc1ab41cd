// What a recording leaves behind, read by those who share no code with us: GStreamer, and opusinfo.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "media/gst/recorder.h"
#include "media/room_mixer.h"
#include "tests/media_gst/played.h"
#include "tests/support/audio.h"
#include "tests/support/ogg_reader.h"
#include "tests/support/opus_codec.h"
#include "tests/support/process.h"
#include "tests/support/seed.h"
#include "tests/support/temp_dir.h"

namespace media::gst {
namespace {

namespace fs = std::filesystem;

constexpr RecordId kRecord{{1}, 1};
constexpr int kTicks = 1000;

struct Reading {
  std::uint64_t samples = 0;  // that were decoded
  double duration_s = 0;      // that the file was said to have
  std::string title{}, complaints{};
};

void take(const GstMessage& message, Reading& reading) {
  auto* const said = const_cast<GstMessage*>(&message);
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(said) == GST_MESSAGE_TAG) {
    GstTagList* tags = nullptr;
    gst_message_parse_tag(said, &tags);
    gchar* title = nullptr;
    if (gst_tag_list_get_string(tags, GST_TAG_TITLE, &title)) reading.title = title;
    g_free(title);
    gst_tag_list_unref(tags);
  } else if (GST_MESSAGE_TYPE(said) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(said, &error, nullptr);
  } else if (GST_MESSAGE_TYPE(said) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning(said, &error, nullptr);
  }
  if (error) reading.complaints += std::string(error->message) + '\n';
  g_clear_error(&error);
}

Reading read_by_gstreamer(const fs::path& path) {
  Reading reading;
  const auto pipeline = ElementPtr::sink(
      gst_parse_launch(("uridecodebin uri=file://" + path.string() +
                        " ! audioconvert ! audio/x-raw,format=S16LE,channels=1,rate=48000"
                        " ! fakesink name=out signal-handoffs=true")
                           .c_str(),
                       nullptr));
  const auto out = ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  void (*const on_sound)(GstElement*, GstBuffer*, GstPad*,
                         gpointer) = [](GstElement*, GstBuffer* buffer, GstPad*, gpointer samples) {
    *static_cast<std::uint64_t*>(samples) += gst_buffer_get_size(buffer) / 2;
  };
  g_signal_connect(out.get(), "handoff", G_CALLBACK(on_sound), &reading.samples);
  const auto bus = ObjectPtr<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  for (bool more = true; more;) {
    GstMessage* const message = gst_bus_timed_pop(bus.get(), 60 * GST_SECOND);
    if (!message) {
      reading.complaints += "no end\n";
      break;
    }
    take(*message, reading);
    const auto type = GST_MESSAGE_TYPE(message);
    more = type != GST_MESSAGE_EOS && type != GST_MESSAGE_ERROR;
    gint64 duration = 0;
    if (type == GST_MESSAGE_EOS &&
        gst_element_query_duration(pipeline.get(), GST_FORMAT_TIME, &duration)) {
      reading.duration_s = static_cast<double>(duration) / GST_SECOND;
    }
    gst_message_unref(message);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return reading;
}

// The mix and one who speaks now and then, in packets of all lengths, some late and some lost.
class RecordedFile : public WithFiles {
 protected:
  void SetUp() override {
    WithFiles::SetUp();
    if (IsSkipped()) return;
    EventLog log;
    Recorder recorder({.record = kRecord,
                       .directory = folder_.path(),
                       .name = "tea",
                       .comments = {"TITLE=Tea at five"},
                       .speakers = true},
                      {.on_event = [&](Event event) { log.push(std::move(event)); },
                       .over = [&](RecordEnded end) { log.push(std::move(end)); }});
    recorder.begin();
    record(recorder);
    recorder.finish();
    const auto end = log.wait_for<RecordEnded>(kRecord);
    ASSERT_TRUE(end);
    ASSERT_EQ(end->files, 2u);
    ASSERT_EQ(end->lost, 0u);
  }

  void record(Recorder& recorder) {
    RoomMixer room;
    MixLeg leg(MixLegSpec{.leg = {1}, .contributor_id = 1, .ssrc = 1, .rtp = {}});
    PlaySource music;
    room.add(leg);
    room.add(music);
    room.record(recorder.tap().get());
    test_support::OpusSender sender;
    std::size_t speaks_at = 0;  // ticks
    for (std::size_t tick = 0; tick < kTicks; ++tick) {
      const bool sounds = tick / 150 % 2 == 0;
      music.write(test_support::tone(440, sounds ? 8000 : 0, kFrame_samples, tick * 960));
      room.tick();
      if (tick < speaks_at) continue;
      const std::size_t frames = 1 + random_() % 3;
      const auto packet = sender.encode(test_support::tone(300, 8000, frames * 960, tick * 960));
      speaks_at = tick + frames + (random_() % 10 == 0 ? random_() % 50 : 0);
      if (random_() % 20 == 0) continue;  // lost
      recorder.tap()->queue().push({.now_samples = recorder.tap()->now_samples(),
                                    .contributor_id = 7,
                                    .ssrc = 99,
                                    .timestamp = static_cast<std::uint32_t>(tick * 960),
                                    .payload = packet});
    }
  }

  const unsigned seed_ = test_support::test_seed();
  std::mt19937 random_{seed_};
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
  support::TempDir folder_;
};

TEST_F(RecordedFile, IsReadByGStreamerToItsLastSample) {
  for (const std::string name : {"tea.opus", "tea-7.opus"}) {
    const auto file = test_support::read_ogg_opus(folder_ / name);
    ASSERT_TRUE(file.ended) << name;
    const Reading reading = read_by_gstreamer(folder_ / name);
    EXPECT_EQ(reading.complaints, "") << name;
    EXPECT_EQ(reading.title, "Tea at five") << name;
    EXPECT_EQ(reading.samples, file.samples() - static_cast<std::uint64_t>(file.pre_skip)) << name;
    EXPECT_NEAR(reading.duration_s, static_cast<double>(reading.samples) / 48000, 0.001) << name;
  }
}

// As after SIGKILL, or where a disk gave up: at whichever byte it ends, all whole pages are heard.
TEST_F(RecordedFile, CutAnywhereIsReadByOthersToItsLastWholePage) {
  for (const std::string name : {"tea.opus", "tea-7.opus"}) {
    const auto size = fs::file_size(folder_ / name);
    const auto first = test_support::read_ogg_opus(folder_ / name).page_ends.front();
    for (int round = 0; round < 10; ++round) {
      const auto cut = first + random_() % (size - first);
      fs::copy_file(folder_ / name, folder_ / "cut.opus", fs::copy_options::overwrite_existing);
      fs::resize_file(folder_ / "cut.opus", cut);
      const auto file = test_support::read_ogg_opus(folder_ / "cut.opus");
      const Reading reading = read_by_gstreamer(folder_ / "cut.opus");
      EXPECT_EQ(reading.complaints, "") << name << " cut at " << cut;
      EXPECT_EQ(reading.title, "Tea at five");
      EXPECT_EQ(reading.samples, file.samples() - static_cast<std::uint64_t>(file.pre_skip))
          << name << " cut at " << cut;
    }
  }
}

TEST_F(RecordedFile, OpusinfoFindsNothingAmissButTheMissingEndOfACutOne) {
  if (!support::have_program("opusinfo")) GTEST_SKIP() << "opusinfo (opus-tools) is not installed";
  for (const std::string name : {"tea.opus", "tea-7.opus"}) {
    std::string said;
    EXPECT_EQ(support::run_command({.argv = {"opusinfo", folder_ / name}}, &said), 0) << said;
    EXPECT_EQ(said.find("WARNING"), said.npos) << said;
    EXPECT_NE(said.find("TITLE=Tea at five"), said.npos) << said;
    const std::string length = "Playback length: ";
    int minutes = 0;
    double seconds = 0;
    ASSERT_NE(said.find(length), said.npos) << said;
    ASSERT_EQ(std::sscanf(said.c_str() + said.find(length) + length.size(), "%dm:%lfs", &minutes,
                          &seconds),
              2)
        << said;
    const auto file = test_support::read_ogg_opus(folder_ / name);
    EXPECT_NEAR(60 * minutes + seconds,
                static_cast<double>(file.samples()) / 48000 - file.pre_skip / 48000.0, 0.001)
        << said;

    fs::resize_file(folder_ / name, file.page_ends.at(3) + 1 + random_() % 1000);
    said.clear();
    support::run_command({.argv = {"opusinfo", folder_ / name}}, &said);
    const auto complaint = said.find("WARNING");
    EXPECT_NE(complaint, said.npos);
    EXPECT_EQ(complaint, said.find("WARNING: EOS not set")) << said;
    EXPECT_EQ(said.find("WARNING", complaint + 1), said.npos) << said;
  }
}

}  // namespace
}  // namespace media::gst
