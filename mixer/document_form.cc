#include "mixer/document_form.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <string_view>
#include <unordered_map>
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

std::string key_of(std::string_view entity) {
  std::string key(entity.substr(0, entity.find(';')));
  // ASCII only: what is left of case in a URI with other letters is the room's to keep apart.
  std::ranges::transform(key, key.begin(), [](unsigned char c) { return std::tolower(c); });
  return key;
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

coin::Users for_jitsi(std::optional<coin::Users>&& from) {
  coin::Users users;
  if (!from) return users;
  std::unordered_map<std::string, std::size_t> by_key;
  for (coin::User& user : from->users) {
    const auto gone = [](const coin::Endpoint& endpoint) {
      return endpoint.status == EndpointStatus::disconnected;
    };
    if (!user.endpoints.empty() && std::ranges::all_of(user.endpoints, gone)) continue;
    std::string key = key_of(user.entity);
    if (key.empty()) continue;
    const auto [place, added] = by_key.emplace(key, users.users.size());
    if (added) users.users.emplace_back().entity = std::move(key);
    coin::User& shown = users.users[place->second];
    shown.display_text = std::max(shown.display_text, some(std::move(user.display_text)));
    add_endpoints(shown, std::move(user.endpoints));
  }
  return users;
}

}  // namespace

coin::ConferenceInfo shaped(coin::ConferenceInfo info, DocumentForm form) {
  if (form == DocumentForm::standard) return info;
  coin::ConferenceInfo shown;
  shown.entity = std::move(info.entity);
  coin::ConferenceDescription& description = shown.description.emplace();
  if (info.description) {
    description.display_text = some(std::move(info.description->display_text));
    description.subject = some(std::move(info.description->subject));
    description.free_text = some(std::move(info.description->free_text));
  }
  shown.users = for_jitsi(std::move(info.users));
  coin::ConferenceState& state = shown.conference_state.emplace();
  if (info.conference_state) {
    state.active = info.conference_state->active;
    state.locked = info.conference_state->locked;
    state.user_count = info.conference_state->user_count;
  }
  // Absent it would be shown as -1, and one that is no signed integer is fatal.
  constexpr std::uint32_t kMost = std::numeric_limits<std::int32_t>::max();
  state.user_count = std::min(
      state.user_count.value_or(static_cast<std::uint32_t>(shown.users->users.size())), kMost);
  return shown;
}

}  // namespace mixer
