#include <algorithm>
#include <iterator>
#include <string_view>
#include <unordered_map>

#include "coin/diff.h"
#include "coin/xml_foreign.h"

namespace coin {
namespace {

// Children of what is full are full (§4.4), and those deleted are not there.
template <class T>
void settle(std::vector<T>& entries);
void settle(std::optional<Uris>& uris);

void settle_children(Endpoint&) {}
void settle_children(User& user) {
  settle(user.associated_aors);
  settle(user.endpoints);
}
void settle_children(ConferenceInfo& info) {
  if (info.description) {
    settle(info.description->conf_uris);
    settle(info.description->service_uris);
  }
  if (info.host_info) settle(info.host_info->uris);
  if (info.users && info.users->state == State::deleted) info.users.reset();
  if (info.users) {
    info.users->state = State::full;
    settle(info.users->users);
  }
  settle(info.sidebars_by_ref);
  if (info.sidebars_by_val && info.sidebars_by_val->state == State::deleted) {
    info.sidebars_by_val.reset();
  }
  if (info.sidebars_by_val) {
    info.sidebars_by_val->state = State::full;
    settle(info.sidebars_by_val->entries);
  }
}

template <class T>
void settle(std::vector<T>& entries) {
  std::erase_if(entries, [](const T& entry) { return entry.state == State::deleted; });
  for (T& entry : entries) {
    entry.state = State::full;
    settle_children(entry);
  }
}
void settle(std::optional<Uris>& uris) {
  if (uris && uris->state == State::deleted) uris.reset();
  if (uris) uris->state = State::full;
}

// Entries by key while changes are put in. Few changes are found by looking along the entries; for
// many an index pays off. A key given twice is made one when a change names it: the last one
// counts.
template <class T>
class Keyed {
 public:
  Keyed(std::vector<T>& entries, std::string T::*key, std::size_t changes)
      : entries_(entries), key_(key), indexed_(changes > 16) {
    for (std::size_t i = 0; indexed_ && i < entries_.size(); ++i) {
      indexed_ = index_.emplace(entries_[i].*key_, i).second;
    }
  }
  T* find(const std::string& key) {
    if (indexed_) {
      const auto found = index_.find(key);
      return found == index_.end() ? nullptr : &entries_[found->second];
    }
    const auto has_key = [&](const T& entry) { return entry.*key_ == key; };
    const auto last = std::find_if(entries_.rbegin(), entries_.rend(), has_key);
    if (last == entries_.rend()) return nullptr;
    const auto others = std::remove_if(entries_.begin(), last.base() - 1, has_key);
    return &*entries_.erase(others, last.base() - 1);
  }
  void add(T entry) {
    if (indexed_) index_.emplace(entry.*key_, entries_.size());
    entries_.push_back(std::move(entry));
  }

 private:
  std::vector<T>& entries_;
  std::string T::*const key_;
  bool indexed_;
  std::unordered_map<std::string, std::size_t> index_;
};

// Keyed children without a state.
template <class T>
void put(std::vector<T>& entries, const std::vector<T>& changes, std::string T::*key) {
  Keyed<T> keyed(entries, key, changes.size());
  for (const T& change : changes) {
    if (T* const old = keyed.find(change.*key)) {
      *old = change;
    } else {
      keyed.add(change);
    }
  }
}

void merge_into(Endpoint& base, const Endpoint& change);
void merge_into(User& base, const User& change);
void merge_into(ConferenceInfo& base, const ConferenceInfo& change);

// Keyed children with a state.
template <class T>
void apply(std::vector<T>& entries, const std::vector<T>& changes, std::string T::*key) {
  Keyed<T> keyed(entries, key, changes.size());
  for (const T& change : changes) {
    T* const old = keyed.find(change.*key);
    T entry;
    if (change.state != State::partial) {
      entry = change;
    } else {
      if (old != nullptr && old->state == State::full) entry = std::move(*old);
      entry.*key = change.*key;
      merge_into(entry, change);
    }
    if (old != nullptr) {
      *old = std::move(entry);
    } else {
      keyed.add(std::move(entry));
    }
  }
  settle(entries);  // takes the deleted away
}

template <class T>
void replace(std::optional<T>& base, const std::optional<T>& change) {
  if (change) base = change;
}

void merge_attributes(Foreign& base, const Foreign& change) {
  for (const ForeignAttribute& attribute : change.attributes) {
    const auto same = std::find_if(base.attributes.begin(), base.attributes.end(),
                                   [&attribute](const ForeignAttribute& old) {
                                     return old.ns == attribute.ns && old.name == attribute.name;
                                   });
    if (same != base.attributes.end()) {
      same->value = attribute.value;
    } else {
      base.attributes.push_back(attribute);
    }
  }
}

// All elements of a name replace all of that name, where the first of them stood.
void merge_elements(std::vector<std::string>& base, const std::vector<std::string>& changes) {
  std::vector<std::string_view> done;
  for (const std::string& change : changes) {
    const std::string_view name = name_of_canonical(change);
    if (std::find(done.begin(), done.end(), name) != done.end()) continue;
    done.push_back(name);
    const auto is_same = [name](const std::string& e) { return name_of_canonical(e) == name; };
    const auto place = std::find_if(base.begin(), base.end(), is_same) - base.begin();
    std::erase_if(base, is_same);
    std::vector<std::string> same;
    std::copy_if(changes.begin(), changes.end(), std::back_inserter(same), is_same);
    base.insert(base.begin() + place, same.begin(), same.end());
  }
}

void merge_foreign(Foreign& base, const Foreign& change) {
  merge_attributes(base, change);
  merge_elements(base.elements, change.elements);
}

void merge_uris(std::optional<Uris>& base, const std::optional<Uris>& change) {
  if (!change) return;
  if (change->state == State::partial) {
    if (!base) base.emplace();
    put(base->entries, change->entries, &UriEntry::uri);
    merge_foreign(base->foreign, change->foreign);
  } else {
    base = change;
    settle(base);
  }
}

// An element replaced whole may hold a partial URI list, which then goes on from the old one.
void replace_uris(std::optional<Uris>& changed, const std::optional<Uris>& old) {
  std::optional<Uris> merged;
  if (changed && changed->state == State::partial) merged = old;
  merge_uris(merged, changed);
  changed = std::move(merged);
}

void merge_into(Endpoint& base, const Endpoint& change) {
  replace(base.display_text, change.display_text);
  replace(base.referred, change.referred);
  replace(base.status, change.status);
  replace(base.joining_method, change.joining_method);
  replace(base.joining_info, change.joining_info);
  replace(base.disconnection_method, change.disconnection_method);
  replace(base.disconnection_info, change.disconnection_info);
  put(base.media, change.media, &Media::id);
  replace(base.call_info, change.call_info);
  merge_foreign(base.foreign, change.foreign);
}

void merge_into(User& base, const User& change) {
  replace(base.display_text, change.display_text);
  merge_uris(base.associated_aors, change.associated_aors);
  replace(base.roles, change.roles);
  if (!change.languages.empty()) base.languages = change.languages;
  replace(base.cascaded_focus, change.cascaded_focus);
  apply(base.endpoints, change.endpoints, &Endpoint::entity);
  merge_foreign(base.foreign, change.foreign);
}

// `entries` of a container that says itself whether it is full, partial or gone.
template <class List, class T>
void merge_list(std::optional<List>& base, const std::optional<List>& change,
                std::vector<T> List::*entries, std::string T::*key) {
  if (!change) return;
  if (change->state == State::full) {
    base = change;
  } else if (change->state == State::deleted) {
    base.reset();
  } else {
    if (!base) base.emplace();
    apply((*base).*entries, (*change).*entries, key);
    merge_foreign(base->foreign, change->foreign);
  }
}

void merge_into(ConferenceInfo& base, const ConferenceInfo& change) {
  base.entity = change.entity;
  if (change.description) {
    ConferenceDescription changed = *change.description;
    const ConferenceDescription old = base.description.value_or(ConferenceDescription{});
    replace_uris(changed.conf_uris, old.conf_uris);
    replace_uris(changed.service_uris, old.service_uris);
    base.description = std::move(changed);
  }
  if (change.host_info) {
    HostInfo changed = *change.host_info;
    replace_uris(changed.uris, base.host_info ? base.host_info->uris : std::nullopt);
    base.host_info = std::move(changed);
  }
  replace(base.conference_state, change.conference_state);
  merge_list(base.users, change.users, &Users::users, &User::entity);
  merge_uris(base.sidebars_by_ref, change.sidebars_by_ref);
  merge_list(base.sidebars_by_val, change.sidebars_by_val, &SidebarsByVal::entries,
             &ConferenceInfo::entity);
  merge_foreign(base.foreign, change.foreign);
  replace(base.version, change.version);
}

}  // namespace

ConferenceInfo merge(ConferenceInfo base, const ConferenceInfo& document) {
  if (document.state == State::deleted) {
    base = ConferenceInfo{};
    base.entity = document.entity;
    base.state = State::deleted;
  } else {
    if (document.state == State::full) {
      base = document;
    } else {
      merge_into(base, document);
    }
    base.state = State::full;
    settle_children(base);
  }
  base.version = document.version;
  base.sid = document.sid;
  return base;
}

View::Outcome View::receive(const ConferenceInfo& document) {
  const std::optional<std::uint32_t> local = info_ ? info_->version : std::nullopt;
  const std::optional<std::uint32_t> version = document.version;
  if (local && version && *version <= *local) return Outcome::stale;

  const bool exists = info_ && info_->state == State::full;
  if (document.state != State::full && !exists) {
    stale_ = true;
    return Outcome::no_base;
  }
  if (document.state == State::partial) {
    const bool follows = local && version && *version == std::uint64_t{*local} + 1;
    if (!follows) {
      stale_ = true;
      return Outcome::gap;
    }
    info_ = merge(std::move(*info_), document);
    return Outcome::applied;
  }
  info_ = merge({}, document);
  stale_ = false;
  return Outcome::applied;
}

}  // namespace coin
