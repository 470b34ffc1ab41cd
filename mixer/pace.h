// mixer/pace.h: when news of one node are told, so that who skips through a record is waited for
// (XEP-0118 §3): when nothing has changed for limits::kPublishAfter (at latest after
// kPublishAtLatest of changing), no more often than every kPublishGap, and not if it shows that
// already. What is over is told of at once. A value; any thread.
#pragma once

#include <optional>

#include "mixer/clock.h"
#include "signaling/pep.h"

namespace mixer {

struct Pace {
  std::optional<jingle::pep::Payload> wanted, shown;  // nullopt: nothing
  TimePoint changed_at{}, differs_since{};            // of `wanted`
  std::optional<TimePoint> published_at;

  // nullptr: nothing. False: it is so already.
  bool want(const jingle::pep::Payload* payload, TimePoint now);
  bool needs_publishing() const { return wanted && wanted != shown; }
  // Requires: needs_publishing().
  TimePoint due() const;
};

}  // namespace mixer
