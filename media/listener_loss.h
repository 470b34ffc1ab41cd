// media/listener_loss.h: what a listener's receiver reports (RFC 3550 §6.4.1) say of how he is to
// be encoded for: how much loss to expect, in few steps, without going to and fro. Pure; any one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace media {

class ListenerLoss {
 public:
  // None; some: with FEC (RFC 6716 §2.1.7) from here on; heavy: such a path is likely full, and
  // gets a lower bitrate, too.
  static constexpr std::uint8_t kSome = 1, kHeavy = 2;
  static constexpr std::size_t kSteps = 3;

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
