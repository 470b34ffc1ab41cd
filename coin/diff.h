// coin/diff.h: partial notifications (RFC 4575 §4.4) and their merging (§4.6).
// Pure; any thread.
#pragma once

#include <optional>

#include "coin/conference_info.h"

namespace coin {

// The partial that turns `base` into `target` under merge(); nullopt when they are equal (nothing
// is sent); full instead of partial when every user changed (it costs the same and heals a receiver
// that missed one) and when a partial cannot say it (an unkeyed child gone). A changed user is sent
// whole and full, one who left as deleted; user and endpoint are never partial, because Jitsi
// misreads those. Every partial repeats conference-description and conference-state: Jitsi refuses
// documents without. Versions and sid are the notifier's: both sides' are ignored here and absent
// in the result. Requires: both full. Equality ignores the order of keyed children. Law:
// merge(base, *diff(base, target)) == target.     tests/coin/diff_property_test.cc
std::optional<ConferenceInfo> diff(const ConferenceInfo& base, const ConferenceInfo& target);

// `base` after receiving `document` (§4.6), whatever its state: full replaces, partial merges by
// key, deleted leaves a conference without users. The result's state is full (deleted: deleted);
// version and sid are the document's. Requires: base is full.
ConferenceInfo merge(ConferenceInfo base, const ConferenceInfo& document);

// One receiver's view of a conference (§4.6): versions decide whether a document is applied.
class View {
 public:
  enum class Outcome {
    applied,
    stale,    // version not above the local one: discarded
    gap,      // a partial that does not follow: discarded; the view is stale until the next full
              // document
    no_base,  // a partial before any full document: discarded
  };
  Outcome receive(const ConferenceInfo& document);

  // Until the first full document: nullopt.
  const std::optional<ConferenceInfo>& info() const { return info_; }
  bool stale() const { return stale_; }

 private:
  std::optional<ConferenceInfo> info_;
  bool stale_ = false;
};

}  // namespace coin
