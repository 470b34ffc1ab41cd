#include "mixer/dialling.h"

#include <algorithm>

#include "mixer/limits.h"

namespace mixer {

std::string_view to_string(InviteRefusal refusal) {
  switch (refusal) {
    case InviteRefusal::not_connected: return "There is no connection to the server.";
    case InviteRefusal::shutting_down: return "The mixer is shutting down.";
    case InviteRefusal::own_address: return "That is an address of this mixer itself.";
    case InviteRefusal::not_allowed: return "The access rule does not allow that address.";
    case InviteRefusal::no_such_room: return "There is no such conference.";
    case InviteRefusal::already_here: return "They are in the conference already.";
    case InviteRefusal::already_invited: return "They are being called already.";
    case InviteRefusal::refused_lately: return "They did not take a call a short while ago.";
    case InviteRefusal::room_full: return "The conference is full.";
    case InviteRefusal::over_limit: return "The mixer has too many calls under way.";
  }
  return {};
}

std::optional<InviteRefusal> Dialling::refuses(const jingle::Jid& target, TimePoint now) const {
  if (dials_.contains(target.bare())) return InviteRefusal::already_invited;
  if (now < left_alone_until(target)) return InviteRefusal::refused_lately;
  if (dials_.size() >= limits::kMaxDials) return InviteRefusal::over_limit;
  return std::nullopt;
}

TimePoint Dialling::left_alone_until(const jingle::Jid& target) const {
  const auto found = left_alone_.find(target.bare());
  return found == left_alone_.end() ? TimePoint::min() : found->second;
}

void Dialling::propose(Dial dial, TimePoint now) {
  dial.state = Dial::State::proposed;
  dial.direct_at = now + limits::kDirectAfter;
  dial.retract_at = now + limits::kRingFor;
  dials_.insert_or_assign(dial.target.bare(), std::move(dial));
}

void Dialling::call(Dial dial, const jingle::Jid& peer) {
  dial.state = Dial::State::called;
  dial.peer = peer;
  dial.direct_at.reset();
  dials_.insert_or_assign(dial.target.bare(), std::move(dial));
}

const Dial* Dialling::proposal(const std::string& room, const jingle::Jid& from,
                               const jingle::Sid& sid) const {
  const Dial* dial = of(room, from);
  return dial && dial->state != Dial::State::called && dial->sid == sid ? dial : nullptr;
}

const Dial* Dialling::rang(const std::string& room, const jingle::Jid& from,
                           const jingle::Sid& sid) {
  if (!proposal(room, from, sid)) return nullptr;
  Dial& dial = dials_.at(from.bare());
  if (dial.state == Dial::State::ringing) return nullptr;
  dial.state = Dial::State::ringing;
  dial.direct_at.reset();
  return &dial;
}

void Dialling::answered(const std::string& room, const jingle::Jid& peer, const jingle::Sid& sid) {
  const Dial* dial = of(room, peer);
  if (dial && dial->sid == sid) dials_.erase(peer.bare());
}

void Dialling::delivered(const std::string& room, const jingle::Jid& from,
                         const std::string& message_id) {
  const Dial* dial = of(room, from);
  if (!dial || dial->message_id != message_id) return;
  auto& devices = dials_.at(from.bare()).delivered_to;
  if (devices.size() < limits::kMaxAskedResources) devices.push_back(from);
}

const Dial* Dialling::bounced(const std::string& room, const jingle::Jid& from,
                              const std::string& message_id) const {
  const Dial* dial = of(room, from);
  const bool open = dial && dial->state != Dial::State::called && dial->target == from;
  return open && dial->message_id == message_id ? dial : nullptr;
}

Dialling::Crossing Dialling::proposal_crosses(const std::string& room, const jingle::Jid& peer,
                                              const jingle::Sid& sid,
                                              const jingle::Jid& own) const {
  const Dial* ours = of(room, peer);
  if (!ours) return Crossing::none;
  if (ours->state != Dial::State::called) return judge(*ours, peer, sid, own);
  // Another device of theirs than the one we call is no party to that session.
  return ours->peer == peer ? Crossing::prevail : Crossing::yield;
}

Dialling::Crossing Dialling::session_crosses(const std::string& room, const jingle::Jid& peer,
                                             const jingle::Sid& sid, const jingle::Jid& own) const {
  const Dial* ours = of(room, peer);
  if (!ours) return Crossing::none;
  if (ours->state != Dial::State::called || ours->peer != peer) return Crossing::yield;
  return judge(*ours, peer, sid, own);
}

// i;octet (RFC 4790 §9.3) is how std::string compares.
Dialling::Crossing Dialling::judge(const Dial& ours, const jingle::Jid& peer,
                                   const jingle::Sid& sid, const jingle::Jid& own) const {
  const bool lower = ours.sid == sid ? own.str() < peer.str() : ours.sid.value < sid.value;
  return lower ? Crossing::prevail : Crossing::yield;
}

bool Dialling::stands(const Dial& copy) const {
  const Dial* dial = of(copy.room, copy.target);
  return dial && dial->leg == copy.leg && dial->state == copy.state;
}

const Dial* Dialling::of(const std::string& room, const jingle::Jid& who) const {
  const auto found = dials_.find(who.bare());
  return found == dials_.end() || found->second.room != room ? nullptr : &found->second;
}

std::vector<Dial> Dialling::all(const std::string& room) const {
  std::vector<Dial> out;
  for (const auto& [bare, dial] : dials_) {
    if (room.empty() || dial.room == room) out.push_back(dial);
  }
  return out;
}

void Dialling::end(media::LegId leg, bool leave_alone, TimePoint now) {
  const auto over =
      std::ranges::find_if(dials_, [&](const auto& entry) { return entry.second.leg == leg; });
  if (over == dials_.end()) return;
  const jingle::Jid bare = over->first;
  dials_.erase(over);
  if (!leave_alone) return;
  if (left_alone_.size() >= limits::kMaxLeftAlone && !left_alone_.contains(bare)) {
    std::erase_if(left_alone_, [&](const auto& entry) { return entry.second <= now; });
    if (left_alone_.size() >= limits::kMaxLeftAlone) {
      left_alone_.erase(std::ranges::min_element(left_alone_, {},
                                                 [](const auto& entry) { return entry.second; }));
    }
  }
  left_alone_.insert_or_assign(bare, now + limits::kLeaveAlone);
}

std::vector<Dial> Dialling::take_silent(TimePoint now) {
  std::vector<Dial> out;
  for (auto& [bare, dial] : dials_) {
    if (!dial.direct_at || *dial.direct_at > now) continue;
    dial.direct_at.reset();
    out.push_back(dial);
  }
  return out;
}

std::vector<Dial> Dialling::expired(TimePoint now) const {
  std::vector<Dial> out;
  for (const auto& [bare, dial] : dials_) {
    if (dial.state != Dial::State::called && dial.retract_at <= now) out.push_back(dial);
  }
  return out;
}

std::optional<TimePoint> Dialling::next_deadline() const {
  std::optional<TimePoint> next;
  for (const auto& [bare, dial] : dials_) {
    if (dial.state == Dial::State::called) continue;
    const TimePoint at =
        dial.direct_at ? std::min(*dial.direct_at, dial.retract_at) : dial.retract_at;
    if (!next || at < *next) next = at;
  }
  return next;
}

}  // namespace mixer
