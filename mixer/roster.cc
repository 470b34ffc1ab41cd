#include "mixer/roster.h"

#include <algorithm>
#include <utility>

#include "mixer/cascade.h"
#include "mixer/display_name.h"
#include "mixer/limits.h"

namespace mixer {
namespace {

bool is_connected(std::optional<coin::EndpointStatus> status) {
  return status == coin::EndpointStatus::connected || status == coin::EndpointStatus::on_hold ||
         status == coin::EndpointStatus::muted_via_focus;
}

bool is_connected(const coin::User& user) {
  return std::ranges::any_of(user.endpoints,
                             [](const coin::Endpoint& e) { return is_connected(e.status); });
}

}  // namespace

coin::MediaStatus media_status(const media::LegPlan& plan) {
  if (plan.in_mix) return plan.receives ? coin::MediaStatus::sendrecv : coin::MediaStatus::sendonly;
  return plan.receives ? coin::MediaStatus::recvonly : coin::MediaStatus::inactive;
}

bool Roster::set(media::LegId leg, const Participant& participant) {
  const jingle::Jid bare = participant.user();
  if (const auto found = participants_.find(leg); found != participants_.end()) {
    Participant& known = found->second;
    if (known == participant) return false;
    if (known.user() == bare) {
      const coin::Endpoint before = endpoint(known);
      const bool renamed = rename(bare, participant);
      count(known, -1);
      known = participant;
      count(known, +1);
      touch(bare);
      return renamed || endpoint(known) != before;
    }
    erase(leg, std::nullopt);  // somebody else answered
  }
  const auto [entry, added] = users_.try_emplace(bare);
  User& user = entry->second;
  if (added) user.token = participant.token;
  user.legs.insert(leg);
  departed_.erase(bare);
  count(participant, +1);
  participants_.emplace(leg, participant);
  if (told_of(bare)) list_behind();  // and is free of the name
  rename(bare, participant);
  if (added) touch_those_asked_by(bare);
  touch(bare);
  return true;
}

// Who is called so by his address comes before who calls himself so (XEP-0172 §7: that proves
// nothing), whatever the former calls himself.
void Roster::name(const jingle::Jid& bare, User& user, const Participant& participant) {
  const std::string by_address = display_name(bare);
  const std::string own = participant.occupant ? displayable(bare.resource()) : participant.nick;
  user.has_nick = !participant.occupant && !own.empty() && !names_.is_taken(own);
  for (auto& [other, known] : users_) {
    if (other == bare) continue;
    const std::string address = display_name(other);
    if (same_in_any_case(own, address)) user.has_nick = false;
    if (!known.has_nick || !same_in_any_case(known.display_text, by_address)) continue;
    names_.give_up(known.display_text);
    known.display_text = names_.take(address);
    known.has_nick = false;
    touch(other);
  }
  const bool called_own = user.has_nick || (participant.occupant && !own.empty());
  user.display_text = names_.take(called_own ? own : by_address);
}

// True if he is called otherwise now.
bool Roster::rename(const jingle::Jid& bare, const Participant& participant) {
  User& user = users_.at(bare);
  const std::string before = user.display_text;
  if (!before.empty() && user.nick == participant.nick) return false;
  user.nick = participant.nick;
  names_.give_up(before);
  name(bare, user, participant);
  return user.display_text != before;
}

bool Roster::remove(media::LegId leg) { return erase(leg, std::nullopt); }

bool Roster::depart(media::LegId leg, const Departure& departure, TimePoint until) {
  const auto found = participants_.find(leg);
  if (found == participants_.end()) return false;
  if (config_.departed_for.count() == 0) return erase(leg, std::nullopt);
  return erase(leg, Departed{found->second, departure, until});
}

bool Roster::erase(media::LegId leg, const std::optional<Departed>& departed) {
  const auto found = participants_.find(leg);
  if (found == participants_.end()) return false;
  const jingle::Jid bare = found->second.user();
  touch(bare);
  count(found->second, -1);
  participants_.erase(found);
  const bool was_focus = links_.erase(leg) > 0;
  const bool is_behind = told_of(bare);
  User& user = users_.at(bare);
  user.legs.erase(leg);
  if (user.legs.empty()) {
    user.shared.clear();
    if (departed) {
      departed_.emplace(bare, *departed);  // list_behind() knows better
    } else {
      forget(bare);
    }
  }
  if (departed_.size() > limits::kMaxDeparted) {
    const auto oldest = std::ranges::min_element(
        departed_, {}, [](const auto& entry) { return entry.second.until; });
    forget(jingle::Jid(oldest->first));  // a copy: the entry goes first
  }
  if (was_focus || is_behind) list_behind();
  return true;
}

void Roster::touch(const jingle::Jid& bare) { touch({user_entity(bare, users_.at(bare)), bare}); }

void Roster::touch(Touched touched) {
  // Of more than that all is told as soon.
  if (touched_.size() > 64 + 2 * (users_.size() + behind_.size())) touched_.pop_front();
  touched_.push_back(std::move(touched));
  ++revision_;
}

// Where only the nick is disclosed, who asked is named as long as he is listed.
void Roster::touch_those_asked_by(const jingle::Jid& bare) {
  if (config_.disclose != Disclose::nick) return;
  const auto by = [&](const coin::Execution& info) {
    const auto jid = info.by ? jingle::Jid::parse_uri(*info.by) : std::nullopt;
    return jid && jid->bare() == bare;
  };
  for (const auto& [leg, participant] : participants_) {
    if (by(participant.joining_info)) touch(participant.user());
  }
  for (const auto& [who, departed] : departed_) {
    if (by(departed.participant.joining_info) || by(departed.departure.info)) touch(who);
  }
}

void Roster::count(const Participant& participant, int change) {
  if (!is_connected(participant.status)) return;
  int& connected = users_.at(participant.user()).connected;
  const bool was = connected > 0;
  connected += change;
  if (!was) ++connected_;
  if (connected == 0) --connected_;
}

void Roster::forget(const jingle::Jid& bare) {
  touch(bare);
  departed_.erase(bare);
  const auto user = users_.find(bare);
  names_.give_up(user->second.display_text);
  users_.erase(user);
  touch_those_asked_by(bare);
}

bool Roster::expire(TimePoint now) {
  std::vector<jingle::Jid> over;
  for (const auto& [bare, departed] : departed_) {
    if (departed.until <= now) over.push_back(bare);
  }
  for (const jingle::Jid& bare : over) forget(bare);
  return !over.empty();
}

std::optional<TimePoint> Roster::next_deadline() const {
  std::optional<TimePoint> next;
  for (const auto& [bare, departed] : departed_) {
    if (!next || departed.until < *next) next = departed.until;
  }
  return next;
}

bool Roster::set_cascade(media::LegId leg, const std::string& conference,
                         std::vector<coin::User> behind, const std::string& does) {
  const auto focus = participants_.find(leg);
  if (focus == participants_.end()) return false;
  if (conference.empty()) {
    if (links_.erase(leg) == 0) return false;
    touch(focus->second.user());
    list_behind();
    return true;
  }
  Link link{.conference = conference, .does = does, .users = {}};
  for (coin::User& user : behind) {
    auto jid = jingle::Jid::parse_uri(user.entity);
    if (jid) {
      const std::string address = jid->bare().uri();
      // room@mixer.example/token: somebody whom that room does not disclose, not the room itself.
      const bool hidden =
          !jid->is_bare() && (address == conference || address == user.cascaded_focus);
      jid = hidden ? std::nullopt : std::optional(jid->bare());
    }
    link.users.push_back({std::move(jid), std::move(user)});
  }
  Link& known = links_[leg];
  if (known == link) return false;
  const bool renamed = known.conference != conference || known.does != does;
  known = std::move(link);
  if (renamed) touch(focus->second.user());
  return list_behind() || renamed;
}

bool Roster::set_shared(const jingle::Jid& user, std::vector<std::string> elements) {
  const auto found = users_.find(user);
  if (found == users_.end() || found->second.legs.empty()) return false;
  if (found->second.shared == elements) return false;
  found->second.shared = std::move(elements);
  touch(user);
  return true;
}

bool Roster::told_of(const jingle::Jid& bare) const {
  return std::ranges::any_of(links_, [&](const auto& entry) {
    return std::ranges::any_of(entry.second.users,
                               [&](const Told& told) { return told.bare == bare; });
  });
}

// Which of the users behind other foci are listed, and as what. True if that changed.
bool Roster::list_behind() {
  const auto before = std::exchange(behind_, {});
  for (const auto& [entity, listed] : before) names_.give_up(*listed.user.display_text);
  for (const auto& [leg, link] : links_) {
    const std::string conference = conference_of(leg, link);
    for (const Told& told : link.users) {
      if (told.bare && departed_.contains(*told.bare)) forget(*told.bare);  // he is there again
      if (told.bare && (*told.bare == room_ || users_.contains(*told.bare))) continue;
      const auto [entry, added] = behind_.try_emplace(told.user.entity);
      Behind& listed = entry->second;
      listed.links.insert(leg);
      if (!added) continue;
      listed.user = told.user;
      listed.called = displayable(told.user.display_text.value_or(""));
      if (listed.called.empty()) {
        listed.called = told.bare ? display_name(*told.bare) : displayable(told.user.entity);
      }
      const auto& focus = listed.user.cascaded_focus;
      listed.shown_focus = focus == link.conference ? conference : focus;
    }
  }
  const auto was_called = [&](const auto& entry) {
    const auto known = before.find(entry.first);
    return known != before.end() && known->second.called == entry.second.called;
  };
  // Who is known keeps his name, and only then are the others given theirs.
  for (auto& entry : behind_) {
    if (!was_called(entry)) continue;
    entry.second.user.display_text = before.at(entry.first).user.display_text;
    names_.keep(*entry.second.user.display_text);
  }
  for (auto& entry : behind_) {
    if (was_called(entry)) continue;
    entry.second.user.display_text = names_.take(entry.second.called);
  }
  for (const auto& [entity, listed] : before) {
    if (!behind_.contains(entity)) touch({entity, std::nullopt});
  }
  for (const auto& [entity, listed] : behind_) {
    const auto known = before.find(entity);
    if (known == before.end() || known->second != listed) touch({entity, std::nullopt});
  }
  count_behind();
  return behind_ != before;
}

void Roster::count_behind() {
  connected_behind_ = 0;
  connected_by_link_.clear();
  for (const auto& [entity, listed] : behind_) {
    if (!is_connected(listed.user)) continue;
    ++connected_behind_;
    for (const media::LegId leg : listed.links) ++connected_by_link_[leg];
  }
}

std::string Roster::name_of(media::LegId leg) const {
  const auto entry = participants_.find(leg);
  if (entry == participants_.end()) return {};
  return users_.at(entry->second.user()).display_text;
}

bool Roster::has_connected(const jingle::Jid& user) const {
  const auto found = users_.find(user);
  return found != users_.end() && found->second.connected > 0;
}

std::optional<jingle::Jid> Roster::user_called(const std::string& name) const {
  if (const auto jid = jingle::Jid::parse(name); jid && has_connected(*jid)) return *jid;
  std::optional<jingle::Jid> like;
  for (const auto& [bare, user] : users_) {
    if (user.connected == 0) continue;
    if (user.display_text == name) return bare;
    if (!same_in_any_case(user.display_text, name)) continue;
    if (like) return std::nullopt;
    like = bare;
  }
  return like;
}

std::string Roster::subject() const {
  return displayable(config_.subject, limits::kMaxReasonCodePoints);
}

std::vector<std::string> Roster::names() const {
  std::vector<std::string> names;
  for (const auto& [bare, user] : users_) {
    if (user.connected > 0) names.push_back(user.display_text);
  }
  for (const auto& [entity, listed] : behind_) {
    if (is_connected(listed.user)) names.push_back(*listed.user.display_text);
  }
  return names;
}

std::string Roster::user_entity(const jingle::Jid& bare, const User& user) const {
  if (config_.disclose == Disclose::nick) return room_.with_resource(user.token).uri();
  return bare.uri();
}

std::string Roster::endpoint_entity(const Participant& participant) const {
  switch (config_.disclose) {
    case Disclose::full: return participant.peer.uri();
    case Disclose::bare:
      // An occupant's nick is what he is known by; no device is behind it.
      if (participant.occupant) return participant.peer.uri();
      return participant.peer.with_resource(participant.token).uri();
    // A user's first call gave the user its token; "-e" keeps the two entities apart.
    case Disclose::nick: return room_.with_resource(participant.token + "-e").uri();
  }
  return {};
}

// What of that URI everybody may know; nullopt: nothing.
std::optional<std::string> Roster::disclosed(const std::string& uri) const {
  const auto jid = jingle::Jid::parse_uri(uri);
  if (jid && jid->bare() == room_) return room_.uri();
  if (config_.disclose == Disclose::full) return uri;
  if (config_.disclose == Disclose::bare) return jid ? jid->bare().uri() : uri;
  const auto user = jid ? users_.find(jid->bare()) : users_.end();
  if (user == users_.end()) return std::nullopt;
  return user_entity(user->first, user->second);
}

std::optional<coin::Execution> Roster::disclosed(coin::Execution info) const {
  if (info.by) info.by = disclosed(*info.by);
  if (info.reason) info.reason = displayable(*info.reason, limits::kMaxReasonCodePoints);
  if (info.reason && info.reason->empty()) info.reason.reset();
  if (info == coin::Execution{}) return std::nullopt;
  return info;
}

// As the people in the room see it. What a person mixes (Jitsi) has his address.
std::string Roster::conference_of(media::LegId leg, const Link& link) const {
  if (config_.disclose == Disclose::full) return link.conference;
  const jingle::Jid user = participants_.at(leg).user();
  const auto jid = jingle::Jid::parse_uri(link.conference);
  if (!jid || jid->bare() != user.bare()) return link.conference;
  return user_entity(user, users_.at(user));
}

coin::Endpoint Roster::endpoint(const Participant& participant) const {
  coin::Endpoint endpoint;
  endpoint.entity = endpoint_entity(participant);
  endpoint.status = participant.status;
  endpoint.joining_method = participant.joining_method;
  endpoint.joining_info = disclosed(participant.joining_info);
  if (participant.contributor_id != 0) {
    coin::Media audio;
    audio.id = "audio";
    audio.type = "audio";
    audio.src_id = std::to_string(participant.contributor_id);
    audio.status = media_status(participant.plan);
    endpoint.media.push_back(std::move(audio));
  }
  return endpoint;
}

coin::Endpoint Roster::endpoint(const Departed& departed) const {
  coin::Endpoint gone = endpoint(departed.participant);
  gone.status = coin::EndpointStatus::disconnected;
  gone.disconnection_method = departed.departure.method;
  gone.disconnection_info = disclosed(departed.departure.info);
  gone.media.clear();
  return gone;
}

coin::User Roster::shown(const jingle::Jid& bare, const User& user, bool for_focus) const {
  coin::User shown;
  shown.entity = user_entity(bare, user);
  shown.display_text = user.display_text;
  for (const media::LegId leg : user.legs) {
    shown.endpoints.push_back(endpoint(participants_.at(leg)));
    const auto link = links_.find(leg);
    if (link == links_.end()) continue;
    shown.cascaded_focus = for_focus ? link->second.conference : conference_of(leg, link->second);
    if (const std::string& does = link->second.does; !does.empty()) {
      shown.display_text = displayable(does + " (" + user.display_text + ')');
    }
  }
  shown.foreign.elements = user.shared;
  const auto departed = departed_.find(bare);
  if (departed != departed_.end()) shown.endpoints.push_back(endpoint(departed->second));
  return shown;
}

coin::User Roster::shown(const Behind& listed, bool for_focus) const {
  coin::User user = listed.user;
  if (for_focus) return user;
  user.cascaded_focus = listed.shown_focus;
  forget_way(user);
  return user;
}

bool Roster::is_listed(const Behind& listed, std::optional<media::LegId> without) {
  return !without || !listed.links.contains(*without);
}

// All but the users.
coin::ConferenceInfo Roster::rest(std::size_t user_count) const {
  coin::ConferenceInfo info;
  info.entity = room_.uri();

  coin::ConferenceDescription description;
  const std::string title =
      displayable(config_.display_text.empty() ? room_.unescaped_local() : config_.display_text);
  if (!title.empty()) description.display_text = title;
  if (std::string said = subject(); !said.empty()) description.subject = std::move(said);
  if (recorded_) description.free_text = "This call is recorded.";
  info.description = std::move(description);

  coin::ConferenceState state;
  state.user_count = static_cast<std::uint32_t>(user_count);
  state.active = true;
  info.conference_state = std::move(state);
  info.users.emplace();
  return info;
}

coin::ConferenceInfo Roster::info(std::optional<media::LegId> without) const {
  std::vector<coin::User> users;
  for (const auto& [bare, user] : users_) users.push_back(shown(bare, user, without.has_value()));
  for (const auto& [entity, listed] : behind_) {
    if (is_listed(listed, without)) users.push_back(shown(listed, without.has_value()));
  }
  const auto connected =
      std::ranges::count_if(users, [](const coin::User& user) { return is_connected(user); });
  coin::ConferenceInfo info = rest(static_cast<std::size_t>(connected));
  if (own_) users.push_back(*own_);
  info.users->users = std::move(users);
  return info;
}

News Roster::news(std::optional<media::LegId> without, std::uint64_t since) const {
  News news;
  if (since == 0 || revision_ - since > touched_.size()) {
    news = whole(info(without));
  } else {
    const auto theirs = without ? connected_by_link_.find(*without) : connected_by_link_.end();
    const std::size_t unlisted = theirs == connected_by_link_.end() ? 0 : theirs->second;
    news.rest = rest(connected_ + connected_behind_ - unlisted);
    news.whole = false;
    const auto list = [&](coin::User user) {
      std::string entity = user.entity;
      news.users[std::move(entity)] = std::make_shared<const coin::User>(std::move(user));
    };
    for (std::size_t i = touched_.size() - (revision_ - since); i < touched_.size(); ++i) {
      const auto& [entity, bare] = touched_[i];
      news.users.try_emplace(entity);
      const auto user = bare ? users_.find(*bare) : users_.end();
      if (user != users_.end()) list(shown(*bare, user->second, without.has_value()));
      if (own_ && entity == room_.uri()) list(*own_);
      const auto behind = behind_.find(entity);
      if (behind == behind_.end() || !is_listed(behind->second, without)) continue;
      list(shown(behind->second, without.has_value()));
    }
  }
  news.revision = revision_;
  return news;
}

}  // namespace mixer
