#include "mixer/cascade.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "mixer/limits.h"

namespace mixer {
namespace {

const std::string& least(const std::vector<std::string>& way) {
  return *std::min_element(way.begin(), way.end());
}

}  // namespace

void Cascade::add(media::LegId leg, const jingle::Jid& peer, TimePoint now) {
  settle(now);
  Link link;
  link.conference = peer.bare().uri();
  link.since = link.clear_since = now;
  link.told[link.conference].way = {link.conference};
  links_.insert_or_assign(leg, std::move(link));
  reckon(now);
}

void Cascade::remove(media::LegId leg, TimePoint now) {
  settle(now);
  links_.erase(leg);
  reckon(now);
}

Cascade::Received Cascade::receive(media::LegId leg, const coin::ConferenceInfo& document,
                                   TimePoint now) {
  std::optional<std::string> defect = apply(leg, document);
  Received received = list(leg, now);
  if (defect) received.defect = std::move(defect);
  return received;
}

Cascade::Received Cascade::list(media::LegId leg, TimePoint now) {
  Link& link = links_.at(leg);
  Received received;
  if (!std::exchange(link.unlisted, false)) return received;
  settle(now);
  const auto told = link.told;
  const auto chosen = chosen_;
  const std::string did = does(leg);
  read(link, received);
  reckon(now);
  received.changed = link.told != told || chosen_ != chosen || does(leg) != did;
  return received;
}

const std::string& Cascade::conference(media::LegId leg) const { return links_.at(leg).conference; }

std::string Cascade::does(media::LegId leg) const {
  const Link& link = links_.at(leg);
  return link.plays_along ? link.does : std::string();
}

std::vector<coin::User> Cascade::behind(media::LegId leg) const {
  std::vector<coin::User> users;
  for (const auto& [conference, told] : links_.at(leg).told) {
    if (chosen_.at(conference) != leg) continue;
    for (const coin::User& user : told.users) {
      if (homes_.at(key_of(user)) == conference) users.push_back(user);
    }
  }
  return users;
}

std::size_t Cascade::people_behind(media::LegId leg) const {
  const Link& link = links_.at(leg);
  if (!link.view.info()) return 1;
  const auto is_person = [&](const coin::User& user) {
    const bool is_focus = user.entity == user.cascaded_focus;
    return !is_focus || (user.entity == link.conference && !link.plays_along);  // Jitsi's user
  };
  return static_cast<std::size_t>(std::ranges::count_if(behind(leg), is_person));
}

// Whether to see it as it stands now, before anything changes.
void Cascade::settle(TimePoint now) {
  for (auto& [leg, link] : links_) link.settled = settled(leg, now);
}

void Cascade::reckon(TimePoint now) {
  choose();
  for (auto& [leg, link] : links_) {
    const bool was_in_circle = link.in_circle;
    link.in_circle = is_in_circle(leg, link);
    if (was_in_circle || link.in_circle) link.clear_since = now;
  }
}

// A focus is its own conference's; a user listed in two (two calls of one person) the first one's.
void Cascade::choose() {
  chosen_.clear();
  homes_.clear();
  std::map<std::string, const Told*> best;
  for (const auto& [leg, link] : links_) {
    for (const auto& [conference, told] : link.told) {
      const auto [known, added] = best.try_emplace(conference, &told);
      const auto rank = [](const Told& t) { return std::make_pair(t.way.size(), t.way); };
      const Told& old = *known->second;
      const bool better = !added && (least(told.way) > least(old.way) ||
                                     (least(told.way) == least(old.way) && rank(told) < rank(old)));
      if (better) known->second = &told;
      if (added || better) chosen_[conference] = leg;
    }
  }
  for (const auto& [conference, told] : best) homes_.emplace(conference, conference);
  for (const auto& [conference, told] : best) {
    for (const coin::User& user : told->users) homes_.try_emplace(key_of(user), conference);
  }
}

// A focus that does not play along lists another that we reach through those who do: the greatest.
std::optional<std::string> Cascade::shared_focus(const Link& link) const {
  std::optional<std::string> greatest;
  if (link.plays_along) return greatest;
  for (const auto& [leg, other] : links_) {
    if (!other.plays_along) continue;
    for (const auto& [conference, told] : other.told) {
      if (!link.addresses.contains(conference) || conference == link.conference) continue;
      if (!greatest || conference > *greatest) greatest = conference;
    }
  }
  return greatest;
}

bool Cascade::is_in_circle(media::LegId leg, const Link& link) const {
  if (link.told_back || shared_focus(link)) return true;
  return std::ranges::any_of(links_, [&](const auto& entry) {
    if (entry.first == leg) return false;
    return std::ranges::any_of(entry.second.told,
                               [&](const auto& told) { return link.told.contains(told.first); });
  });
}

// From when on we know whether it plays along.
TimePoint Cascade::decided_at(const Link& link) const {
  if (link.plays_along) return link.since;
  return link.since + (link.told_once ? limits::kCascadeSettle : limits::kCascadeSilence);
}

TimePoint Cascade::settles_at(const Link& link) const {
  const std::chrono::seconds news = limits::kCascadeHop * chosen_.size();
  return std::max(decided_at(link),
                  link.clear_since + std::max<std::chrono::seconds>(limits::kCascadeSettle, news));
}

bool Cascade::settled(media::LegId leg, TimePoint now) const {
  const auto found = links_.find(leg);
  if (found == links_.end()) return false;
  const Link& link = found->second;
  return link.settled || (!link.in_circle && now >= settles_at(link));
}

// Of a circle's links this one, to `link`, is the heaviest. Where both of its ends play along, both
// neighbours in the circle must have told of each other.
bool Cascade::has_to_go(media::LegId leg, const Link& link, TimePoint now) const {
  if (now < decided_at(link)) return false;
  if (const auto shared = shared_focus(link); shared && *shared > own_) return true;
  for (const auto& [other_leg, other] : links_) {
    if (other_leg == leg) continue;
    if (other.conference == link.conference) {  // called and were called
      const bool ours = !link.plays_along || own_ < link.conference;
      if (ours && std::tie(other.since, other_leg) < std::tie(link.since, leg)) return true;
      continue;
    }
    const auto there = other.told.find(link.conference);
    if (!other.plays_along || there == other.told.end()) continue;
    const std::vector<std::string>& way = there->second.way;
    if (!link.plays_along) {
      if (way[way.size() - 2] > own_) return true;  // that one has a link to it, too
      continue;
    }
    const auto back = link.told.find(other.conference);
    if (other.conference < link.conference && least(way) > own_ && back != link.told.end() &&
        least(back->second.way) > own_) {
      return true;
    }
  }
  return false;
}

std::optional<media::LegId> Cascade::redundant(TimePoint now) const {
  for (const auto& [leg, link] : links_) {
    if (link.in_circle && has_to_go(leg, link, now)) return leg;
  }
  return std::nullopt;
}

std::optional<TimePoint> Cascade::next_deadline(TimePoint now) const {
  std::optional<TimePoint> next;
  for (const auto& [leg, link] : links_) {
    if (link.settled) continue;
    const TimePoint at = link.in_circle ? decided_at(link) : settles_at(link);
    if (at > now && (!next || at < *next)) next = at;
  }
  return next;
}

}  // namespace mixer
