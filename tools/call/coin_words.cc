#include "tools/call/coin_words.h"

#include <algorithm>
#include <utility>

#include "coin/xml.h"
#include "tools/call/visible.h"

namespace call {
namespace {

using coin::EndpointStatus;
using coin::MediaStatus;

constexpr std::size_t kMost = 64;  // code points of any one text

std::string text(const std::optional<std::string>& given) {
  return given ? visible(*given, kMost) : std::string();
}

template <class Method>
std::string how(const std::optional<Method>& method, const std::optional<coin::Execution>& info) {
  std::vector<std::string> parts;
  if (method) parts.emplace_back(coin::to_string(*method));
  if (info && info->when) parts.push_back(text(info->when));
  if (info && info->by) parts.push_back("by " + text(info->by));
  if (info && info->reason) parts.push_back("(" + text(info->reason) + ")");
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : " ") + part;
  return all;
}

ShownEndpoint shown(const coin::Endpoint& endpoint) {
  ShownEndpoint out;
  out.entity = visible(endpoint.entity, kMost);
  out.status = endpoint.status;
  out.joined = how(endpoint.joining_method, endpoint.joining_info);
  out.left = how(endpoint.disconnection_method, endpoint.disconnection_info);
  const coin::Media* audio = nullptr;  // the first by its key, for their order says nothing
  for (const auto& media : endpoint.media) {
    if (media.type && *media.type != "audio") continue;
    if (audio == nullptr || media.id <= audio->id) audio = &media;
  }
  if (audio != nullptr) {
    out.audio = audio->status;
    out.src_id = text(audio->src_id);
  }
  return out;
}

ShownUser shown(const coin::User& user) {
  ShownUser out;
  out.entity = visible(user.entity, kMost);
  out.display_text = text(user.display_text);
  out.behind = text(user.cascaded_focus);
  for (const auto& endpoint : user.endpoints) {
    out.endpoints.insert_or_assign(endpoint.entity, shown(endpoint));
  }
  return out;
}

bool takes_part(const ShownEndpoint& endpoint) {
  return endpoint.status == EndpointStatus::connected ||
         endpoint.status == EndpointStatus::on_hold ||
         endpoint.status == EndpointStatus::muted_via_focus;
}

bool present(const ShownUser& user) {
  return std::any_of(user.endpoints.begin(), user.endpoints.end(),
                     [](const auto& entry) { return takes_part(entry.second); });
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string in_parentheses(const std::string& text) {
  return text.empty() ? std::string() : " (" + text + ")";
}

std::string name_of(const ShownUser& user) {
  return user.display_text.empty() ? user.entity : user.display_text;
}

std::string full_name_of(const ShownUser& user) {
  return user.display_text.empty() ? user.entity : user.display_text + in_parentheses(user.entity);
}

// "connected, dialed-in, audio sendrecv, src-id 42"
std::string described(const ShownEndpoint& endpoint) {
  std::vector<std::string> parts;
  if (endpoint.status) parts.emplace_back(coin::to_string(*endpoint.status));
  if (!endpoint.joined.empty()) parts.push_back(endpoint.joined);
  if (!endpoint.left.empty()) parts.push_back(endpoint.left);
  if (endpoint.audio) parts.push_back("audio " + std::string(coin::to_string(*endpoint.audio)));
  if (!endpoint.src_id.empty()) parts.push_back("src-id " + endpoint.src_id);
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ", ") + part;
  return all.empty() ? "nothing said" : all;
}

std::string status_change(const ShownEndpoint& before, const ShownEndpoint& after) {
  if (!after.status) return "has no status any more";
  switch (*after.status) {
    case EndpointStatus::pending: return "is to be called";
    case EndpointStatus::dialing_out: return "is being called";
    case EndpointStatus::dialing_in: return "is calling in";
    case EndpointStatus::alerting: return "is alerting";
    case EndpointStatus::on_hold: return "holds";
    case EndpointStatus::muted_via_focus: return "was muted by the focus";
    case EndpointStatus::disconnecting: return "is leaving";
    case EndpointStatus::disconnected: return "left" + in_parentheses(after.left);
    case EndpointStatus::connected: break;
  }
  if (before.status == EndpointStatus::on_hold) return "resumed";
  if (before.status == EndpointStatus::muted_via_focus) return "was unmuted by the focus";
  return "is connected";
}

// From the participant's point of view (RFC 4575 §5.8.4): who only receives is not heard.
std::string audio_change(const std::optional<MediaStatus>& before,
                         const std::optional<MediaStatus>& after) {
  if (after == MediaStatus::recvonly && before == MediaStatus::sendrecv) return "muted";
  if (after == MediaStatus::sendrecv && before == MediaStatus::recvonly) return "unmuted";
  return "audio is now " + (after ? std::string(coin::to_string(*after)) : "unknown");
}

class Words {
 public:
  void conference(const Shown& before, const Shown& after) {
    if (before.entity != after.entity) say("this is " + after.entity);
    if (after.over != before.over) say(after.over ? "the conference is over" : "it goes on");
    named("the conference is called", "has no name", before.display_text, after.display_text);
    named("the subject is", "there is no subject", before.subject, after.subject);
    if (before.user_count != after.user_count) {
      say(after.user_count ? "user-count is " + std::to_string(*after.user_count)
                           : "no user-count");
    }
    flag("active", before.active, after.active);
    flag("locked", before.locked, after.locked);
    for (const auto& [key, user] : before.users) {
      if (after.users.contains(key)) continue;
      say(full_name_of(user) + (present(user) ? " went" : " is no longer listed"));
    }
    for (const auto& [key, user] : after.users) {
      const auto old = before.users.find(key);
      if (old == before.users.end()) {
        came(user);
      } else {
        changed(old->second, user);
      }
    }
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  void say(std::string line) { lines_.push_back(std::move(line)); }

  void named(const std::string& is, const std::string& is_not, const std::string& before,
             const std::string& after) {
    if (before != after) say(after.empty() ? is_not : is + " " + quoted(after));
  }
  void flag(const std::string& what, const std::optional<bool>& before,
            const std::optional<bool>& after) {
    if (before == after) return;
    say("the conference is " + (!after ? "perhaps " : *after ? std::string() : "not ") + what);
  }

  void came(const ShownUser& user) {
    std::string line = full_name_of(user) + (present(user) ? " came" : " is listed");
    std::string separator = ": ";
    for (const auto& [key, endpoint] : user.endpoints) {
      line += separator + described(endpoint);
      separator = "; ";
    }
    if (!user.behind.empty()) line += separator + "behind " + user.behind;
    say(std::move(line));
  }

  void changed(const ShownUser& before, const ShownUser& after) {
    if (before.display_text != after.display_text) {
      say(name_of(before) + (after.display_text.empty()
                                 ? " has no name any more"
                                 : " is now called " + quoted(after.display_text)));
    }
    const auto name = name_of(after);
    if (before.behind != after.behind) {
      say(name + (after.behind.empty() ? " is behind no other focus any more"
                                       : " is behind " + after.behind));
    }
    for (const auto& [key, endpoint] : before.endpoints) {
      if (!after.endpoints.contains(key)) say(name + " is no longer at " + endpoint.entity);
    }
    const bool several = before.endpoints.size() > 1 || after.endpoints.size() > 1;
    for (const auto& [key, endpoint] : after.endpoints) {
      const auto old = before.endpoints.find(key);
      if (old == before.endpoints.end()) {
        say(name + " is at " + endpoint.entity + ": " + described(endpoint));
      } else {
        changed(several ? name + " at " + endpoint.entity : name, old->second, endpoint);
      }
    }
  }

  void changed(const std::string& who, const ShownEndpoint& before, const ShownEndpoint& after) {
    const bool left = after.status == EndpointStatus::disconnected;
    if (before.status != after.status) say(who + " " + status_change(before, after));
    if (before.left != after.left && !(left && before.status != after.status)) {
      say(who + " left" + (after.left.empty() ? ", nobody says how" : in_parentheses(after.left)));
    }
    if (before.joined != after.joined) {
      say(who + " joined" +
          (after.joined.empty() ? ", nobody says how" : in_parentheses(after.joined)));
    }
    if (before.audio != after.audio) say(who + " " + audio_change(before.audio, after.audio));
    if (before.src_id != after.src_id) {
      say(who + (after.src_id.empty() ? " has no src-id any more" : " has src-id " + after.src_id));
    }
  }

  std::vector<std::string> lines_;
};

}  // namespace

std::size_t Shown::present() const {
  return static_cast<std::size_t>(std::count_if(
      users.begin(), users.end(), [](const auto& entry) { return call::present(entry.second); }));
}

std::size_t Shown::owners() const {
  return static_cast<std::size_t>(std::count_if(users.begin(), users.end(), [](const auto& user) {
    const auto& endpoints = user.second.endpoints;
    return std::any_of(endpoints.begin(), endpoints.end(), [](const auto& entry) {
      return takes_part(entry.second) && entry.second.joined.starts_with("focus-owner");
    });
  }));
}

Shown shown(const coin::ConferenceInfo& info) {
  Shown out;
  out.entity = visible(info.entity, kMost);
  out.over = info.state == coin::State::deleted;
  if (info.description) {
    out.display_text = text(info.description->display_text);
    out.subject = text(info.description->subject);
  }
  if (info.conference_state) {
    out.user_count = info.conference_state->user_count;
    out.active = info.conference_state->active;
    out.locked = info.conference_state->locked;
  }
  if (info.users) {
    for (const auto& user : info.users->users) out.users.insert_or_assign(user.entity, shown(user));
  }
  return out;
}

std::vector<std::string> difference(const coin::ConferenceInfo& before,
                                    const coin::ConferenceInfo& after) {
  Words words;
  words.conference(shown(before), shown(after));
  return words.take();
}

}  // namespace call
