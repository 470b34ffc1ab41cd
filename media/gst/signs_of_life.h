// media/gst/signs_of_life.h: when a peer is quiet. Who sends RTP sends it often, even without sound
// (Opus DTX: every 400 ms), and is missed soon. Who sends none gives signs of life that are seconds
// apart: checks and answers to ours (RFC 7675 §5.1: every 4 to 6 s), reports. They count when RTP
// has ended before; so the end of a peer that was heard until then is not hidden by an earlier
// sign. One thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "media/gst/transport_limits.h"

namespace media::gst {

class SignsOfLife {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // True: the peer was called quiet until now.
  bool rtp(TimePoint now) {
    rtp_ = now;
    return std::exchange(quiet_, false);
  }
  bool other(TimePoint now) {
    other_ = now;
    return std::exchange(quiet_, false);
  }
  // max(): it is quiet.
  TimePoint next_deadline() const { return quiet_ ? TimePoint::max() : quiet_at(); }
  // True: it is quiet from now on.
  bool on_deadline(TimePoint now) {
    if (quiet_ || now < quiet_at()) return false;
    return quiet_ = true;
  }

 private:
  TimePoint quiet_at() const {
    const auto without_rtp = rtp_ + limits::kQuietTime;
    return other_ > rtp_ ? std::max(without_rtp, other_ + limits::kSignlessTime) : without_rtp;
  }

  TimePoint rtp_{}, other_{};
  bool quiet_ = false;
};

}  // namespace media::gst
