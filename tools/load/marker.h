// tools/load/marker.h: marker tones: each talker now and then says a short tone of its own amid its
// speech; where a listener's decoded sound begins to hold it tells how long the way through a mixer
// takes, and who is heard at all. Pure; one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/audio_frame.h"

namespace load {

using TimePoint = std::chrono::steady_clock::time_point;

// So many talkers of a room have a tone: as many as a room mixes by default.
inline constexpr std::size_t kMarkers = 8;
// Where speech is weak but a wideband codec still has them, and further apart than what 20 ms can
// tell apart.
double marker_hz(std::size_t marker);
inline constexpr double kMarker_dbfs = -14;

// What a talker says: that speech in a loop, with a marker after each 3.6 s of it, between pauses
// that let it stand out; no marker: the pauses alone. A multiple of kPeriod_frames.
inline constexpr std::size_t kPeriod_frames = 200, kMarkerAt_frame = 183, kMarker_frames = 10;
std::vector<std::int16_t> with_markers(std::span<const std::int16_t> speech,
                                       std::optional<std::size_t> marker);

// Listens for some of the markers.
class MarkerDetector {
 public:
  explicit MarkerDetector(std::size_t markers) : states_(markers) {}

  struct Onset {
    std::size_t marker = 0;
    TimePoint at;  // when the frame came in which the tone begins
  };
  // The next 20 ms, which came at that time. Each marker is told once, when it has lasted 80 ms.
  std::vector<Onset> frame(const media::Frame& frame, TimePoint at);

 private:
  struct State {
    std::size_t run = 0;  // frames with the tone
    bool gone = true;     // since the last one told
    TimePoint onset;
    bool tail = false;  // the last frame's end held it
  };
  std::vector<State> states_;
  TimePoint before_;
};

// Level of a tone in a sound, dBFS: of 20 ms or, within the last 5 ms of a frame, its end only.
double level_dbfs(std::span<const std::int16_t> samples, double hz);

}  // namespace load
