// Dialling out, as the room sees it (RFC 4575 §5.7.3): who is invited is listed before there is a
// call.
#include <algorithm>

#include "mixer/conference.h"
#include "mixer/reasons.h"

namespace mixer {

void Conference::invited(const Outgoing& outgoing, Outbox& out, TimePoint now) {
  using enum coin::EndpointStatus;
  Participant listed{.peer = outgoing.target,
                     .token = out.token(),
                     .plan = {.leg = outgoing.leg, .in_mix = false, .receives = false},
                     // A proposal goes at once; a call when the engine has opened its leg.
                     .status = outgoing.target.is_bare() ? dialing_out : pending,
                     .joining_method = coin::JoiningMethod::dialed_out};
  listed.joining_info.when = date_time(wall_(now));
  listed.joining_info.by = outgoing.by.value_or(place_.bare).bare().uri();
  if (!outgoing.reason.empty()) listed.joining_info.reason = outgoing.reason;
  if (roster_.set(outgoing.leg, listed)) notifier_.touch();
  invited_.insert_or_assign(outgoing.leg, Invited{outgoing, std::move(listed)});
}

void Conference::ringing(media::LegId leg) {
  const auto found = invited_.find(leg);
  if (found == invited_.end()) return;
  found->second.listed.status = coin::EndpointStatus::alerting;
  if (roster_.set(leg, found->second.listed)) notifier_.touch();
}

void Conference::call(media::LegId leg, const jingle::Jid& peer, bool proposed,
                      const ClientProfile* profile, Outbox& out, TimePoint now) {
  const auto found = invited_.extract(leg);
  if (!found) return;
  const Invited& invited = found.mapped();
  add({.room = place_.name,
       .sid = invited.outgoing.sid,
       .local = place_.full,
       .peer = peer,
       .focus = place_.full,
       .media_room = place_.media_room,
       .leg = leg,
       .contributor_id = new_contributor_id(out),
       .role = jingle::Role::initiator,
       .max_bitrate_bps = bitrate_bps_,
       .status = invited.listed.status,
       .isfocus = isfocus_,
       .joining_method = invited.listed.joining_method,
       .joining_info = invited.listed.joining_info,
       .proposed = proposed,
       .replaces = std::nullopt},
      profile, out, now);
  settle(leg, out, now);
}

void Conference::uninvited(media::LegId leg, const jingle::Reason& reason, bool by_peer,
                           TimePoint now) {
  if (invited_.erase(leg) == 0) return;
  Departure departure{.method = reasons::method_of(reason.condition, by_peer, false)};
  departure.info.when = date_time(wall_(now));
  if (std::string text = reasons::shown(reason); !text.empty()) {
    departure.info.reason = std::move(text);
  }
  if (roster_.depart(leg, departure, now + place_.config.departed_for)) notifier_.touch();
}

void Conference::withdraw(media::LegId leg, const jingle::Reason& reason, Outbox& out,
                          TimePoint now) {
  if (invited_.erase(leg) > 0) {
    if (roster_.remove(leg)) notifier_.touch();
  } else if (Member* called = member(leg)) {
    called->call.end(reason, out);
    remove(leg, Leaving::replaced, now);
    settle_links(out, now);
    settle_isfocus(out);
  }
}

bool Conference::has_user(const jingle::Jid& bare) const {
  const bool is_invited = std::ranges::any_of(
      invited_, [&](const auto& entry) { return entry.second.outgoing.target.bare() == bare; });
  const bool is_moving =
      std::ranges::any_of(moving_, [&](const auto& entry) { return entry.second.user == bare; });
  return is_invited || is_moving || !calls_of(bare).empty() || links_.reach(bare.uri());
}

}  // namespace mixer
