// media/listener_loss.h: what a listener's receiver reports (RFC 3550 §6.4.1) say of how he is to
// be encoded for: how much loss to expect, in few steps, without going to and fro. Pure; any one
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace media {

class ListenerLoss {
 public:
  // None, little, much, heavy.
  static constexpr std::size_t kSteps = 4;
  // What the encoder is told to expect at each, and gives bits away for (RFC 6716 §2.1.7).
  static constexpr std::array<int, kSteps> kExpected_percent{0, 10, 15, 20};
  // A path that loses this much is likely full: a lower bitrate from here on.
  static constexpr std::uint8_t kHeavy = 3;

  // `fraction` of about so many `packets` was lost since his last report; 0 packets say nothing.
  // Law: reports that all say the same never lower the step, unless to where it stays; it is 0 a
  // minute and a half after the last loss.                   tests/media/listener_loss_test.cc
  void report(double fraction, std::uint64_t packets);

  std::uint8_t step() const { return step_; }
  double smoothed() const { return smoothed_; }

 private:
  double smoothed_ = 0;
  std::uint8_t step_ = 0;
};

}  // namespace media
