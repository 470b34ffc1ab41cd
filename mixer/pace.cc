#include "mixer/pace.h"

#include <algorithm>

#include "mixer/limits.h"

namespace mixer {

bool Pace::want(const jingle::pep::Payload* payload, TimePoint now) {
  if (payload ? wanted == *payload : !wanted) return false;
  if (wanted == shown) differs_since = now;
  wanted.reset();
  if (payload) wanted = *payload;
  changed_at = now;
  return true;
}

TimePoint Pace::due() const {
  const TimePoint at =
      std::min(changed_at + limits::kPublishAfter, differs_since + limits::kPublishAtLatest);
  return published_at ? std::max(at, *published_at + limits::kPublishGap) : at;
}

}  // namespace mixer
