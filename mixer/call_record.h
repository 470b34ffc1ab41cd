// mixer/call_record.h: what is known of a call when it is over, and the one line that the log has
// of it. Values; any thread.
#pragma once

#include <optional>
#include <string>

#include "media/media_engine.h"
#include "mixer/clock.h"
#include "signaling/jingle.h"

namespace mixer {

struct CallRecord {
  std::string room;
  jingle::Jid peer;  // bare: somebody invited who never said where he is
  jingle::Sid sid;
  bool dialled_out = false;
  TimePoint began{}, ended{};
  std::optional<TimePoint> connected = {};
  jingle::Reason reason;  // of the session-terminate or message that ended it
  bool by_peer = false;
  std::string cause = {};                        // what the engine said of a leg that failed
  std::string local = {}, remote = {};           // the ICE pair
  std::optional<media::RtpParameters> rtp = {};  // as agreed; nullopt: it never came to that
};

// "call=ended room=…" and so on. `statistics` are of a call that was connected; nullptr: unknown.
std::string to_log(const CallRecord& call, const media::LegStatistics* statistics = nullptr);

}  // namespace mixer
