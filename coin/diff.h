// coin/diff.h: partial notifications (RFC 4575 §4.4) and their merging (§4.6).
// Pure; any thread.
#pragma once

#include <optional>
#include <vector>

#include "coin/conference_info.h"

namespace coin {

// The partial that turns `base` into `target` under merge(); nullopt when they are equal (nothing
// is sent); full instead of partial when no user is left unchanged (it costs the same and heals a
// receiver that missed one) and when a partial cannot say it: an unkeyed child or attribute gone, a
// key given twice. A changed user or sidebar is sent whole and full, one who left as deleted; user
// and endpoint are never partial, because Jitsi misreads those. Every partial repeats
// conference-description and conference-state: Jitsi refuses documents without. Versions and sid
// are the notifier's: both sides' are ignored here and absent in the result.
// It looks at everybody: where changes are known as they happen, partial() says the same in
// O(changed), and this is what says whether it does.
// Requires: both full at every level. Equality ignores the order of keyed children.
// Law: merge(base, *diff(base, target)) == target.     tests/coin/diff_property_test.cc
std::optional<ConferenceInfo> diff(const ConferenceInfo& base, const ConferenceInfo& target);

// diff()'s partial, for who knows already which users changed: those new or changed as they are
// now, those gone as deleted. Other users are not looked at: O(changed). nullopt: a partial cannot
// say what else changed.
std::optional<ConferenceInfo> partial(const ConferenceInfo& base, const ConferenceInfo& target,
                                      std::vector<User> changed);

// `base` after receiving `document` (§4.6), whatever its state. Full replaces. Deleted leaves the
// entity and nothing else. Partial:
//   - what has a state (users, user, endpoint, URI lists, sidebars) by that state: full replaces or
//     is inserted, deleted goes, partial merges into what is there, or is inserted when unknown;
//   - what has a key and no state (media, URI and available-media entries) replaces its namesake or
//     is inserted, the others stay;
//   - anything else replaces its namesake whole when present and stays when absent; so do foreign
//     attributes and elements. conference-description and host-info are replaced whole, but a
//     partial URI list inside merges with the old one's, as its state says.
// A key given twice: the last one counts, and takes the place of all when a partial names it.
// The result is full at every level (root deleted: deleted), for children of what is full are full
// (§4.4); those marked deleted are gone. Version and sid are the document's.
// Requires: base is full.
ConferenceInfo merge(ConferenceInfo base, const ConferenceInfo& document);

// One receiver's view of a conference (§4.6): versions decide whether a document is applied.
// A document without a version cannot be ordered, but the stream it came by is: full or deleted is
// the newest and applied, and until the next numbered full document no partial follows anything.
// Versions have 32 bits and do not wrap: after the last one only a new View helps.
class View {
 public:
  enum class Outcome {
    applied,
    stale,    // version not above the local one: discarded
    gap,      // a partial that does not follow: discarded; the view is stale until the next full
              // document
    no_base,  // partial or deleted with nothing to apply it to, at first or after the conference
              // was deleted: discarded, and stale likewise
  };
  Outcome receive(const ConferenceInfo& document);

  // Until the first full document: nullopt. State deleted: the conference is over.
  const std::optional<ConferenceInfo>& info() const { return info_; }
  // Something was missed that only a full document can make up for.
  bool stale() const { return stale_; }

 private:
  std::optional<ConferenceInfo> info_;
  bool stale_ = false;
};

}  // namespace coin
