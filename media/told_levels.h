// media/told_levels.h: whether a leg's packets say how loud it is (RFC 6464), as far as that can be
// seen: by what was decoded. Nothing makes a client count rightly, and what it says decides who is
// heard: one that is stuck loud would hold a slot for ever, one that is stuck silent never be
// heard. Pure; one thread at a time; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace media {

class ToldLevels {
 public:
  // For each tick that was decoded: what its packets said before, and what it measured. Where
  // neither is a voice it says nothing about the other.
  void compare(std::uint8_t told_dbov, std::uint8_t measured_dbov);
  bool believed() const { return right_ticks_ == kRight_ticks; }

  // A client may count otherwise: peaks are 10 dB above the mean. Less than kDrowned_db.
  static constexpr int kOff_db = 15;
  // What is told is ahead of the sound, by two ticks and a packet of 120 ms; and it ends before the
  // sound does, which is concealed for 100 ms. Less than the hang-over by a pause.
  static constexpr int kWrong_ticks = 18;
  static constexpr int kRight_ticks = 100;  // two seconds of a voice

 private:
  int wrong_ticks_ = 0;  // since it was right
  int right_ticks_ = kRight_ticks;
};

// Of those who wait, some at once, for half a second each, and then the next ones.
class Turns {
 public:
  explicit Turns(std::size_t at_once) : at_once_(at_once) {}
  void begin();  // a tick
  // By each who waits, in the same order in each tick: whether it is his turn.
  bool take();

  static constexpr int kTurn_ticks = 25;

 private:
  const std::size_t at_once_;
  std::size_t waiting_ = 0;  // in the last tick
  std::size_t first_ = 0;    // of them, whose turn it is
  std::size_t asked_ = 0, taken_ = 0;
  int ticks_ = 0;
};

}  // namespace media
