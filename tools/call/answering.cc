#include "tools/call/answering.h"

#include <algorithm>
#include <utility>

namespace call {
namespace {

using namespace std::chrono_literals;
namespace jmi = jingle::jmi;

// Whoever was told to proceed has only to ask its own ICE agent for candidates.
constexpr auto kProceedToInitiate = 30s;

jingle::Reason reason(std::string condition) {
  jingle::Reason reason;
  reason.condition = std::move(condition);
  return reason;
}

}  // namespace

std::optional<std::string> Answering::refusal() {
  using Policy = AnswerSpec::Policy;
  if (call_ && spec_.policy != Policy::ignore) return "busy";
  switch (spec_.policy) {
    case Policy::accept: return std::nullopt;
    case Policy::ignore: refused_ = "timeout"; return std::nullopt;
    case Policy::busy: refused_ = "busy"; break;
    case Policy::decline: refused_ = "decline"; break;
  }
  return refused_;
}

void Answering::ring() {
  if (spec_.policy != AnswerSpec::Policy::accept) return;
  due_ = out_.now() + spec_.ring;
  if (call_->initiated) {
    out_.send_jingle(call_->peer, call_->sid,
                     jingle::SessionInfo{jingle::RtpInfo(jingle::Ringing{})});
  } else {
    out_.send_jmi(call_->peer, call_->sid, jmi::Ringing{});
  }
  out_.tell("ringing", call_->peer.str());
}

void Answering::on_jmi(const jingle::Jid& from, const jmi::Event& event) {
  if (!spec_.jmi || from.is_bare()) return;
  if (const auto* proposal = std::get_if<jmi::Propose>(&event.payload)) {
    const auto& media = proposal->media;
    if (std::find(media.begin(), media.end(), "audio") == media.end()) return;
    if (is_call(from, event.id)) return;
    out_.tell("proposed", from.str());
    if (const auto why = refusal()) {
      out_.send_jmi(from, event.id, jmi::Reject{reason(*why), false});
      return out_.tell("refused", *why);
    }
    call_ = Call{.peer = from, .sid = event.id, .proposed = true};
    ring();
  } else if (const auto* retract = std::get_if<jmi::Retract>(&event.payload)) {
    // Once there is a session, only a session-terminate ends it.
    if (is_call(from, event.id) && !call_->initiated) gone(retract->reason.condition);
  }
}

bool Answering::on_initiate(const jingle::Jid& from, const jingle::Sid& sid,
                            std::optional<jingle::Reason> unfit) {
  out_.tell("called", from.str());
  const bool announced = is_call(from, sid);
  if (!unfit && !announced) {
    if (const auto why = refusal()) unfit = reason(*why);
  }
  if (unfit) {
    out_.send_jingle(from, sid, jingle::SessionTerminate{*unfit});
    out_.tell("refused", unfit->condition);
    if (announced) forget();
    return false;
  }
  if (announced) {
    call_->initiated = true;
    if (call_->proceeded) due_ = out_.now();
    return true;
  }
  call_ = Call{.peer = from, .sid = sid, .initiated = true};
  ring();
  return true;
}

void Answering::forget() {
  call_.reset();
  due_.reset();
}

void Answering::gone(const std::string& reason) {
  out_.tell("gone", reason);
  forget();
}

void Answering::hang_up() {
  if (!call_ || call_->initiated || spec_.policy != AnswerSpec::Policy::accept) return;
  if (call_->proceeded) {
    out_.send_jmi(call_->peer, call_->sid, jmi::Finish{reason("cancel"), {}});
  } else {
    out_.send_jmi(call_->peer, call_->sid, jmi::Reject{reason("decline"), false});
  }
}

bool Answering::due() {
  if (!due_ || out_.now() < *due_) return false;
  due_.reset();
  if (call_->initiated) return true;
  if (call_->proceeded) {
    out_.send_jmi(call_->peer, call_->sid, jmi::Finish{reason("connectivity-error"), {}});
    gone("connectivity-error");
    return false;
  }
  call_->proceeded = true;
  due_ = out_.now() + kProceedToInitiate;
  out_.send_jmi(call_->peer, call_->sid, jmi::Proceed{});
  out_.tell("proceed", call_->peer.str());
  return false;
}

}  // namespace call
