// tools/call/outbox.h: the commands of the event at hand, and the stanzas among them. Pure. One
// thread.
#pragma once

#include <string>
#include <vector>

#include "signaling/jingle_message.h"
#include "tools/call/events.h"
#include "tools/call/report.h"

namespace call {

class Outbox {
 public:
  // What is told is also written to `told`, which outlives this.
  Outbox(TimePoint start, std::vector<ReportedEvent>& told)
      : start_(start), told_(told), now_(start) {}

  void begin(TimePoint now) { now_ = now; }
  TimePoint now() const { return now_; }
  void put(Command command) { commands_.push_back(std::move(command)); }
  // The commands so far.
  Commands take();

  // IQ sets; their ids.
  std::string send_iq(const jingle::Jid& to, const std::string& payload);
  std::string send_jingle(const jingle::Jid& to, const jingle::Sid& sid, jingle::Payload payload);
  void send_jmi(const jingle::Jid& to, const jingle::Sid& sid, jingle::jmi::Payload payload);
  std::size_t size() const { return commands_.size(); }
  // The answer to `iq`, ahead of the commands from `at` on: those that the request brought about.
  void answer(const jingle::Iq& iq, const jingle::Result<std::string>& result, std::size_t at);

  void tell(std::string event, Json detail = {});

 private:
  const TimePoint start_;
  std::vector<ReportedEvent>& told_;
  TimePoint now_;
  Commands commands_;
  unsigned iqs_sent_ = 0;
};

// Of the message that proposes the call `sid`: the one Conversations sends a receipt for.
std::string proposal_id(const jingle::Sid& sid);

}  // namespace call
