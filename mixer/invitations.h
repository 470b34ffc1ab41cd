// mixer/invitations.h: proposals we said proceed to and whose session-initiate is yet to come
// (XEP-0353 §3.4). Pure; signaling thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "media/mix_plan.h"
#include "mixer/clock.h"
#include "signaling/jingle.h"

namespace mixer {

struct Invitation {
  std::string room;
  jingle::Jid peer;  // the proposing full JID
  jingle::Sid sid;
  std::optional<media::LegId> replaces;  // the call of another device that moves here (§4.2)
  TimePoint began{};
};

// Each expires limits::kProceedToInitiate after it began.
class Invitations {
 public:
  // False: known already, or too many.
  bool add(Invitation invitation);
  bool has(const std::string& room, const jingle::Jid& peer, const jingle::Sid& sid) const;
  bool has_any(const std::string& room, const jingle::Jid& bare) const;
  // The session-initiate came, or it was retracted or rejected.
  std::optional<Invitation> take(const std::string& room, const jingle::Jid& peer,
                                 const jingle::Sid& sid);
  // Any that is of that full JID, or of any device of that bare one.
  std::optional<Invitation> take_any(const std::string& room, const jingle::Jid& jid);
  // Those nobody followed up in time.
  std::vector<Invitation> take_expired(TimePoint now);
  std::vector<Invitation> take_all();
  // Of all devices of a bare JID, or of a full one.
  int pending_of(const jingle::Jid& user) const;
  std::optional<TimePoint> next_deadline() const;

 private:
  std::map<std::tuple<std::string, jingle::Jid, jingle::Sid>, Invitation> invitations_;
};

}  // namespace mixer
