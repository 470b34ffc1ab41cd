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
  // Two seconds of what a process may say in conference documents (4 MB/s): a
  // server that has not read for longer is as good as gone, and what waits is out of date.
  static constexpr std::size_t kMaxBytes = 8 * 1024 * 1024;
  // The rest is for Jingle: a flood of documents must not refuse a call.
  static constexpr std::size_t kMaxNormalBytes = 6 * 1024 * 1024;
  // What a queued stanza costs beside its text, so that many small ones are bounded too.
  static constexpr std::size_t kOverhead = 64;

  // False: full, and `xml` is dropped.
  bool push(Priority priority, std::string xml);
  std::optional<std::string> pop();
  void clear();
  bool empty() const { return urgent_.empty() && normal_.empty(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::deque<std::string> urgent_, normal_;
  std::size_t bytes_ = 0;
};

}  // namespace jingle
