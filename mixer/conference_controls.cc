// What moderators and participants tell the conference to do (control.h).
#include "mixer/conference.h"
#include "mixer/display_name.h"
#include "mixer/limits.h"
#include "mixer/reasons.h"

namespace mixer {

std::string Conference::who() const {
  const std::vector<std::string> names = roster_.names();
  return "In this call (" + std::to_string(names.size()) +
         "): " + name_list(names, limits::kMaxNamesTold) + ".";
}

std::optional<PlayRefusal> Conference::order(const PlayOrder& order, const jingle::Jid& by,
                                             Outbox& out) {
  const auto refused = jukebox_.order(order, by, out);
  settle_doing(out);
  return refused;
}

std::optional<std::string> Conference::record(const RecordOrder& order, const jingle::Jid& by,
                                              Outbox& out, TimePoint now) {
  auto refused = recording_.order(order, by, plan_, out, now);
  settle_doing(out);
  return refused;
}

void Conference::set_subject(std::string subject) {
  roster_.set_subject(std::move(subject));
  notifier_.touch();
}

bool Conference::mute(const jingle::Jid& user, bool muted, Outbox& out, TimePoint now) {
  if (muted && muted_.size() >= limits::kMaxMuted) {
    std::erase_if(muted_, [this](const jingle::Jid& each) { return !roster_.has_connected(each); });
  }
  if (muted ? !muted_.insert(user).second : muted_.erase(user) == 0) return false;
  for (const media::LegId leg : calls_of(user)) {
    Member& member = members_.at(leg);
    show(member, now);
    chat(member.call,
         muted ? "A moderator has muted you: nobody hears you until you may speak again."
               : "You may speak again: the others hear you.",
         out);
  }
  return true;
}

void Conference::silence(Participant& participant) {
  participant.plan.in_mix = false;
  if (participant.status == coin::EndpointStatus::connected) {
    participant.status = coin::EndpointStatus::muted_via_focus;
  }
}

void Conference::kick(const jingle::Jid& user, Outbox& out, TimePoint now) {
  for (const media::LegId leg : calls_of(user)) {
    Member* found = member(leg);
    if (!found) continue;  // settled with another
    found->call.end(reasons::removed(), out);
    settle(leg, out, now);
  }
}

}  // namespace mixer
