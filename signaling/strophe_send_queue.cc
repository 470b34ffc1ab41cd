#include "signaling/strophe_send_queue.h"

#include <utility>

namespace jingle {

bool SendQueue::push(Priority priority, std::string xml) {
  const std::size_t bytes = bytes_ + xml.size() + kOverhead;
  if (bytes > (priority == Priority::urgent ? kMaxBytes : kMaxNormalBytes)) return false;
  bytes_ = bytes;
  (priority == Priority::urgent ? urgent_ : normal_).push_back(std::move(xml));
  return true;
}

std::optional<std::string> SendQueue::pop() {
  if (empty()) return std::nullopt;
  std::deque<std::string>& queue = urgent_.empty() ? normal_ : urgent_;
  std::string xml = std::move(queue.front());
  queue.pop_front();
  bytes_ -= xml.size() + kOverhead;
  return xml;
}

void SendQueue::clear() {
  urgent_.clear();
  normal_.clear();
  bytes_ = 0;
}

}  // namespace jingle
