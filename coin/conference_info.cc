#include "coin/conference_info.h"

#include <algorithm>

namespace coin {
namespace {

// Equal as sets by key. Keys are unique in a proper document; where one is repeated, the entries
// that share it are compared in their order, so that this stays an equivalence.
template <class T>
bool equal_by_key(const std::vector<T>& a, const std::vector<T>& b, std::string T::*key) {
  if (a.size() != b.size()) return false;
  const auto same_key = [key](const T& x, const T& y) { return x.*key == y.*key; };
  if (std::equal(a.begin(), a.end(), b.begin(), same_key)) return a == b;
  const auto sorted = [key](const std::vector<T>& entries) {
    std::vector<const T*> order;
    order.reserve(entries.size());
    for (const T& entry : entries) order.push_back(&entry);
    std::stable_sort(order.begin(), order.end(),
                     [key](const T* x, const T* y) { return x->*key < y->*key; });
    return order;
  };
  const auto left = sorted(a), right = sorted(b);
  return std::equal(left.begin(), left.end(), right.begin(),
                    [](const T* x, const T* y) { return *x == *y; });
}

}  // namespace

bool Uris::operator==(const Uris& other) const {
  return state == other.state && foreign == other.foreign &&
         equal_by_key(entries, other.entries, &UriEntry::uri);
}

bool AvailableMedia::operator==(const AvailableMedia& other) const {
  return foreign == other.foreign && equal_by_key(entries, other.entries, &MediumEntry::label);
}

bool Endpoint::operator==(const Endpoint& other) const {
  return entity == other.entity && state == other.state && display_text == other.display_text &&
         referred == other.referred && status == other.status &&
         joining_method == other.joining_method && joining_info == other.joining_info &&
         disconnection_method == other.disconnection_method &&
         disconnection_info == other.disconnection_info && call_info == other.call_info &&
         foreign == other.foreign && equal_by_key(media, other.media, &Media::id);
}

bool User::operator==(const User& other) const {
  return entity == other.entity && state == other.state && display_text == other.display_text &&
         associated_aors == other.associated_aors && roles == other.roles &&
         languages == other.languages && cascaded_focus == other.cascaded_focus &&
         foreign == other.foreign && equal_by_key(endpoints, other.endpoints, &Endpoint::entity);
}

bool Users::operator==(const Users& other) const {
  return state == other.state && foreign == other.foreign &&
         equal_by_key(users, other.users, &User::entity);
}

bool SidebarsByVal::operator==(const SidebarsByVal& other) const {
  return state == other.state && foreign == other.foreign &&
         equal_by_key(entries, other.entries, &ConferenceInfo::entity);
}

bool ConferenceInfo::operator==(const ConferenceInfo& other) const {
  return entity == other.entity && state == other.state && version == other.version &&
         description == other.description && host_info == other.host_info &&
         conference_state == other.conference_state && users == other.users &&
         sidebars_by_ref == other.sidebars_by_ref && sidebars_by_val == other.sidebars_by_val &&
         foreign == other.foreign && sid == other.sid;
}

}  // namespace coin
