// A call's ICE: the peer's candidates, and what changes the network path while sound goes on
// (XEP-0176 §5.5-5.9).
#include <algorithm>

#include "mixer/call.h"
#include "mixer/limits.h"
#include "mixer/reasons.h"

namespace mixer {

// Without pwd the session's current credentials are meant (stanza.js gives the ufrag alone, Movim
// may give neither). New ones, with or without candidates, are an ICE restart (§5.9).
void Call::on_transport(const jingle::IceUdpTransport& transport, Outbox& out, TimePoint now) {
  if (!accepted() && role() == jingle::Role::initiator) {
    if (before_accept_.size() < limits::kMaxRemoteCandidates) before_accept_.push_back(transport);
    return;
  }
  auto& remote = setup_.agreed.remote;
  const bool complete = !transport.ufrag.empty() && !transport.pwd.empty();
  if (!setup_.agreed.has_credentials && complete) {
    remote.ice = {transport.ufrag, transport.pwd};
    setup_.agreed.has_credentials = true;
    take_candidates(transport, early_);
    remote.candidates.insert(remote.candidates.end(), early_.begin(), early_.end());
    early_.clear();
    out.put(ConnectLeg{setup_.leg, remote});
    return;
  }
  const bool same_ufrag = transport.ufrag.empty() || transport.ufrag == remote.ice.ufrag;
  const bool same_pwd = transport.pwd.empty() || transport.pwd == remote.ice.pwd;
  if (setup_.agreed.has_credentials && !(same_ufrag && same_pwd)) {
    // Those of before may still be on their way; half of a pair is of no pair we know.
    const bool known = same_ufrag || std::ranges::count(restart_.former, transport.ufrag) > 0;
    if (!complete || known) return;
    on_new_credentials({transport.ufrag, transport.pwd}, out, now);
  }
  take_candidates(transport, early_);
  give_candidates(out);
}

void Call::take_candidates(const jingle::IceUdpTransport& transport,
                           std::vector<media::IceCandidate>& into) {
  auto candidates = usable(transport.candidates, setup_.agreed.remote.rtp.rtcp_mux);
  const std::size_t room = limits::kMaxRemoteCandidates - candidates_received_;
  if (candidates.size() > room) candidates.resize(room);
  candidates_received_ += candidates.size();
  into.insert(into.end(), candidates.begin(), candidates.end());
}

void Call::give_candidates(Outbox& out) {
  if (!setup_.agreed.has_credentials || restart_.due || early_.empty()) return;
  out.put(AddRemoteCandidates{setup_.leg, std::exchange(early_, {})});
}

void Call::on_new_credentials(media::IceCredentials credentials, Outbox& out, TimePoint now) {
  auto& current = setup_.agreed.remote.ice;
  restart_.former.push_back(std::exchange(current, std::move(credentials)).ufrag);
  if (restart_.former.size() > limits::kMaxFormerCredentials) restart_.former.pop_front();
  candidates_received_ -= early_.size();  // nobody was told of them
  early_.clear();
  switch (std::exchange(restart_.own, OwnRestart::none)) {
    case OwnRestart::none:
      // What comes too often is answered together.
      restart_.due = std::max(now, restart_.last + limits::kRestartGap);
      return restart_when_due(out, now);
    case OwnRestart::gathering: restart_.owed = ""; break;
    // Both have offered and we yield, or it is the answer ahead of the ack: the peer needs the
    // same.
    case OwnRestart::offered: tell_candidates(out, now); break;
    case OwnRestart::acknowledged: break;
  }
  session_.answered(jingle::Action::transport_info);
  count_candidates_anew(now);
  out.put(RestartIce{setup_.leg, current});
}

void Call::restart_when_due(Outbox& out, TimePoint now) {
  if (!restart_.due || *restart_.due > now) return;
  restart_.due.reset();
  restart_.last = now;
  restart_.owed = setup_.agreed.remote.ice.ufrag;
  count_candidates_anew(now);
  out.put(RestartIce{setup_.leg, setup_.agreed.remote.ice});
  give_candidates(out);
}

// ICE is no scanner (RFC 8445 §19.5.1): restarts make room for one more address a second.
void Call::count_candidates_anew(TimePoint now) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now - restart_.counted_at).count();
  restart_.counted_at = now;
  candidates_received_ -= std::min(candidates_received_, static_cast<std::size_t>(seconds));
}

void Call::ice_restarted(const media::IceRestarted& event, Outbox& out, TimePoint now) {
  const bool ours = event.remote_ufrag.empty();
  const bool answers = restart_.owed == event.remote_ufrag;
  const bool offers = ours && restart_.own == OwnRestart::gathering;
  if (!answers && !offers) return;  // another has taken its place meanwhile
  if (event.ice.ufrag.empty()) return restart_failed(ours, out);
  local_.ice = event.ice;
  local_.candidates = event.candidates;
  local_.generation++;
  if (answers) {
    restart_.owed.reset();
    tell_candidates(out, now);
  } else {
    // Without candidates, or Conversations takes it for an answer and ends the call; they follow
    // the ack.
    restart_.own = OwnRestart::offered;
    session_.sent(jingle::Action::transport_info);
    ask(trickle(setup_.agreed, local_, {}, 1), Purpose::ice_restart, out, now);
  }
}

void Call::restart_failed(bool ours, Outbox& out) {
  out.log(Log::Level::warning, "ice restart failed: room=" + quoted(setup_.room) + " peer=" +
                                   quoted(setup_.peer.str()) + " by=" + (ours ? "mixer" : "peer"));
  if (!restart_.owed) return end(reasons::of(media::LegFailure::consent_lost), out);
  // Ours, to which we yielded: the engine has taken the peer's for one of its own then. The peer's:
  // the pair in use stays, and the peer will try again or be lost.
  restart_.owed = ours ? std::optional(setup_.agreed.remote.ice.ufrag) : std::nullopt;
}

// An answer (§5.9): one content, the new credentials and all candidates so far.
void Call::tell_candidates(Outbox& out, TimePoint now) {
  ask(trickle(setup_.agreed, local_, local_.candidates, candidates_sent_ + 1),
      Purpose::transport_info, out, now);
  candidates_sent_ += static_cast<int>(local_.candidates.size());
}

void Call::restart_acknowledged(Outbox& out, TimePoint now) {
  session_.answered(jingle::Action::transport_info);
  if (restart_.own != OwnRestart::offered) return;
  restart_.own = OwnRestart::acknowledged;
  tell_candidates(out, now);
}

bool Call::offer_restart(Outbox& out, TimePoint now) {
  if (restart_.due) return true;  // the peer's comes first
  const bool may = accepted() && connected() && restart_.peer_trickles && !unavailable_since_ &&
                   !orphaned_at_ && !restart_.offered;
  if (!may) return false;
  restart_.offered = true;
  restart_.own = OwnRestart::gathering;
  restart_.own_since = now;
  out.put(RestartIce{setup_.leg, std::nullopt});
  return true;
}

std::optional<TimePoint> Call::restart_deadline() const {
  if (restart_.own == OwnRestart::none) return restart_.due;
  return restart_.own_since + limits::kRestartAnsweredWithin;
}

}  // namespace mixer
