#include "signaling/jingle_session.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace jingle {
namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "jingle::Session: %s\n", what);
  std::abort();
}

constexpr unsigned bit(Action action) { return 1U << static_cast<unsigned>(action); }

bool unsupported_transport(const Content& content) {
  return std::holds_alternative<Unsupported>(content.transport);
}
bool unsupported_description(const Content& content) {
  return std::holds_alternative<Unsupported>(content.description);
}

bool is_answer(const Fingerprint& fingerprint) {
  return fingerprint.setup == Setup::active || fingerprint.setup == Setup::passive;
}

// New credentials and not one candidate: an ICE restart is offered (XEP-0176 §5.9, in the form
// Conversations gives it). All other transport-infos are trickles and answers, which may cross:
// stanza.js's answer has no candidate either and comes before its ack, but it has a fingerprint
// whose setup is chosen already (RFC 8842 §5.3; an offer says actpass).
bool offers_restart(const TransportInfo& info, std::string_view current) {
  return std::any_of(info.contents.begin(), info.contents.end(), [&](const Content& content) {
    const auto* ice = content.ice();
    return ice != nullptr && !ice->ufrag.empty() && ice->ufrag != current && !ice->pwd.empty() &&
           ice->candidates.empty() && !ice->gathering_complete && !ice->remote_candidate &&
           std::none_of(ice->fingerprints.begin(), ice->fingerprints.end(), is_answer);
  });
}

// Our action that an answering action answers.
std::optional<Action> answered_by(Action action) {
  switch (action) {
    case Action::content_accept:
    case Action::content_reject: return Action::content_add;
    case Action::transport_accept:
    case Action::transport_reject: return Action::transport_replace;
    default: return std::nullopt;
  }
}

}  // namespace

Session::Session(Sid sid, Jid local, Jid peer, Role role)
    : sid_(std::move(sid)), local_(std::move(local)), peer_(std::move(peer)), role_(role) {}

std::optional<StanzaError> Session::receive(const Payload& payload, std::string_view ufrag) {
  if (state_ == State::ended) return unknown_session();
  const Action action = action_of(payload);
  if (action == Action::session_initiate) return out_of_order();
  if (action == Action::security_info) return unsupported_info();

  if (const auto* info = std::get_if<SessionInfo>(&payload)) {
    const bool unknown = std::holds_alternative<UnknownInfo>(info->payload);
    return unknown ? std::optional(unsupported_info()) : std::nullopt;
  }
  if (action == Action::session_accept) {
    if (role_ != Role::initiator || state_ != State::pending) return out_of_order();
    state_ = State::active;
    return std::nullopt;
  }
  if (action == Action::session_terminate) {
    state_ = State::ended;
    return std::nullopt;
  }

  const bool crossing = (outstanding_ & bit(action)) != 0 && role_ == Role::initiator;
  if (const auto* info = std::get_if<TransportInfo>(&payload)) {
    if (info->unknown ||
        std::any_of(info->contents.begin(), info->contents.end(), unsupported_transport)) {
      return unsupported_info();
    }
    if (crossing && offers_restart(*info, ufrag)) return tie_break();
    return std::nullopt;
  }
  const auto& change = std::get<ContentAction>(payload);
  if (action == Action::description_info) {
    if (change.unknown ||
        std::any_of(change.contents.begin(), change.contents.end(), unsupported_description)) {
      return unsupported_info();
    }
    return std::nullopt;
  }
  if (const auto ours = answered_by(action)) {
    if ((outstanding_ & bit(*ours)) == 0) return out_of_order();
    outstanding_ &= ~bit(*ours);
    return std::nullopt;
  }
  if (crossing) return tie_break();
  return std::nullopt;
}

void Session::accept() {
  require(role_ == Role::responder, "only the responder accepts");
  require(state_ == State::pending, "accepted twice, or ended");
  state_ = State::active;
}

void Session::terminate() {
  require(state_ != State::ended, "ended twice");
  state_ = State::ended;
}

void Session::sent(Action action) {
  require(state_ != State::ended, "sent after the end");
  outstanding_ |= bit(action);
}

void Session::answered(Action action) { outstanding_ &= ~bit(action); }

}  // namespace jingle
