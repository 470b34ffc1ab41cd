#include "mixer/roster.h"

#include <algorithm>

#include "mixer/display_name.h"

namespace mixer {

coin::MediaStatus media_status(const media::LegPlan& plan) {
  if (plan.in_mix) return plan.receives ? coin::MediaStatus::sendrecv : coin::MediaStatus::sendonly;
  return plan.receives ? coin::MediaStatus::recvonly : coin::MediaStatus::inactive;
}

bool Roster::set(media::LegId leg, const Participant& participant) {
  const auto [entry, added] = participants_.try_emplace(leg, participant);
  if (!added) {
    if (entry->second == participant) return false;
    entry->second = participant;  // the peer of a leg never changes
    return true;
  }
  const jingle::Jid bare = participant.peer.bare();
  const auto found = users_.find(bare);
  if (found != users_.end()) {
    ++found->second.endpoints;
  } else {
    std::string name = unused_name(bare);
    users_.emplace(bare, User{std::move(name), participant.token, 1});
  }
  return true;
}

bool Roster::remove(media::LegId leg) {
  const auto entry = participants_.find(leg);
  if (entry == participants_.end()) return false;
  const auto user = users_.find(entry->second.peer.bare());
  if (--user->second.endpoints == 0) users_.erase(user);
  participants_.erase(entry);
  return true;
}

bool Roster::depart(media::LegId leg, const Departure&, TimePoint) { return remove(leg); }
bool Roster::expire(TimePoint) { return false; }
std::optional<TimePoint> Roster::next_deadline() const { return std::nullopt; }
bool Roster::set_cascade(media::LegId, const std::string&, std::vector<coin::User>) {
  return false;
}

std::string Roster::name_of(media::LegId leg) const {
  const auto entry = participants_.find(leg);
  if (entry == participants_.end()) return {};
  return users_.at(entry->second.peer.bare()).display_text;
}

std::vector<std::string> Roster::names() const {
  std::vector<std::string> names;
  for (const auto& [bare, user] : users_) names.push_back(user.display_text);
  return names;
}

std::string Roster::unused_name(const jingle::Jid& bare) const {
  const std::string name = display_name(bare);
  const auto in_use = [&](const std::string& wanted) {
    return std::ranges::any_of(
        users_, [&](const auto& entry) { return entry.second.display_text == wanted; });
  };
  if (!in_use(name)) return name;
  for (int n = 2;; ++n) {
    std::string numbered = name + " (" + std::to_string(n) + ')';
    if (!in_use(numbered)) return numbered;
  }
}

std::string Roster::user_entity(const jingle::Jid& bare, const User& user) const {
  if (config_.disclose == Disclose::nick) return room_.with_resource(user.token).uri();
  return bare.uri();
}

std::string Roster::endpoint_entity(const Participant& participant) const {
  switch (config_.disclose) {
    case Disclose::full: return participant.peer.uri();
    case Disclose::bare: return participant.peer.with_resource(participant.token).uri();
    // A user's first call gave the user its token; "-e" keeps the two entities apart.
    case Disclose::nick: return room_.with_resource(participant.token + "-e").uri();
  }
  return {};
}

coin::Endpoint Roster::endpoint(const Participant& participant) const {
  coin::Media audio;
  audio.id = "audio";
  audio.type = "audio";
  audio.src_id = std::to_string(participant.contributor_id);
  audio.status = media_status(participant.plan);

  coin::Endpoint endpoint;
  endpoint.entity = endpoint_entity(participant);
  endpoint.status = participant.status;
  endpoint.joining_method = participant.joining_method;
  endpoint.media.push_back(std::move(audio));
  return endpoint;
}

coin::ConferenceInfo Roster::info(std::optional<media::LegId>) const {
  coin::ConferenceInfo info;
  info.entity = room_.uri();

  coin::ConferenceDescription description;
  const std::string title =
      displayable(config_.display_text.empty() ? room_.unescaped_local() : config_.display_text);
  if (!title.empty()) description.display_text = title;
  if (!config_.subject.empty()) description.subject = config_.subject;
  info.description = std::move(description);

  coin::ConferenceState state;
  state.user_count = static_cast<std::uint32_t>(users_.size());
  state.active = true;
  info.conference_state = std::move(state);

  coin::Users users;
  std::map<jingle::Jid, std::size_t> index;
  for (const auto& [bare, user] : users_) {
    index.emplace(bare, users.users.size());
    coin::User shown;
    shown.entity = user_entity(bare, user);
    shown.display_text = user.display_text;
    users.users.push_back(std::move(shown));
  }
  for (const auto& [leg, participant] : participants_) {
    users.users[index.at(participant.peer.bare())].endpoints.push_back(endpoint(participant));
  }
  info.users = std::move(users);
  return info;
}

}  // namespace mixer
