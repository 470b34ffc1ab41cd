// tests/e2e/listening.h: tones that must not cease, in recordings that are being made. A gap of
// them is a failure, but not where the machine kept a program of ours waiting just then.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/starvation.h"

namespace e2e {

struct Tone {
  std::string recording;
  double hz;
};

class Listening {
 public:
  using Time = support::Starvation::Time;

  // From now on; each is there already.
  explicit Listening(std::vector<Tone> tones);

  // call::gaps() since the beginning. Those of which nobody knows whose they are: how many, and
  // when the last was over. Ask while all who sound are still there.
  struct Excused {
    int gaps = 0;
    Time last{};
  };
  Excused expect_no_gaps() const;
  // Waits until there was none for that long without a break, nor any other. False: it did not come
  // to that `within` the time, and what is not said to be a failure was the machine's.
  bool expect_unbroken(std::chrono::seconds length, std::chrono::seconds within) const;

 private:
  struct Track {
    Tone tone;
    double from_s;
    std::vector<std::pair<Time, double>> grown = {};  // when it was how long
    Time when(double at_s) const;                     // that was written; now: it is not yet
  };
  void follow(const std::stop_token& stop);
  std::vector<Track> so_far() const;

  const support::Starvation starvation_;
  mutable std::mutex mutex_;
  std::vector<Track> tracks_;
  std::jthread thread_;
};

}  // namespace e2e
