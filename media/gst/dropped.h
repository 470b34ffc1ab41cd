// media/gst/dropped.h: packets that were thrown away, and how the log is told of them. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "media/gst/io_thread.h"

namespace media::gst {

struct Dropped {
  std::uint64_t outbox_full = 0, refused = 0;  // on their way to legs (IoCounters)
  std::uint64_t ring_full = 0;                 // of legs: too many waited for a tick
  std::uint64_t srtp_rejected = 0, junk = 0;   // that came (IoCounters)
  bool operator==(const Dropped&) const = default;

  Dropped& operator+=(const IoCounters& io);
  Dropped operator-(const Dropped& before) const;
};
// "outbox_full=3 junk=1": what there is.
std::string to_string(const Dropped& dropped);

// A line when there are more, at most every limits::kDroppedTold. One thread at a time.
class DroppedLog {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Line = std::function<void(std::string_view)>;

  // `warning` is told when sound of calls is among it; what else was rejected may be a stranger's.
  DroppedLog(Line warning, Line note) : warning_(std::move(warning)), note_(std::move(note)) {}

  // From now on something may be dropped.
  void begin(TimePoint now);
  TimePoint due() const { return due_; }  // when to tell() next
  // `all`: since the process began. `over`: nothing more will be, until it begins again.
  void tell(const Dropped& all, bool over, TimePoint now);

 private:
  Line warning_, note_;
  Dropped told_;
  TimePoint due_ = TimePoint::max();
};

}  // namespace media::gst
