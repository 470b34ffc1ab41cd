// signaling/strophe_send_queue.h: stanzas waiting for the stream; urgent overtakes normal, first in
// first out within each. A value; one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "signaling/xmpp_connection.h"

namespace jingle {

class SendQueue {
 public:
  // Each by itself: whatever documents and presence wait, no call is refused for it.
  // Thousands of calls that begin at once, at 2 to 3 kB each.
  static constexpr std::size_t kMaxUrgentBytes = 8 * 1024 * 1024;
  // A second of what a process may say in conference documents (4 MB/s): what waits is out of date.
  static constexpr std::size_t kMaxNormalBytes = 4 * 1024 * 1024;
  // What a queued stanza costs beside its text, so that many small ones are bounded too.
  static constexpr std::size_t kOverhead = 64;

  // False: full, and `xml` is dropped.
  bool push(Priority priority, std::string xml);
  std::optional<std::string> pop();
  void clear();
  bool empty() const { return urgent_.stanzas.empty() && normal_.stanzas.empty(); }
  std::size_t bytes() const { return urgent_.bytes + normal_.bytes; }

 private:
  struct Lane {
    std::deque<std::string> stanzas;
    std::size_t bytes = 0;
  };
  Lane urgent_, normal_;
};

}  // namespace jingle
