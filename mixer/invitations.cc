#include "mixer/invitations.h"

#include <algorithm>

#include "mixer/limits.h"

namespace mixer {

bool Invitations::add(Invitation invitation) {
  if (invitations_.size() >= limits::kMaxInvitations) return false;
  auto key = std::tuple(invitation.room, invitation.peer, invitation.sid);
  return invitations_.try_emplace(std::move(key), std::move(invitation)).second;
}

bool Invitations::has(const std::string& room, const jingle::Jid& peer,
                      const jingle::Sid& sid) const {
  return invitations_.contains({room, peer, sid});
}

bool Invitations::has_any(const std::string& room, const jingle::Jid& bare) const {
  const auto next = invitations_.lower_bound({room, bare, jingle::Sid{}});
  return next != invitations_.end() && std::get<0>(next->first) == room &&
         std::get<1>(next->first).bare() == bare;
}

std::optional<Invitation> Invitations::take(const std::string& room, const jingle::Jid& peer,
                                            const jingle::Sid& sid) {
  auto node = invitations_.extract({room, peer, sid});
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

std::optional<Invitation> Invitations::take_any(const std::string& room, const jingle::Jid& jid) {
  const auto next = invitations_.lower_bound({room, jid, jingle::Sid{}});
  if (next == invitations_.end() || std::get<0>(next->first) != room) return std::nullopt;
  const jingle::Jid& peer = std::get<1>(next->first);
  if (peer != jid && !(jid.is_bare() && peer.bare() == jid)) return std::nullopt;
  return std::move(invitations_.extract(next).mapped());
}

std::vector<Invitation> Invitations::take_expired(TimePoint now) {
  std::vector<Invitation> expired;
  std::erase_if(invitations_, [&](auto& entry) {
    if (entry.second.began + limits::kProceedToInitiate > now) return false;
    expired.push_back(std::move(entry.second));
    return true;
  });
  return expired;
}

std::vector<Invitation> Invitations::take_all() { return take_expired(TimePoint::max()); }

int Invitations::pending_of(const jingle::Jid& user) const {
  return static_cast<int>(std::ranges::count_if(invitations_, [&](const auto& entry) {
    const jingle::Jid& peer = entry.second.peer;
    return peer.local() == user.local() && peer.domain() == user.domain() &&
           (user.is_bare() || peer.resource() == user.resource());
  }));
}

std::optional<TimePoint> Invitations::next_deadline() const {
  const auto first = std::ranges::min_element(invitations_, {},
                                              [](const auto& entry) { return entry.second.began; });
  if (first == invitations_.end()) return std::nullopt;
  return first->second.began + limits::kProceedToInitiate;
}

}  // namespace mixer
