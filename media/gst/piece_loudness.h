// media/gst/piece_loudness.h: brings a piece to a loudness (EBU R 128). A piece that was measured
// before it is played keeps one gain from its beginning to its end; one that cannot be is followed
// slowly. However long it is, a sample of it costs the same time and no memory. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace media::gst {

class PieceLoudness {
 public:
  explicit PieceLoudness(double target_lufs);
  ~PieceLoudness();

  // 48 kHz, two channels interleaved, 1 = full scale. Mono is the same in both, and as loud as it
  // is by itself.
  void measure(std::span<const float> samples);
  // What was measured is all that counts: the gain is fixed.
  void settle();
  // It will not be measured ahead; `gain_db`: what its tags say brings it to the target.
  void follow(std::optional<double> gain_db);
  // With the gain, as S16.
  void play(std::span<const float> samples, std::vector<std::int16_t>& out);
  double gain_db() const { return gain_db_; }
  double target_lufs() const { return target_lufs_; }

 private:
  // nullopt: nothing but silence so far.
  std::optional<double> measured_gain_db() const;

  const double target_lufs_;
  struct Meter;
  const std::unique_ptr<Meter> meter_;
  double gain_db_ = 0;
  bool follows_ = false;
  std::uint64_t followed_samples_ = 0, asked_at_samples_ = 0;
  std::optional<double> wanted_gain_db_;  // as it was then
};

}  // namespace media::gst
