#include "coin/diff.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace coin {
namespace {

template <class T>
struct Changes {
  std::vector<T> entries;     // new or changed as they are in the target, then the deleted
  std::size_t unchanged = 0;  // of the target's
  bool gone = false;          // an entry of the base is not in the target
};

template <class T>
T deleted(const std::string& entity) {
  T entry;
  entry.entity = entity;
  entry.state = State::deleted;
  return entry;
}

template <class T>
using Index = std::unordered_map<std::string_view, const T*>;

// nullopt: a key is given twice, and no partial can keep both.
template <class T>
std::optional<Index<T>> index(const std::vector<T>& entries, std::string T::*key) {
  Index<T> by_key;
  by_key.reserve(entries.size());
  for (const T& entry : entries) by_key.emplace(entry.*key, &entry);
  if (by_key.size() != entries.size()) return std::nullopt;
  return by_key;
}

template <class T>
std::optional<Changes<T>> changes(const std::vector<T>& base, const std::vector<T>& target,
                                  std::string T::*key) {
  const auto old = index(base, key), now = index(target, key);
  if (!old || !now) return std::nullopt;
  Changes<T> result;
  for (const T& entry : target) {
    const auto found = old->find(entry.*key);
    if (found != old->end() && *found->second == entry) {
      ++result.unchanged;
    } else {
      result.entries.push_back(entry);
    }
  }
  for (const T& entry : base) {
    if (now->find(entry.*key) != now->end()) continue;
    result.gone = true;
    if constexpr (requires { entry.entity; }) result.entries.push_back(deleted<T>(entry.*key));
  }
  return result;
}

// A list with an entity and a state for each of its entries: the partial list, which may be empty.
// nullopt: only the whole list will do.
template <class List, class T>
std::optional<List> partial_list(const List& base, const List& target, std::vector<T> List::*list) {
  auto changed = changes(base.*list, target.*list, &T::entity);
  if (!changed) return std::nullopt;
  List result;
  result.state = State::partial;
  result.*list = std::move(changed->entries);
  if (base.foreign != target.foreign) result.foreign = target.foreign;
  return result;
}

// URI entries have no state: they can be added and changed, but none can be taken away.
Uris changed_uris(const std::optional<Uris>& base, const Uris& target) {
  if (!base || base->foreign != target.foreign) return target;
  auto changed = changes(base->entries, target.entries, &UriEntry::uri);
  if (!changed || changed->gone) return target;
  Uris result;
  result.state = State::partial;
  result.entries = std::move(changed->entries);
  return result;
}

std::optional<SidebarsByVal> changed_sidebars(const ConferenceInfo& base,
                                              const ConferenceInfo& target) {
  if (!target.sidebars_by_val) {
    SidebarsByVal gone;
    gone.state = State::deleted;
    return gone;
  }
  if (!base.sidebars_by_val) return target.sidebars_by_val;
  auto partial =
      partial_list(*base.sidebars_by_val, *target.sidebars_by_val, &SidebarsByVal::entries);
  return partial ? partial : target.sidebars_by_val;
}

// Without the users, which are many and which a partial can always say.
ConferenceInfo small_parts(const ConferenceInfo& info) {
  ConferenceInfo rest;
  rest.entity = info.entity;
  rest.state = info.state;
  rest.description = info.description;
  rest.host_info = info.host_info;
  rest.conference_state = info.conference_state;
  rest.sidebars_by_ref = info.sidebars_by_ref;
  rest.sidebars_by_val = info.sidebars_by_val;
  rest.foreign = info.foreign;
  if (info.users) rest.users.emplace().foreign = info.users->foreign;
  return rest;
}

ConferenceInfo full(const ConferenceInfo& target) {
  ConferenceInfo document = target;
  document.version.reset();
  document.sid.reset();
  return document;
}

bool same_document(const ConferenceInfo& base, const ConferenceInfo& target, bool same_users) {
  return same_users && base.entity == target.entity && base.description == target.description &&
         base.host_info == target.host_info && base.conference_state == target.conference_state &&
         base.sidebars_by_ref == target.sidebars_by_ref &&
         base.sidebars_by_val == target.sidebars_by_val && base.foreign == target.foreign;
}

}  // namespace

std::optional<ConferenceInfo> diff(const ConferenceInfo& base, const ConferenceInfo& target) {
  if (!base.users || !target.users || base.entity != target.entity) {
    if (same_document(base, target, base.users == target.users)) return std::nullopt;
    return full(target);
  }
  auto users = changes(base.users->users, target.users->users, &User::entity);
  if (!users) {
    if (same_document(base, target, *base.users == *target.users)) return std::nullopt;
    return full(target);
  }
  const bool same_users = users->entries.empty() && base.users->foreign == target.users->foreign;
  if (same_document(base, target, same_users)) return std::nullopt;
  if (users->unchanged == 0) return full(target);
  auto document = partial(base, target, std::move(users->entries));
  return document ? document : full(target);
}

std::optional<ConferenceInfo> partial(const ConferenceInfo& base, const ConferenceInfo& target,
                                      std::vector<User> changed) {
  if (!base.users || !target.users || base.entity != target.entity) return std::nullopt;
  ConferenceInfo partial;
  partial.entity = target.entity;
  partial.state = State::partial;
  partial.description = target.description;
  partial.conference_state = target.conference_state;
  if (base.host_info != target.host_info) partial.host_info = target.host_info;
  if (base.sidebars_by_ref != target.sidebars_by_ref && target.sidebars_by_ref) {
    partial.sidebars_by_ref = changed_uris(base.sidebars_by_ref, *target.sidebars_by_ref);
  }
  if (base.sidebars_by_val != target.sidebars_by_val) {
    partial.sidebars_by_val = changed_sidebars(base, target);
  }
  if (base.foreign != target.foreign) partial.foreign = target.foreign;
  partial.users.emplace().state = State::partial;
  if (base.users->foreign != target.users->foreign) partial.users->foreign = target.users->foreign;

  // What has no key or no state can be put, not taken away: whether that will do is seen by trying.
  if (merge(small_parts(base), partial) != small_parts(target)) return std::nullopt;

  partial.users->users = std::move(changed);
  return partial;
}

}  // namespace coin
