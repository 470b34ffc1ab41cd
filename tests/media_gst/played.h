// tests/media_gst/played.h: a piece that is played to a room which hears as fast as it can, and the
// files for it.
#pragma once

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "media/gst/player.h"
#include "tests/media_gst/transport_peer.h"
#include "tests/support/audio.h"
#include "tests/support/made_file.h"
#include "tests/support/sanitized.h"

namespace media::gst {

using support::make_file;

inline constexpr PlayId kPlay{{1}, 1};

// Tests of files that make_file() makes.
class WithFiles : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  void SetUp() override {
    // Our threads do no more here than in play_test.cc; what decodes is another process.
    if (test_support::kThreadsSanitized) {
      GTEST_SKIP() << support::kEncodersUnseen;
    }
  }
};

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
                {.on_event = [this](PlayId, Event event) { log.push(std::move(event)); },
                 .over = [this](PlayEnded end) { log.push(std::move(end)); },
                 .program = "/proc/self/exe",
                 .fetch = std::move(fetch)}) {}
  // What is heard until the end; or until so much of it.
  test_support::Samples hear(std::size_t most = SIZE_MAX) {
    test_support::Samples heard;
    while (heard.size() < most) {
      PlayedFrame frame;
      if (source_->read(frame)) {
        heard.insert(heard.end(), frame.mid.begin(), frame.mid.end());
        side.insert(side.end(), frame.side.begin(), frame.side.end());
      } else if (log.wait_for<PlayEnded>(kPlay, std::chrono::milliseconds(1))) {
        break;
      } else {
        dry.insert(heard.size());
      }
    }
    return heard;
  }
  PlayEnded ended() {
    hear();
    return *log.wait_for<PlayEnded>(kPlay);
  }

  EventLog log;
  test_support::Samples side;  // of what was heard, as PlayedFrame has it
  // Where the decoder was not as fast as that: the frame before is faded out, the next faded in.
  std::set<std::size_t> dry;

 private:
  const std::shared_ptr<PlaySource> source_ = std::make_shared<PlaySource>();

 public:
  Player player_;
};

}  // namespace media::gst
