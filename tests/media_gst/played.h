// tests/media_gst/played.h: a piece that is played to a room which hears as fast as it can, and the
// files for it.
#pragma once

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "media/gst/gst_ptr.h"
#include "media/gst/player.h"
#include "tests/media_gst/transport_peer.h"
#include "tests/support/audio.h"
#include "tests/support/sanitized.h"

namespace media::gst {

inline constexpr PlayId kPlay{{1}, 1};

// Tests of files that make_file() makes.
class WithFiles : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  void SetUp() override {
    // Our threads do no more here than in play_test.cc; what decodes is another process.
    if (test_support::kThreadsSanitized) {
      GTEST_SKIP()
          << "TSan does not see how GStreamer's encoders, which make the files, are locked";
    }
  }
};

// A file as GStreamer's own elements write it; false: an element is not there.
inline bool make_file(const std::string& pipeline) {
  GError* error = nullptr;
  const auto made = ElementPtr::sink(gst_parse_launch(pipeline.c_str(), &error));
  if (error) {
    g_error_free(error);
    return false;
  }
  gst_element_set_state(made.get(), GST_STATE_PLAYING);
  const auto bus = ObjectPtr<GstBus>::adopt(gst_element_get_bus(made.get()));
  GstMessage* const end = gst_bus_timed_pop_filtered(
      bus.get(), 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  const bool good = end && GST_MESSAGE_TYPE(end) == GST_MESSAGE_EOS;
  if (end) gst_message_unref(end);
  gst_element_set_state(made.get(), GST_STATE_NULL);
  return good;
}

// The processes that this one has started and not reaped.
inline std::vector<pid_t> children() {
  std::vector<pid_t> all;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream in(thread.path() / "children");
    for (pid_t child = 0; in >> child;) all.push_back(child);
  }
  return all;
}

// A player whose room hears as fast as it can.
class Played {
 public:
  Played(const std::string& directory, const std::string& name, double lufs = -23)
      : Played({.play = kPlay, .what = PlayFile{directory, name}, .loudness_lufs = lufs}) {}
  explicit Played(PlaySpec spec, FetchRules fetch = {})
      : player_(std::move(spec), source_,
                {.on_event = [this](Event event) { log.push(std::move(event)); },
                 .over = [this](PlayEnded end) { log.push(std::move(end)); },
                 .program = "/proc/self/exe",
                 .fetch = std::move(fetch)}) {}
  // What is heard until the end; or until so much of it.
  test_support::Samples hear(std::size_t most = SIZE_MAX) {
    test_support::Samples heard;
    while (heard.size() < most) {
      Frame frame;
      if (source_.read(frame)) {
        heard.insert(heard.end(), frame.begin(), frame.end());
      } else if (log.wait_for<PlayEnded>(kPlay, std::chrono::milliseconds(1))) {
        break;
      }
    }
    return heard;
  }
  PlayEnded ended() {
    hear();
    return *log.wait_for<PlayEnded>(kPlay);
  }

  EventLog log;

 private:
  PlaySource source_;

 public:
  Player player_;
};

}  // namespace media::gst
