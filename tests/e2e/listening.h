// tests/e2e/listening.h: tones that must not cease, in recordings that are being made. A gap of
// them is a failure, but not where the machine kept a program of ours waiting just then.
#pragma once

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
  // From now on; each is there already.
  explicit Listening(std::vector<Tone> tones);

  // How much of the time so far is good for finding gaps.
  std::chrono::duration<double> fair() const;
  // call::gaps() since the beginning; how many more there are of which nobody knows whose they are.
  int expect_no_gaps() const;

 private:
  using Time = support::Starvation::Time;
  struct Track {
    Tone tone;
    double from_s;
    std::vector<std::pair<Time, double>> grown = {};  // when it was how long
  };
  void follow(const std::stop_token& stop);

  const support::Starvation starvation_;
  mutable std::mutex mutex_;
  std::vector<Track> tracks_;
  std::jthread thread_;
};

}  // namespace e2e
