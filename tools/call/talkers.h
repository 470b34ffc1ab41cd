// tools/call/talkers.h: who speaks in what a mixer sends: the contributing sources of its packets
// (RFC 3550 §7.1). Heard, not decoded.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>

#include "media/gst/gst_ptr.h"
#include "media/thread_role.h"

namespace call {

class Talkers {
 public:
  // Control thread. Throws std::runtime_error when GStreamer lacks an element.
  Talkers();
  ~Talkers();  // waits for a push under way
  Talkers(const Talkers&) = delete;
  Talkers& operator=(const Talkers&) = delete;

  const media::gst::ElementPtr& leg_src() const { return leg_src_; }
  // Any thread: who was in a packet of the last half second.
  std::set<std::uint32_t> talking() const;

 private:
  using Clock = std::chrono::steady_clock;
  void heard(GstBuffer* buffer);

  mutable media::Mutex mutex_;
  std::map<std::uint32_t, Clock::time_point> last_ ABSL_GUARDED_BY(mutex_);
  // The control thread's
  media::gst::ElementPtr pipeline_, leg_src_;
};

}  // namespace call
