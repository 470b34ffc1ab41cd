#include "mixer/links.h"

#include <algorithm>

#include "mixer/limits.h"
#include "mixer/reasons.h"

namespace mixer {

bool Links::update(const Call& call, TimePoint now) {
  const media::LegId leg = call.leg();
  if (!call.peer_is_focus()) {
    const bool was = has(leg);
    remove(leg, now);
    return was;
  }
  if (!call.connected() || has(leg)) return false;
  links_[leg].dialled = call.role() == jingle::Role::initiator;
  cascade_.add(leg, call.peer(), now);
  changed_ = true;
  if (const auto waiting = early_.extract(leg)) {
    for (const coin::ConferenceInfo& document : waiting.mapped()) apply(leg, document);
  }
  return true;
}

void Links::remove(media::LegId leg, TimePoint now) {
  early_.erase(leg);
  rates_.erase(leg);
  std::erase_if(defects_, [&](const auto& defect) { return defect.first == leg; });
  if (links_.erase(leg) == 0) return;
  cascade_.remove(leg, now);
  changed_ = true;
}

std::vector<media::LegId> Links::legs() const {
  std::vector<media::LegId> legs;
  for (const auto& [leg, link] : links_) legs.push_back(leg);
  return legs;
}

bool Links::reach(const std::string& uri) const {
  return std::ranges::any_of(links_, [&](const auto& entry) {
    const auto users = cascade_.behind(entry.first);
    return std::ranges::any_of(users, [&](const coin::User& user) {
      return user.entity == uri || user.cascaded_focus == uri;
    });
  });
}

// The peer may see the leg connected before we do, and heals what we lost only after a minute.
std::optional<jingle::StanzaError> Links::receive(const Call& call,
                                                  const coin::ConferenceInfo& document,
                                                  TimePoint now) {
  const media::LegId leg = call.leg();
  Rate& rate = rates_.try_emplace(leg, limits::kLinkDocuments).first->second;
  const bool early = !has(leg);
  if (rate.ready_at() > now || (early && early_[leg].size() == limits::kMaxEarlyDocuments)) {
    return jingle::resource_constraint("So many documents are not read.");
  }
  rate.spend(1, now);
  if (early) {
    early_[leg].push_back(document);
  } else {
    apply(leg, document);
  }
  return std::nullopt;
}

void Links::apply(media::LegId leg, const coin::ConferenceInfo& document) {
  note(leg, cascade_.apply(leg, document));
}

void Links::list(TimePoint now) {
  for (auto& [leg, link] : links_) {
    if (!cascade_.unlisted(leg) || now < link.listed + limits::kLinkListed) continue;
    link.listed = now;
    Cascade::Received received = cascade_.list(leg, now);
    changed_ = changed_ || received.changed;
    note(leg, std::move(received.defect));
  }
}

void Links::note(media::LegId leg, std::optional<std::string> defect) {
  if (defect) defects_.emplace_back(leg, std::move(*defect));
}

// A focus that lists itself (RFC 4575 §5.7.3 focus-owner) is nobody.
Recording::Behind Links::callers() const {
  Recording::Behind callers;
  for (const auto& [leg, link] : links_) {
    auto& there = callers[leg];
    for (const coin::User& user : cascade_.behind(leg)) {
      if (user.endpoints.empty()) there[user.entity] = true;
      for (const coin::Endpoint& call : user.endpoints) {
        if (call.joining_method == coin::JoiningMethod::focus_owner) continue;
        there[user.entity + ' ' + call.entity] = call.status != coin::EndpointStatus::on_hold;
      }
    }
  }
  return callers;
}

bool Links::show(Roster& roster) {
  if (!std::exchange(changed_, false)) return false;
  bool changed = false;
  for (const auto& [leg, link] : links_) {
    changed |=
        roster.set_cascade(leg, cascade_.conference(leg), cascade_.behind(leg), cascade_.does(leg));
  }
  return changed;
}

void Links::plan(media::LegPlan& plan, TimePoint now) const {
  if (!has(plan.leg)) return;
  plan.is_mixer = true;
  if (!cascade_.settled(plan.leg, now)) plan.in_mix = plan.receives = false;
}

bool Links::serves(media::LegId leg, std::size_t people) const {
  return people > 0 || std::ranges::any_of(links_, [&](const auto& entry) {
           return entry.first != leg && cascade_.people_behind(entry.first) > 0;
         });
}

std::optional<Links::End> Links::next_to_end(std::size_t people, TimePoint now) {
  if (const auto leg = cascade_.redundant(now)) return End{*leg, reasons::circle()};
  for (auto& [leg, link] : links_) {
    if (!link.dialled || serves(leg, people)) {
      link.idle_since.reset();
    } else if (!link.idle_since) {
      link.idle_since = now;
    } else if (*link.idle_since + limits::kLinkIdle <= now) {
      return End{leg, reasons::nobody_left()};
    }
  }
  return std::nullopt;
}

std::optional<TimePoint> Links::next_deadline(TimePoint now) const {
  std::optional<TimePoint> next = cascade_.next_deadline(now);
  const auto also = [&next](TimePoint at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [leg, link] : links_) {
    if (link.idle_since) also(*link.idle_since + limits::kLinkIdle);
    if (cascade_.unlisted(leg)) also(link.listed + limits::kLinkListed);
  }
  return next;
}

}  // namespace mixer
