// mixer/byte_budget.h: how many bytes of conference documents may be sent, and how many the way to
// the server takes. Pure; signaling thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>

#include "mixer/clock.h"
#include "mixer/limits.h"

namespace mixer {

// So much per second, and a burst of limits::kCoinBurst; what does not fit waits.
class Rate {
 public:
  explicit Rate(double per_second) : per_second_(per_second) {}
  TimePoint ready_at() const { return ready_at_; }
  void spend(std::size_t much, TimePoint now);

 private:
  double per_second_;
  TimePoint ready_at_{};
};

// What all rooms of a process send: a rate, and a window of what is on the link. The link is first
// in, first out, from our queue to the server's parser. So an answer shows that its document has
// passed the link and whatever was sent before it, answered or not; the time it took, the link's
// lag, is what a call that is put in now may have to wait, or less: the peer's own time is in it.
// The window follows it: smaller when the lag is over limits::kCoinLag, larger while it is well
// below.
// Law: nothing counts as passed because time has passed, but for the oldest after kCoinReplyTimeout
// and the lag, and after twice as long each time until there is an answer again: a link that
// carries nothing is given no more than a window at ever longer times.
class ByteBudget {
 public:
  explicit ByteBudget(double bytes_per_second,
                      std::size_t most_document_bytes = limits::kMaxDocumentBytes)
      : rate_(bytes_per_second), most_document_bytes_(most_document_bytes) {}

  std::size_t most_document_bytes() const { return most_document_bytes_; }
  // Not before; it may not be ready then either.
  TimePoint ready_at() const { return std::max(rate_.ready_at(), look_again_at_); }
  // The same for a room that has nothing on the link: its one document goes beside the window, or
  // the documents of a large room would keep those of a small one waiting.
  TimePoint ready_for_first_at() const { return rate_.ready_at(); }
  void spend(std::size_t bytes, TimePoint now) { rate_.spend(bytes, now); }

  // A document was given to the link. Returns when an answer is late.
  TimePoint sent(const std::string& id, std::size_t bytes, TimePoint now);
  // By result or error, in time or late; ids that were not sent are ignored.
  void answered(const std::string& id, TimePoint now);
  // Not ready while the window is full.
  void look(TimePoint now);
  // What was on the link is lost.
  void link_down();

 private:
  struct Document {
    std::string id;
    std::size_t bytes = 0;
    TimePoint sent{};
  };
  void passed(std::size_t documents);

  Rate rate_;
  std::size_t most_document_bytes_;
  TimePoint look_again_at_{};
  std::deque<Document> on_link_;  // oldest first
  std::size_t bytes_on_link_ = 0;
  std::size_t window_ = limits::kCoinWindowAtFirst;
  TimePoint narrowed_at_{};
  TimePoint::duration lag_{};
  TimePoint::duration patience_ = limits::kCoinReplyTimeout;
};

}  // namespace mixer
