#include "mixer/listing.h"

#include <algorithm>
#include <utility>

namespace mixer {
namespace {

bool equal(const SharedUser& a, const SharedUser& b) { return a == b || (a && b && *a == *b); }

}  // namespace

News whole(coin::ConferenceInfo info) {
  News news;
  if (info.users) {
    for (coin::User& user : std::exchange(info.users->users, {})) {
      std::string entity = user.entity;
      news.users.emplace(std::move(entity), std::make_shared<const coin::User>(std::move(user)));
    }
  }
  news.rest = std::move(info);
  return news;
}

bool Listing::take(const News& news) {
  const std::uint64_t before = revision_++;
  if (news.whole) {
    std::vector<std::string> gone;
    for (const auto& [key, entry] : entries_) {
      for (const SharedUser& user : entry.of) {
        if (!news.users.contains(user->entity)) gone.push_back(user->entity);
      }
    }
    for (const std::string& entity : gone) put(entity, nullptr);
  }
  for (const auto& [entity, user] : news.users) put(entity, user);
  if (changes_.empty() || changes_.back().revision != revision_) revision_ = before;
  // With more changes than that to tell, all that there is is told as soon.
  const std::size_t most = std::max<std::size_t>(64, 2 * entries_.size());
  for (; changes_.size() > most; changes_.pop_front()) forgotten_ = changes_.front().revision;
  return revision_ != before;
}

void Listing::put(const std::string& entity, const SharedUser& user) {
  std::string key = key_of(entity, form_);
  if (key.empty()) return;
  const auto found = entries_.try_emplace(key).first;
  Entry& entry = found->second;
  const auto known = std::ranges::find(entry.of, entity, &coin::User::entity);
  if (user && known != entry.of.end()) {
    if (equal(*known, user)) return;
    *known = user;
  } else if (user) {
    entry.of.push_back(user);
  } else if (known != entry.of.end()) {
    entry.of.erase(known);
  }
  SharedUser shown = shaped_of(entry.of);
  if (!equal(shown, entry.shown)) {
    shown_ += (shown ? 1 : 0) - (entry.shown ? 1 : 0);
    changes_.push_back({revision_, std::move(key), std::exchange(entry.shown, std::move(shown))});
  }
  if (entry.of.empty()) entries_.erase(found);
}

SharedUser Listing::shaped_of(const std::vector<SharedUser>& same) const {
  if (same.empty()) return nullptr;
  if (form_ == DocumentForm::standard) return same.front();
  std::vector<coin::User> users;
  for (const SharedUser& user : same) users.push_back(*user);
  auto shown = shaped(std::move(users), form_);
  return shown ? std::make_shared<const coin::User>(std::move(*shown)) : nullptr;
}

SharedUser Listing::shown(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->second.shown;
}

std::vector<coin::User> Listing::users() const {
  std::vector<coin::User> users;
  users.reserve(shown_);
  for (const auto& [key, entry] : entries_) {
    if (entry.shown) users.push_back(*entry.shown);
  }
  return users;
}

std::optional<std::vector<coin::User>> Listing::since(std::uint64_t revision,
                                                      const std::set<std::string>& owed) const {
  if (revision < forgotten_) return std::nullopt;
  std::map<std::string, std::optional<SharedUser>> then;  // nullopt: one cannot know
  for (const std::string& key : owed) then.emplace(key, std::nullopt);
  for (auto change = std::ranges::upper_bound(changes_, revision, {}, &Change::revision);
       change != changes_.end(); ++change) {
    then.try_emplace(change->key, change->before);
  }
  std::vector<coin::User> changed;
  for (const auto& [key, before] : then) {
    const SharedUser now = shown(key);
    if (before && equal(*before, now)) continue;
    if (now) {
      changed.push_back(*now);
    } else {
      changed.emplace_back().entity = key;
      changed.back().state = coin::State::deleted;
    }
  }
  return changed;
}

std::vector<std::string> Listing::unlike(const Listing& other) const {
  std::vector<std::string> keys;
  for (const auto& [key, entry] : entries_) {
    if (!equal(entry.shown, other.shown(key))) keys.push_back(key);
  }
  for (const auto& [key, entry] : other.entries_) {
    if (!entries_.contains(key)) keys.push_back(key);
  }
  return keys;
}

void Listing::forget_changes() {
  forgotten_ = revision_;
  changes_.clear();
}

}  // namespace mixer
