// media/arrival_delay.h: how long packets of one leg are under way compared with its fastest ones,
// and so how much delay their playout needs. A histogram of those relative delays with forgetting
// says what is too rare to wait for; what has not happened for a few seconds is not waited for
// either, however often it did, nor a stall that comes alone. Pure; one thread at a time; no
// allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace media {

class ArrivalDelay {
 public:
  struct Config {
    std::int32_t least_samples, most_samples;  // of the delay that is wanted
  };
  explicit ArrivalDelay(Config config) : config_(config), wanted_samples_(config.least_samples) {}

  // A packet with this timestamp and of so many samples came in at `now`, in samples of our clock.
  // Both wrap. 0 samples: it was we who were late, its delay says nothing. `unseen_samples`: it may
  // have to lie there for so long until it is taken.
  void observe(std::uint32_t now, std::uint32_t timestamp, int samples, int unseen_samples = 0);
  // The timestamps that follow have nothing to do with those before. What was learnt of the
  // network stays.
  void restart() { started_ = false; }
  bool started() const { return started_; }

  // What the fastest packets must wait so that no more than kTolerated come too late, and those by
  // more than a bucket: the edge of a network's jitter is waited for.
  std::int32_t wanted_samples() const { return wanted_samples_; }
  // The timestamp that a packet as fast as the fastest would have if it came in now. Requires:
  // started.
  std::uint32_t fastest(std::uint32_t now) const { return now - base(); }

  // Late ones among those remembered: half of what is promised (1 %), because what was learnt is
  // always a little old.
  static constexpr float kTolerated = 1.0F / 200;
  // As many frames are remembered: ten seconds, so that one late packet alone (1/512) is tolerated,
  // and three are not.
  static constexpr float kRemembered_frames = 512;
  // For so long, up to twice that, the fastest packet and the slowest are kept in mind: in eight
  // seconds a clock that is off by 500 ppm goes wrong by 4 ms.
  static constexpr std::uint32_t kBlock_samples = 4 * 48000;
  // The slowest of fewer tells nothing of the next: who is silent may send two a second (DTX).
  static constexpr int kBlock_packets = 50;
  // A stall that begins so long after another comes alone: of the packets that are late within
  // kStall_samples only the first counts. To wait for the next such stall would be a longer delay
  // for seconds, and mostly for nothing.
  static constexpr std::uint32_t kAlone_samples = 10 * 48000;
  static constexpr std::uint32_t kStall_samples = 48000 / 2;

 private:
  static constexpr std::int32_t kBucket_samples = 240;  // 5 ms
  static constexpr std::size_t kBuckets = 64;

  std::uint32_t base() const;
  bool of_lone_stall(std::uint32_t now, std::int64_t relative_samples);
  void count(std::int64_t relative_samples, int samples);
  void choose();

  const Config config_;
  bool started_ = false;
  std::uint32_t block_began_ = 0;                    // by our clock
  std::uint32_t least_ = 0, least_of_previous_ = 0;  // our clock less timestamp, of the fastest
  bool stalled_ = false;  // after what cannot be waited for: those behind it tell nothing new
  std::optional<std::uint32_t> stall_at_;  // when the last one began, by our clock
  bool alone_ = false;                     // it came alone
  std::array<float, kBuckets> share_{};    // of packets so many buckets (rounded up) behind
  float counted_frames_ = 0;
  std::size_t worst_ = 0, worst_of_previous_ = 0;  // bucket
  int block_packets_ = 0;                          // that worst_ is of
  std::int32_t wanted_samples_;
};

}  // namespace media
