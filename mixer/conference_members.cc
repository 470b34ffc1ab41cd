// What a call's joining, changing and leaving means for the room: mix plan, roster, Coin and chat.
#include <algorithm>

#include "mixer/conference.h"
#include "mixer/reasons.h"

namespace mixer {

void Conference::settle(media::LegId leg, Outbox& out, TimePoint now) {
  Member* found = member(leg);
  if (!found) return;
  if (found->call.ended()) {
    remove(leg, now);
    return;
  }
  if (found->call.connected()) {
    const Participant participant = found->call.participant();
    if (roster_.set(leg, participant)) notifier_.touch();
    const auto [planned, added] = plan_.try_emplace(leg, participant.plan);
    if (added || planned->second != participant.plan) {
      planned->second = participant.plan;
      plan_changed_ = true;
    }
    if (!found->joined) join(*found, out, now);
  }
  introduce(*found, out);
  reindex(*found);
}

void Conference::remove(media::LegId leg, TimePoint now) {
  const auto found = members_.find(leg);
  const Call& call = found->second.call;
  ended_.emplace_back(leg, call.record(now));
  sessions_.erase({call.peer(), call.session().sid()});
  if (plan_.erase(leg) > 0) plan_changed_ = true;
  if (roster_.remove(leg)) notifier_.touch();
  notifier_.remove(leg);
  due_.set(leg, std::nullopt);
  members_.erase(found);
}

// The newcomer is in the roster already, so a user whose older call ends now never leaves it.
void Conference::join(Member& newcomer, Outbox& out, TimePoint now) {
  newcomer.joined = true;
  const media::LegId leg = newcomer.call.leg();
  std::vector<media::LegId> replaced = calls_of(newcomer.call.peer());
  std::erase(replaced, leg);
  if (const auto moved = newcomer.call.replaces();
      moved && member(*moved) && std::ranges::find(replaced, *moved) == replaced.end()) {
    replaced.push_back(*moved);
  }
  for (const media::LegId old : replaced) {
    members_.at(old).call.end(reasons::replaced(), out);
    remove(old, now);
  }
  if (replaced.empty()) announce_join(newcomer, out);
}

void Conference::withdraw(media::LegId, const jingle::Reason&, Outbox&, TimePoint) {}

void Conference::introduce(Member& member, Outbox& out) {
  if (!member.profile || !member.call.accepted()) return;
  if (member.profile->isfocus_again && !member.isfocus_repeated) {
    member.isfocus_repeated = true;
    member.call.say_isfocus(true, out);
  }
  if (!member.joined || member.introduced) return;
  member.introduced = true;
  const ClientProfile& profile = *member.profile;
  const bool wanted = push_ == CoinPush::everyone || profile.announced_coin;
  notifier_.add(member.call.leg(), {.local = member.call.session().local(),
                                    .peer = member.call.peer(),
                                    .sid = member.call.session().sid(),
                                    .pushed = profile.takes_documents && wanted,
                                    .announced = profile.announced_coin});
  if (!profile.shows_roster && place_.config.announce != Announce::off) announce(member, out);
}

void Conference::announce(const Member& member, Outbox& out) const {
  const std::string own = roster_.name_of(member.call.leg());
  std::string others;
  for (const std::string& name : roster_.names()) {
    if (name != own) others += (others.empty() ? "" : ", ") + name;
  }
  const std::string who =
      others.empty() ? "You are the only one in this call." : "In this call: " + others + ".";
  chat(member.call, who + " The server mixes the call, so it can hear what is said.", out);
}

void Conference::announce_join(const Member& newcomer, Outbox& out) const {
  if (place_.config.announce != Announce::joins) return;
  const std::string name = roster_.name_of(newcomer.call.leg());
  for (const auto& [leg, member] : members_) {
    if (leg == newcomer.call.leg() || !member.introduced || member.profile->shows_roster) continue;
    chat(member.call, name + " joined the call.", out);
  }
}

void Conference::chat(const Call& call, const std::string& text, Outbox& out) const {
  out.put(SendMessage{place_.full, call.peer(), "chat", out.next_id(),
                      "<body>" + jingle::escape(text) + "</body>"});
}

void Conference::send_plan(Outbox& out) {
  if (!plan_changed_) return;
  plan_changed_ = false;
  media::MixPlan plan;
  for (const auto& [leg, planned] : plan_) plan.legs.push_back(planned);
  out.put(SetMixPlan{place_.media_room, std::move(plan)});
}

}  // namespace mixer
