#include "mixer/call_limit.h"

#include "mixer/limits.h"

namespace mixer {

using namespace std::chrono_literals;

CallLimit::CallLimit(int per_minute)
    : calls_(per_minute, 60s), refused_(limits::kRefusedCalls, 60s) {}

bool CallLimit::take(const std::string& jid, TimePoint now) {
  if (calls_.take(jid, now)) return true;
  refused(jid, now);
  return false;
}

void CallLimit::refused(const std::string& jid, TimePoint now) {
  if (refused_.take(jid, now)) return;
  if (blocked_until_.size() >= limits::kMaxRateKeys) {
    std::erase_if(blocked_until_, [now](const auto& entry) { return entry.second <= now; });
  }
  if (blocked_until_.size() < limits::kMaxRateKeys) blocked_until_[jid] = now + limits::kBlockedFor;
}

bool CallLimit::blocked(const std::string& jid, TimePoint now) const {
  const auto found = blocked_until_.find(jid);
  return found != blocked_until_.end() && now < found->second;
}

}  // namespace mixer
