#include "mixer/document_form.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <map>
#include <utility>

namespace mixer {
namespace {

using coin::EndpointStatus;

// An empty element is read as null.
std::optional<std::string> some(std::optional<std::string> text) {
  return text && !text->empty() ? std::move(text) : std::nullopt;
}

// It is read as a signed integer of 64 bits; CSRCs have 32 unsigned ones.
bool is_source(const std::optional<std::string>& text) {
  return text && !text->empty() && text->size() <= 10 &&
         std::ranges::all_of(*text, [](char c) { return '0' <= c && c <= '9'; });
}

// Jitsi writes "mute-via-focus" and knows no other spelling; that nobody hears him it can be told.
coin::MediaStatus muted(coin::MediaStatus status) {
  switch (status) {
    case coin::MediaStatus::sendrecv: return coin::MediaStatus::recvonly;
    case coin::MediaStatus::sendonly: return coin::MediaStatus::inactive;
    default: return status;
  }
}

coin::Endpoint for_jitsi(coin::Endpoint&& from) {
  const bool by_focus = from.status == EndpointStatus::muted_via_focus;
  coin::Endpoint endpoint;
  endpoint.entity = std::move(from.entity);
  // Without a status it counts as there: it is listed.
  endpoint.status =
      by_focus ? EndpointStatus::connected : from.status.value_or(EndpointStatus::connected);
  endpoint.joining_method = from.joining_method;
  for (coin::Media& media : from.media) {
    if (media.id.empty()) continue;
    coin::Media shown;
    shown.id = std::move(media.id);
    shown.type = some(std::move(media.type));
    if (is_source(media.src_id)) shown.src_id = std::move(media.src_id);
    shown.status = by_focus && media.status ? muted(*media.status) : media.status;
    endpoint.media.push_back(std::move(shown));
  }
  std::ranges::sort(endpoint.media, {}, &coin::Media::id);
  return endpoint;
}

void add_endpoints(coin::User& user, std::vector<coin::Endpoint>&& endpoints) {
  for (coin::Endpoint& endpoint : endpoints) {
    if (endpoint.status == EndpointStatus::disconnected) continue;
    user.endpoints.push_back(for_jitsi(std::move(endpoint)));
  }
  // A user looks like his last endpoint, and that like its last audio: the same one each time, for
  // equality ignores order.
  std::ranges::sort(user.endpoints, {}, [](const coin::Endpoint& endpoint) {
    return std::pair<bool, const std::string&>(endpoint.status == EndpointStatus::connected,
                                               endpoint.entity);
  });
}

bool has_left(const coin::User& user) {
  return !user.endpoints.empty() &&
         std::ranges::all_of(user.endpoints, [](const coin::Endpoint& endpoint) {
           return endpoint.status == EndpointStatus::disconnected;
         });
}

}  // namespace

std::string key_of(std::string_view entity, DocumentForm form) {
  if (form == DocumentForm::standard) return std::string(entity);
  std::string key(entity.substr(0, entity.find(';')));
  // ASCII only: what is left of case in a URI with other letters is the room's to keep apart.
  std::ranges::transform(key, key.begin(), [](unsigned char c) { return std::tolower(c); });
  return key;
}

std::optional<coin::User> shaped(std::vector<coin::User> same, DocumentForm form) {
  if (form == DocumentForm::standard) return std::move(same.front());
  std::optional<coin::User> shown;
  for (coin::User& user : same) {
    if (has_left(user)) continue;
    if (!shown) shown.emplace().entity = key_of(user.entity, form);
    shown->display_text = std::max(shown->display_text, some(std::move(user.display_text)));
    add_endpoints(*shown, std::move(user.endpoints));
  }
  return shown;
}

coin::ConferenceInfo shaped_rest(coin::ConferenceInfo rest, std::size_t users, DocumentForm form) {
  if (form == DocumentForm::standard) return rest;
  coin::ConferenceInfo shown;
  shown.entity = std::move(rest.entity);
  coin::ConferenceDescription& description = shown.description.emplace();
  if (rest.description) {
    description.display_text = some(std::move(rest.description->display_text));
    description.subject = some(std::move(rest.description->subject));
    description.free_text = some(std::move(rest.description->free_text));
  }
  shown.users.emplace();
  coin::ConferenceState& state = shown.conference_state.emplace();
  if (rest.conference_state) {
    state.active = rest.conference_state->active;
    state.locked = rest.conference_state->locked;
    state.user_count = rest.conference_state->user_count;
  }
  // Absent it would be shown as -1, and one that is no signed integer is fatal.
  constexpr std::uint32_t kMost = std::numeric_limits<std::int32_t>::max();
  state.user_count = std::min(state.user_count.value_or(static_cast<std::uint32_t>(users)), kMost);
  return shown;
}

coin::ConferenceInfo shaped(coin::ConferenceInfo info, DocumentForm form) {
  if (form == DocumentForm::standard) return info;
  std::map<std::string, std::vector<coin::User>> by_key;
  for (coin::User& user : std::exchange(info.users, {}).value_or(coin::Users{}).users) {
    std::string key = key_of(user.entity, form);
    if (!key.empty()) by_key[std::move(key)].push_back(std::move(user));
  }
  std::vector<coin::User> users;
  for (auto& [key, same] : by_key) {
    if (auto user = shaped(std::move(same), form)) users.push_back(std::move(*user));
  }
  coin::ConferenceInfo shown = shaped_rest(std::move(info), users.size(), form);
  shown.users->users = std::move(users);
  return shown;
}

}  // namespace mixer
