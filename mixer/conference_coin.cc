// What a room says and hears in the words of XEP-0298: who is focus, and documents.
#include "mixer/conference.h"

namespace mixer {

// XEP-0298 §5, when a call becomes a conference and when it is one no more.
void Conference::settle_isfocus(Outbox& out) {
  const bool holds = place_.config.focus == FocusWhen::always || plan_.size() + moving_.size() >= 2;
  if (holds == isfocus_) return;
  isfocus_ = holds;
  for (auto& [leg, member] : members_) {
    member.call.set_isfocus(holds);
    say_isfocus(member, out);
  }
}

// In session-infos to those who announced Coin only: Dino and Monal never answer one that they do
// not know, QXmpp rings. Who was not told gets no document either (§6).
void Conference::say_isfocus(Member& member, Outbox& out) {
  if (!member.profile || !member.call.accepted()) return;
  Call& call = member.call;
  const ClientProfile& profile = *member.profile;
  const bool lost = profile.isfocus_again && call.role() == jingle::Role::responder &&
                    !member.isfocus_repeated;  // our session-accept was not searched for it
  const bool told = call.isfocus() && !lost;
  if (told != isfocus_ && (profile.announced_coin || profile.isfocus_again)) {
    member.isfocus_repeated = true;
    call.say_isfocus(isfocus_, out);
  }
  notifier_.set_isfocus(call.leg(), isfocus_ && call.isfocus());
}

// Requires: introduced.
void Conference::subscribe(const Member& member) {
  const Call& call = member.call;
  const ClientProfile& profile = *member.profile;
  const bool wanted = push_ == CoinPush::everyone || profile.announced_coin;
  notifier_.add(call.leg(), {.local = call.session().local(),
                             .peer = call.peer(),
                             .sid = call.session().sid(),
                             .pushed = profile.takes_documents && wanted,
                             .announced = profile.announced_coin,
                             .form = profile.form});
  notifier_.set_cascaded(call.leg(), links_.has(call.leg()));
  notifier_.set_isfocus(call.leg(), isfocus_ && call.isfocus());
}

void Conference::set_profile(Member& member, const ClientProfile& profile) {
  const bool news = std::exchange(member.profile, &profile) != &profile;
  if (news && member.introduced) subscribe(member);
}

// Whatever its client announced.
void Conference::speaks_coin(Member& member, Coin coin, Outbox& out) {
  static const ClientProfile& unknown = profile_of({});
  member.coin = std::max(member.coin, coin);
  set_profile(member, shown_as(member, member.profile ? *member.profile : unknown));
  introduce(member, out);
}

const ClientProfile& Conference::shown_as(const Member& member, const ClientProfile& announced) {
  switch (member.coin) {
    case Coin::unheard: return announced;
    case Coin::asked: return profile_of_asker(announced);
    case Coin::sent: return profile_of_sender(announced);
  }
  return announced;
}

std::optional<jingle::StanzaError> Conference::document_from(const jingle::Jid& peer,
                                                             const coin::ConferenceInfo& info,
                                                             Outbox& out, TimePoint now) {
  Member* sender = member_of(peer);
  if (!sender) return jingle::unknown_session();
  if (!sender->call.peer_is_focus()) return jingle::not_allowed();
  speaks_coin(*sender, Coin::sent, out);
  auto refused = links_.receive(sender->call, info, now);
  if (!refused) settle(sender->call.leg(), out, now);
  return refused;
}

jingle::Result<std::string> Conference::document_for(const jingle::Jid& peer, Outbox& out,
                                                     TimePoint now) {
  Member* asker = member_of(peer);
  // Nobody is told anything before his leg is connected.
  if (!asker || !asker->joined || !asker->call.accepted()) {
    return tl::unexpected(jingle::unknown_session());
  }
  speaks_coin(*asker, Coin::asked, out);
  return notifier_.pull(asker->call.leg(), roster_, now);
}

void Conference::malformed_document_from(const jingle::Jid& peer, const jingle::StanzaError& error,
                                         Outbox& out) {
  Member* sender = member_of(peer);
  if (!sender || std::exchange(sender->malformed_logged, true)) return;
  out.log(Log::Level::warning, "malformed conference document: room=" + quoted(place_.name) +
                                   " peer=" + quoted(peer.str()) + " " + quoted(error.text));
}

void Conference::settle_links(Outbox& out, TimePoint now) {
  if (links_.size() == 0 && !links_due_ && !links_.changed()) return;
  links_.list(now);
  for (const auto& [leg, defect] : links_.take_defects()) {
    out.log(Log::Level::warning, "odd conference document: room=" + quoted(place_.name) +
                                     " peer=" + quoted(members_.at(leg).call.peer().str()) + " " +
                                     quoted(defect));
  }
  while (const auto end = links_.next_to_end(plan_.size() - links_.size(), now)) {
    members_.at(end->leg).call.end(end->reason, out);
    remove(end->leg, Leaving::departs, now);
  }
  for (const media::LegId leg : links_.legs()) show(members_.at(leg), now);
  if (links_.changed()) recording_.behind(links_.callers());
  if (links_.show(roster_)) notifier_.touch();
  links_due_ = links_.next_deadline(now);
}

}  // namespace mixer
