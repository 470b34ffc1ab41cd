// tools/call/answering.h: being called, from the first word of a call until it is taken or gone:
// proposals (XEP-0353 §3, as responder) and session-initiates (XEP-0166 §6.2), announced by one or
// not. One call at a time; to a second one we are busy. Pure. One thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "tools/call/outbox.h"

namespace call {

struct AnswerSpec {
  enum class Policy { accept, busy, decline, ignore };
  Policy policy = Policy::accept;
  std::chrono::milliseconds ring{0};  // how long, before it is taken
  bool jmi = true;                    // false: as a client that never heard of XEP-0353
};

class Answering {
 public:
  Answering(AnswerSpec spec, Outbox& out) : spec_(spec), out_(out) {}

  void on_jmi(const jingle::Jid& from, const jingle::jmi::Event& event);
  // `unfit`: why nothing can be agreed on. False: it was refused, and the session is over.
  bool on_initiate(const jingle::Jid& from, const jingle::Sid& sid,
                   std::optional<jingle::Reason> unfit);
  // The other side ended the session while it rang: the next call may come.
  void gone(const std::string& reason);
  // We end what rings; of a session the session-terminate is the owner's to send.
  void hang_up();

  std::optional<TimePoint> deadline() const { return due_; }
  // When the deadline has passed. True: the call is to be taken now, and has a session.
  bool due();
  bool jmi() const { return spec_.jmi; }
  bool proposed() const { return call_ && call_->proposed; }
  // As told: the reason given, "timeout" where none was; nullopt: nobody was refused.
  const std::optional<std::string>& refused() const { return refused_; }

 private:
  struct Call {
    jingle::Jid peer;
    jingle::Sid sid;
    bool proposed = false;
    bool initiated = false;  // there is a session
    bool proceeded = false;  // we have rung, and said so
  };
  bool is_call(const jingle::Jid& from, const jingle::Sid& sid) const {
    return call_ && call_->peer == from && call_->sid == sid;
  }
  // Why not, if a new call is not to be had; the policy's word is remembered.
  std::optional<std::string> refusal();
  void ring();
  void forget();

  const AnswerSpec spec_;
  Outbox& out_;
  std::optional<Call> call_;
  std::optional<TimePoint> due_;
  std::optional<std::string> refused_;
};

}  // namespace call
