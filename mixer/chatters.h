// mixer/chatters.h: what is said to rooms by clients of which nobody knows yet what they are. It
// waits until they have said so (XEP-0030), or nothing for limits::kDiscoTimeout: then they are
// taken for people's. Bounded. Pure; signaling thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mixer/clock.h"
#include "mixer/control.h"
#include "mixer/deadlines.h"
#include "signaling/jid.h"

namespace mixer {

struct Said {
  std::string room;
  jingle::Jid from;
  std::string type;          // the message's
  std::optional<Told> told;  // nullopt: no command
};

class Chatters {
 public:
  // ask: that client is to be asked what it is. Of limits::kMaxChatters that are being asked no
  // more are heard.
  enum class Then { answer, ask, wait };
  Then hear(const Said& said, TimePoint now);
  // What waits of that client, in its order: it has said what it is (`known`), or that it does not.
  std::vector<Said> answered(const jingle::Jid& full, bool known);
  // Of those that have said nothing.
  std::vector<Said> take_due(TimePoint now);
  std::optional<TimePoint> next_deadline() const { return due_.next(); }

 private:
  struct Chatter {
    TimePoint asked;
    bool silent = false;
    std::vector<Said> waiting = {};
  };
  std::map<jingle::Jid, Chatter> chatters_;
  Deadlines<jingle::Jid> due_;  // of those that are being asked
};

}  // namespace mixer
