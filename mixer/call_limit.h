// mixer/call_limit.h: how often one JID may call (XEP-0166 §13.2). Beyond the limit it is told so;
// whoever goes on regardless, as no person does, is not listened to for a while. Pure; signaling
// thread.
#pragma once

#include <map>
#include <string>

#include "mixer/clock.h"
#include "mixer/rate_window.h"

namespace mixer {

class CallLimit {
 public:
  explicit CallLimit(int per_minute);

  // Whether it may call, which is counted.
  bool take(const std::string& jid, TimePoint now);
  // It was refused for another reason: counts like a call beyond the limit.
  void refused(const std::string& jid, TimePoint now);
  // After limits::kRefusedCalls of these in a minute, for limits::kBlockedFor.
  bool blocked(const std::string& jid, TimePoint now) const;

 private:
  RateWindow calls_, refused_;
  std::map<std::string, TimePoint> blocked_until_;  // at most limits::kMaxRateKeys
};

}  // namespace mixer
