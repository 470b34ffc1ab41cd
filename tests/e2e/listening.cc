#include "tests/e2e/listening.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>

#include "tests/e2e/world.h"
#include "tests/support/eventually.h"
#include "tools/call/tones.h"
#include "tools/call/wav.h"

namespace e2e {
namespace {

using namespace std::chrono_literals;

// How long before a gap is written down something may have made it (buffers); how much later it may
// still be there, and the recorder slow.
constexpr auto kBefore = 2000ms, kAfter = 500ms;
constexpr auto kLook = 50ms;

bool comes_to_hear(const std::string& recording, double hz) {
  return support::eventually([&] { return last_dbfs(recording, hz, 0.5) > kTone_dbfs - 3; }, kWait);
}

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
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = std::chrono::steady_clock::now();
    for (Track& track : tracks_) track.grown.emplace_back(now, length_s(track.tone.recording));
    stopped.wait_for(lock, stop, kLook, [] { return false; });
  }
}

Listening::Time Listening::Track::when(double at_s) const {
  const auto found = std::ranges::lower_bound(grown, at_s, {}, &std::pair<Time, double>::second);
  return found == grown.end() ? std::chrono::steady_clock::now() : found->first;
}

Listening::Excused Listening::expect_no_gaps() const {
  for (const Track& track : tracks_) {  // or what is missing now would be none
    EXPECT_TRUE(comes_to_hear(track.tone.recording, track.tone.hz)) << track.tone.recording;
  }
  Excused excused;
  for (const Track& track : so_far()) {
    const auto sound = call::read_wav(track.tone.recording);
    EXPECT_TRUE(sound) << track.tone.recording;
    if (!sound) continue;
    for (const auto& gap : call::gaps(sound->samples, track.tone.hz, kTone_dbfs)) {
      if (gap.at_s < track.from_s) continue;
      const Time over = track.when(gap.at_s + gap.seconds);
      if (starvation_.between(track.when(gap.at_s) - kBefore, over + kAfter)) {
        ++excused.gaps;
        excused.last = std::max(excused.last, over);
        continue;
      }
      ADD_FAILURE() << track.tone.hz << " Hz is missing for " << gap.seconds << " s after "
                    << gap.at_s << " s in " << track.tone.recording;
    }
  }
  return excused;
}

std::vector<Listening::Track> Listening::so_far() const {
  const std::lock_guard lock(mutex_);
  return tracks_;
}

bool Listening::expect_unbroken(std::chrono::seconds length, std::chrono::seconds within) const {
  const Time begun = std::chrono::steady_clock::now();
  const auto tracks = so_far();
  for (Time since = begun; since + length <= begun + within;) {
    const auto grown = [&](const Track& track) {
      return length_s(track.tone.recording) >=
             track.from_s + std::chrono::duration<double>(since - begun + length).count();
    };
    const auto left = begun + within - std::chrono::steady_clock::now();
    if (!support::eventually([&] { return std::ranges::all_of(tracks, grown); },
                             std::chrono::ceil<std::chrono::milliseconds>(left))) {
      EXPECT_TRUE(starvation_.between(begun, begun + within)) << "what is heard is not recorded";
      return false;
    }
    const Excused excused = expect_no_gaps();
    if (testing::Test::HasFailure()) return false;
    if (excused.last <= since) return true;
    since = excused.last;
  }
  return false;
}

}  // namespace e2e
