#include "signaling/strophe_send_queue.h"

#include <utility>

namespace jingle {

bool SendQueue::push(Priority priority, std::string xml) {
  const bool urgent = priority == Priority::urgent;
  Lane& lane = urgent ? urgent_ : normal_;
  const std::size_t bytes = lane.bytes + xml.size() + kOverhead;
  if (bytes > (urgent ? kMaxUrgentBytes : kMaxNormalBytes)) return false;
  lane.bytes = bytes;
  lane.stanzas.push_back(std::move(xml));
  return true;
}

std::optional<std::string> SendQueue::pop() {
  if (empty()) return std::nullopt;
  Lane& lane = urgent_.stanzas.empty() ? normal_ : urgent_;
  std::string xml = std::move(lane.stanzas.front());
  lane.stanzas.pop_front();
  lane.bytes -= xml.size() + kOverhead;
  return xml;
}

void SendQueue::clear() { urgent_ = normal_ = {}; }

}  // namespace jingle
