// What participants let the others see of what they publish of themselves (XEP-0119), and what they
// call themselves (XEP-0172).
#include <algorithm>

#include "mixer/conference.h"

namespace mixer {

// XEP-0045 §7.8: an occupant publishes nothing by that name.
bool Conference::may_share(const jingle::Jid& user) const {
  return std::ranges::any_of(calls_of(user), [&](media::LegId leg) {
    const auto found = members_.find(leg);
    return found != members_.end() && found->second.joined &&
           !found->second.call.participant().occupant;
  });
}

// XEP-0060 §6.5: what was published before; what is from now on comes by itself.
void Conference::ask_for(const std::set<jingle::pep::Node>& nodes, const jingle::Jid& user,
                         Outbox& out, TimePoint now) const {
  for (const jingle::pep::Node node : nodes) {
    const std::string id(jingle::pep::id_of(node));
    out.ask({.from = place_.full,
             .to = user,
             .id = {},
             .is_set = false,
             .payload = jingle::pubsub::write(
                 jingle::pubsub::GetItems{.node = id, .ids = {}, .max_items = 1}),
             .priority = jingle::Priority::normal},
            {user, Purpose::shared_items, place_.name, {}, now, id});
  }
}

std::optional<std::string> Conference::share(const jingle::Jid& user, const ShareWish& wish,
                                             bool seen, Outbox& out, TimePoint now) {
  if (!may_share(user)) return std::nullopt;
  ask_for(sharing_.apply(user, wish), user, out, now);
  sharing_.set_unseen(user, !seen);
  show_shared(user, now);
  const std::string offered = sharing_.offered(), names = sharing_.names(user);
  if (offered.empty()) return "Nothing can be shared with this call.";
  const std::string refused = sharing_.refused(wish);
  std::string answer;
  const auto say = [&answer](const std::string& sentence) {
    answer.append(answer.empty() ? "" : " ").append(sentence);
  };
  if (!refused.empty()) say(refused + " cannot be shared here.");
  if (!refused.empty() || (wish.share && names.empty())) say("You can share: " + offered + ".");
  if (!names.empty()) {
    say("The call sees of you: " + names +
        (seen ? ""
              : ", once this address may see your presence: accept its request, or add it to your "
                "contacts") +
        ". To end that say: unshare");
  } else if (!wish.share) {
    say("The call sees nothing more of you.");
  }
  return answer;
}

void Conference::came_to_see(const jingle::Jid& user, Outbox& out, TimePoint now) {
  sharing_.set_unseen(user, false);
  ask_for(sharing_.nodes(user), user, out, now);
}

void Conference::published(const jingle::Jid& user, const jingle::pubsub::Event& event, Outbox& out,
                           TimePoint now) {
  const auto taken = sharing_.take(user, event);
  if (taken.error) {  // never what it was
    out.log(Log::Level::info, "presence=malformed room=" + quoted(place_.name) + " peer=" +
                                  quoted(user.str()) + " error=" + taken.error->app_name);
  }
  if (taken.changed) show_shared(user, now);
}

void Conference::unshare(const jingle::Jid& user, TimePoint now) {
  sharing_.forget(user);
  show_shared(user, now);
}

// Consent is for this call: it ends with a user's last one here, unless that moves.
void Conference::end_sharing(const jingle::Jid& user, TimePoint now) {
  const bool is_moving =
      std::ranges::any_of(moving_, [&](const auto& entry) { return entry.second.user == user; });
  if (!is_moving && !may_share(user)) unshare(user, now);
}

// Not an occupant's: his bare JID is the chat room's.
Participant Conference::participant_of(const Call& call) const {
  Participant participant = call.participant();
  if (participant.occupant) return participant;
  const jingle::Jid user = participant.peer.bare();
  participant.nick = sharing_.nick(user);
  if (participant.nick.empty()) participant.nick = nicks_.of(place_.name, user);
  return participant;
}

void Conference::renamed(const jingle::Jid& user, TimePoint now) {
  for (const media::LegId leg : calls_of(user)) {
    if (const Member* found = member(leg)) show(*found, now);
  }
}

void Conference::show_shared(const jingle::Jid& user, TimePoint now) {
  renamed(user, now);
  if (roster_.set_shared(user, sharing_.elements(user))) notifier_.touch();
}

}  // namespace mixer
