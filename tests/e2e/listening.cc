#include "tests/e2e/listening.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/e2e/world.h"
#include "tools/call/tones.h"
#include "tools/call/wav.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

// How long before a gap is written down something may have made it (buffers); how much later it may
// still be there, and the recorder slow.
constexpr auto kBefore = 2000ms, kAfter = 500ms;

double length_s(const std::string& recording) {
  return static_cast<double>(std::filesystem::file_size(recording)) / sizeof(std::int16_t) / 48000;
}

}  // namespace

Listening::Listening(std::vector<Tone> tones) {
  for (Tone& tone : tones) {
    const double from_s = length_s(tone.recording);
    tracks_.push_back({.tone = std::move(tone), .from_s = from_s});
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { follow(stop); });
}

void Listening::follow(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      const std::lock_guard lock(mutex_);
      const auto now = std::chrono::steady_clock::now();
      for (Track& track : tracks_) track.grown.emplace_back(now, length_s(track.tone.recording));
    }
    std::this_thread::sleep_for(50ms);
  }
}

std::chrono::duration<double> Listening::fair() const { return starvation_.fair(kBefore, kAfter); }

int Listening::expect_no_gaps() const {
  const std::lock_guard lock(mutex_);
  int excused = 0;
  for (const Track& track : tracks_) {
    const auto sound = call::read_wav(track.tone.recording);
    EXPECT_TRUE(sound) << track.tone.recording;
    if (!sound) continue;
    const auto written = [&](double at_s) {
      const auto found =
          std::ranges::lower_bound(track.grown, at_s, {}, &std::pair<Time, double>::second);
      return found == track.grown.end() ? std::chrono::steady_clock::now() : found->first;
    };
    for (const auto& gap : call::gaps(sound->samples, track.tone.hz, kTone_dbfs)) {
      if (gap.at_s < track.from_s) continue;
      const bool known = !starvation_.between(written(gap.at_s) - kBefore,
                                              written(gap.at_s + gap.seconds) + kAfter);
      excused += known ? 0 : 1;
      EXPECT_FALSE(known) << track.tone.hz << " Hz is missing for " << gap.seconds << " s after "
                          << gap.at_s << " s in " << track.tone.recording;
    }
  }
  return excused;
}

}  // namespace e2e
