// What a call's joining, changing and leaving means for the room: mix plan, roster, Coin and chat.
#include <algorithm>

#include "mixer/conference.h"
#include "mixer/display_name.h"
#include "mixer/limits.h"
#include "mixer/reasons.h"

namespace mixer {

void Conference::settle(media::LegId leg, Outbox& out, TimePoint now) {
  Member* found = member(leg);
  if (!found) return;
  if (found->call.ended()) {
    // Who called us meanwhile is as good as here.
    remove(leg, found->call.yielded() ? Leaving::replaced : Leaving::departs, now);
  } else {
    const bool joins = found->call.connected() && !found->joined;
    if (joins) {
      found->joined = true;
      found->joined_at = date_time(wall_(now));
    }
    const bool relinked = links_.update(found->call, now);
    show(*found, now);
    if (relinked) {
      notifier_.set_cascaded(leg, links_.has(leg));
      if (!links_.has(leg) && roster_.set_cascade(leg, {}, {})) notifier_.touch();
    }
    if (joins) join(*found, out, now);
  }
  settle_links(out, now);
  settle_isfocus(out);
  settle_audience(out, now);
  found = member(leg);
  if (!found) return;
  introduce(*found, out);
  reindex(*found);
}

// Who is called is in the roster from the first; who calls, when he is connected.
void Conference::show(const Member& member, TimePoint now) {
  if (!member.joined && member.call.role() == jingle::Role::responder) return;
  const media::LegId leg = member.call.leg();
  Participant participant = participant_of(member.call);
  if (member.joined) participant.joining_info.when = member.joined_at;
  if (muted_.contains(participant.user())) silence(participant);
  links_.plan(participant.plan, now);
  if (roster_.set(leg, participant)) notifier_.touch();
  if (!member.joined) return;
  const auto planned = std::ranges::lower_bound(plan_, leg, {}, &media::LegPlan::leg);
  if (planned == plan_.end() || planned->leg != leg) {
    plan_.insert(planned, participant.plan);
  } else if (*planned != participant.plan) {
    *planned = participant.plan;
  } else {
    return;
  }
  plan_changed_ = true;
}

void Conference::remove(media::LegId leg, Leaving how, TimePoint now) {
  const auto found = members_.find(leg);
  const Call& call = found->second.call;
  const std::optional<media::LegId> moved = call.replaces();
  ended_.emplace_back(leg, call.record(now));
  sessions_.erase({call.peer(), call.session().sid()});
  if (std::erase_if(plan_, [leg](const media::LegPlan& planned) { return planned.leg == leg; }) >
      0) {
    plan_changed_ = true;
  }
  links_.remove(leg, now);
  if (how == Leaving::departs && moves(found->second, now)) {
    hold(found->second, now);
  } else {
    const bool was_listed =
        how == Leaving::departs
            ? roster_.depart(leg, call.departure(wall_, now), now + place_.config.departed_for)
            : roster_.remove(leg);
    if (was_listed) notifier_.touch();
  }
  notifier_.remove(leg);
  due_.set(leg, std::nullopt);
  contributor_ids_.erase(call.contributor_id());
  const jingle::Jid user = call.peer().bare();
  members_.erase(found);
  end_sharing(user, now);
  if (moved) move_failed(*moved, now);  // unless it is connected already
}

bool Conference::moves(const Member& member, TimePoint now) const {
  if (!member.joined || member.moves_until == TimePoint{}) return false;
  return now < member.moves_until || has_successor(member.call.leg());
}

bool Conference::has_successor(media::LegId leg) const {
  return std::ranges::any_of(members_, [leg](const auto& entry) {
    return entry.second.call.replaces() == leg && !entry.second.joined;
  });
}

// RFC 4575 §5.7.3 dialing-in: he is not in the conference, and not gone.
void Conference::hold(const Member& member, TimePoint now) {
  const media::LegId leg = member.call.leg();
  Participant listed = participant_of(member.call);
  listed.contributor_id = 0;
  listed.plan = {.leg = leg, .in_mix = false, .receives = false};
  listed.status = coin::EndpointStatus::dialing_in;
  listed.joining_info.when = member.joined_at;
  if (roster_.set(leg, listed)) notifier_.touch();
  if (roster_.set_cascade(leg, {}, {})) notifier_.touch();
  moving_.insert_or_assign(leg, Moving{.user = member.call.peer().bare(),
                                       .departure = member.call.departure(wall_, now),
                                       .until = member.moves_until,
                                       .calls = has_successor(leg)});
}

void Conference::move_failed(media::LegId leg, TimePoint now) {
  const auto moving = moving_.extract(leg);
  if (!moving) return;
  end_sharing(moving.mapped().user, now);
  if (roster_.depart(leg, moving.mapped().departure, now + place_.config.departed_for)) {
    notifier_.touch();
  }
}

// The newcomer is in the roster already, so a user whose older call ends now never leaves it.
void Conference::join(Member& newcomer, Outbox& out, TimePoint now) {
  const media::LegId leg = newcomer.call.leg();
  std::vector<media::LegId> replaced = calls_of(newcomer.call.peer());
  std::erase(replaced, leg);
  if (const auto moved = newcomer.call.replaces();
      moved && member(*moved) && std::ranges::find(replaced, *moved) == replaced.end()) {
    replaced.push_back(*moved);
  }
  for (const media::LegId old : replaced) {
    members_.at(old).call.end(reasons::replaced(), out);
    remove(old, Leaving::replaced, now);
  }
  const auto moved = std::erase_if(moving_, [&](const auto& entry) {
    const bool his = entry.second.user == newcomer.call.peer().bare();
    if (his && roster_.remove(entry.first)) notifier_.touch();
    return his;
  });
  if (replaced.empty() && moved == 0) announce_join(newcomer, out);
}

void Conference::introduce(Member& member, Outbox& out) {
  if (!member.profile || !member.call.accepted()) return;
  say_isfocus(member, out);
  if (!member.joined || member.introduced) return;
  member.introduced = true;
  subscribe(member);
  if (!member.profile->shows_roster && place_.config.announce != Announce::off) {
    announce(member, out);
  }
}

void Conference::announce(const Member& member, Outbox& out) const {
  const std::string own = roster_.name_of(member.call.leg());
  std::vector<std::string> others = roster_.names();
  std::erase(others, own);
  const std::string who =
      others.empty() ? "You are the only one in this call."
                     : "In this call: " + name_list(others, limits::kMaxNamesAnnounced) + ".";
  chat(member.call,
       who + " The server mixes the call, so it can hear what is said." +
           (recording_.shown() ? " It is recorded: after three tones, what you say is, too." : ""),
       out);
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

// Another focus is many: no music is played into its room because ours has nobody else.
void Conference::settle_audience(Outbox& out, TimePoint now) {
  const std::size_t users = plan_.size();
  jukebox_.audience(users, users == 1 && !links_.has(plan_.front().leg), out, now);
  recording_.audience(plan_, out, now);
  settle_doing(out);
}

void Conference::settle_doing(Outbox& out) {
  const bool shown = recording_.shown();
  if (roster_.set_doing(shown, jukebox_.now_playing())) notifier_.touch();
  if (std::exchange(recording_seen_, recording_.changes()) == recording_.changes()) return;
  plan_changed_ = true;
  if (std::exchange(recording_told_, shown) == shown) return;
  if (place_.config.announce == Announce::off) return;
  for (const auto& [leg, member] : members_) {
    if (!member.introduced || member.profile->shows_roster) continue;
    chat(member.call,
         shown ? "This call is recorded from three tones on."
               : "This call is not recorded any more.",
         out);
  }
}

void Conference::send_plan(Outbox& out) {
  if (!plan_changed_) return;
  plan_changed_ = false;
  media::MixPlan plan{.legs = plan_,
                      .max_speakers = static_cast<std::size_t>(place_.config.max_speakers)};
  for (media::LegPlan& leg : plan.legs) leg.recorded = recording_.may_record(leg.leg);
  out.put(SetMixPlan{place_.media_room, std::move(plan)});
}

}  // namespace mixer
