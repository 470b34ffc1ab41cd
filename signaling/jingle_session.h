// signaling/jingle_session.h: one Jingle session's state machine (XEP-0166 §6): which action is
// legal when. Pure; knows no media. Any thread, one at a time.
#pragma once

#include <optional>
#include <string_view>

#include "signaling/jingle.h"

namespace jingle {

enum class Role { initiator, responder };  // ours

class Session {
 public:
  enum class State { pending, active, ended };

  // We are the responder: a session-initiate arrived. We are the initiator: we are about to send
  // ours.
  Session(Sid sid, Jid local, Jid peer, Role role);

  const Sid& sid() const { return sid_; }
  const Jid& local() const {
    return local_;
  }  // the JID that was addressed; all our stanzas come from it
  const Jid& peer() const { return peer_; }
  Role role() const { return role_; }
  State state() const { return state_; }

  // A request of the peer's for this session. nullopt: legal, apply it and answer with a result.
  // Otherwise the error to answer with; the state is as before. A legal session-accept makes the
  // session active, a legal session-terminate ends it.
  //   session-initiate on a live session          out-of-order (§10)
  //   session-accept to us as responder, or twice  out-of-order
  //   security-info, unknown session-info          unsupported-info (§6.8)
  //   an action we have outstanding ourselves      tie-break if we are the initiator (§7.2.16); of
  //                                                transport-infos only those that offer an ICE
  //                                                restart: new credentials and no candidate, nor
  //                                                a DTLS role as an answer has
  //   an answer (content-accept, transport-reject …) to nothing we asked: out-of-order; a legal one
  //                                                counts as answered()
  //   anything once ended                          unknown-session (§6.7)
  // `ufrag`: of the peer's present ICE credentials, as far as known.
  // Law: an error leaves all as it was; ended stays ended; one accept; one answer for each ask.
  [[nodiscard]] std::optional<StanzaError> receive(const Payload& payload,
                                                   std::string_view ufrag = {});

  // Ours. Requires: legal in this state (a programmer's mistake aborts).
  void accept();     // responder, pending -> active
  void terminate();  // not ended -> ended
  // Actions of ours that await their answering action (content-add, transport-replace) or, for
  // those without one, the peer's ack; for tie-breaks.
  void sent(Action action);
  void answered(Action action);

 private:
  Sid sid_;
  Jid local_, peer_;
  Role role_;
  State state_ = State::pending;
  unsigned outstanding_ = 0;  // bit per Action
};

}  // namespace jingle
