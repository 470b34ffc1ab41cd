// A caller's ICE restarts (XEP-0176 §5.9): the way of Conversations, whose offer has credentials
// and no candidates; those follow the ack.
#include <utility>

#include "tools/call/caller.h"

namespace call {

void Caller::on_restarted(const media::IceRestarted& restarted) {
  if (!in_call()) return;
  if (restarted.ice.ufrag.empty()) {
    restarting_ = false;
    return out_.tell("restart failed");
  }
  local_ice_ = restarted.ice;
  local_candidates_ = restarted.candidates;
  if (!restarting_) {
    out_.tell("restart answered");
    return send_candidates();
  }
  out_.tell("restart offered");
  session_->sent(jingle::Action::transport_info);
  restart_id_ =
      out_.send_jingle(peer_, session_->sid(), make_transport_info(content_, *local_ice_, {}));
}

// To the offer itself. Of two that cross the initiator's counts: the peer's is on its way then.
void Caller::on_restart_answer(bool refused) {
  restart_id_.clear();
  if (!in_session()) return;
  session_->answered(jingle::Action::transport_info);
  if (!refused) send_candidates();
}

void Caller::send_candidates() {
  out_.send_jingle(peer_, session_->sid(),
                   make_transport_info(content_, *local_ice_, local_candidates_));
}

// False: of credentials that count no more.
bool Caller::reads_restart(const jingle::IceUdpTransport& transport) {
  const media::IceCredentials theirs{transport.ufrag, transport.pwd};
  if (theirs.ufrag.empty() || theirs.ufrag == remote_ice_->ufrag) return true;
  if (theirs.pwd.empty()) return false;
  remote_ice_ = theirs;
  // A crossing offer that we yield to needs our candidates; they are the answer.
  if (!restart_id_.empty()) send_candidates();
  if (!std::exchange(restarting_, false)) out_.tell("restart asked for");
  out_.put(RestartIce{.remote = theirs});
  return true;
}

}  // namespace call
