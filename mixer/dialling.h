// mixer/dialling.h: our invitations of JIDs into rooms, from the first word to the call (XEP-0353
// as initiator), and who of two that call each other at once has to yield. Pure; signaling thread.
//
// The story of one. A bare JID is sent a proposal: all its devices ring. The first that proceeds
// names the full JID that is then called, with the proposal's sid; what others say later is nothing
// to us. A full JID is called without a proposal, and so is, after kDirectAfter, a bare one none of
// whose devices said a word, if one that can be called is known. The invitation is over when its
// call is accepted or ended, when it was rejected, or when it is retracted: after kRingFor,
// because the room has emptied, or because the invited called us meanwhile. Who declined or did not
// answer is left alone for kLeaveAlone.
//
// Crossing. Between two that want each other at once, of two proposals (XEP-0353 §4.1) or two
// session-initiates (XEP-0166 §7.2.16) the one with the lower id stands, at equal ids that of the
// lower JID. A session-initiate stands before a proposal: who sent it cannot take it back by
// message. Both sides see the same two and judge alike, so one call remains.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "media/mix_plan.h"
#include "mixer/clock.h"
#include "signaling/jingle.h"

namespace mixer {

// Who is wanted in which room.
struct Invite {
  std::string room;
  jingle::Jid target;             // bare: all its devices; full: that one, without a proposal
  std::optional<jingle::Jid> by;  // who asked; nullopt: the configuration
  std::string reason = {};        // why, as he said
};

// Why somebody is not dialled.
enum class InviteRefusal {
  not_connected,
  shutting_down,
  own_address,  // one of our rooms, or ourselves
  not_allowed,  // Access says so
  no_such_room,
  already_here,
  already_invited,  // here or elsewhere, or is about to call
  refused_lately,   // or did not answer
  room_full,
  over_limit,
};
// A sentence for the asker.
std::string_view to_string(InviteRefusal refusal);

// An open invitation.
struct Dial {
  enum class State { proposed, ringing, called };
  std::string room;
  media::LegId leg;
  jingle::Sid sid;
  jingle::Jid target;  // as asked for
  std::optional<jingle::Jid> by;
  std::string reason = {};
  std::string message_id = {};  // of the proposal: its bounce has the same
  TimePoint began{};
  State state = State::proposed;
  jingle::Jid peer = {};                       // called: whom
  std::optional<TimePoint> direct_at = {};     // proposed: nobody has said anything yet
  std::vector<jingle::Jid> delivered_to = {};  // devices, by their receipts (XEP-0184)
  TimePoint retract_at{};                      // proposed, ringing
};

class Dialling {
 public:
  // already_invited, refused_lately or over_limit; nullopt: may be dialled.
  std::optional<InviteRefusal> refuses(const jingle::Jid& target, TimePoint now) const;
  // When that one may be dialled again; in the past or min(): now.
  TimePoint left_alone_until(const jingle::Jid& target) const;

  // Requires: !refuses(dial.target). Sets the timers.
  void propose(Dial dial, TimePoint now);
  // `peer`: the full JID.
  void call(Dial dial, const jingle::Jid& peer);

  // The open proposal `sid` of that room to `from`; nullptr: none, or it is a call by now.
  const Dial* proposal(const std::string& room, const jingle::Jid& from,
                       const jingle::Sid& sid) const;
  // It rings there; nullptr if there is no such proposal, or it rang before.
  const Dial* rang(const std::string& room, const jingle::Jid& from, const jingle::Sid& sid);
  // Our call under that sid was accepted: over, there is a session.
  void answered(const std::string& room, const jingle::Jid& peer, const jingle::Sid& sid);
  // A device has the proposal with that message id (XEP-0184). Whether it rings is another matter.
  void delivered(const std::string& room, const jingle::Jid& from, const std::string& message_id);
  // The proposal with that message id that came back from its target as an error; nullptr: none.
  const Dial* bounced(const std::string& room, const jingle::Jid& from,
                      const std::string& message_id) const;

  // An incoming proposal or session-initiate `sid` from `peer` to what we are called, `own`.
  enum class Crossing {
    none,     // nobody is inviting that one into this room
    yield,    // ours gives way
    prevail,  // ours stands: refuse theirs with tie-break
  };
  Crossing proposal_crosses(const std::string& room, const jingle::Jid& peer,
                            const jingle::Sid& sid, const jingle::Jid& own) const;
  Crossing session_crosses(const std::string& room, const jingle::Jid& peer, const jingle::Sid& sid,
                           const jingle::Jid& own) const;

  // That very invitation is open, and has come no further than this copy of it.
  bool stands(const Dial& copy) const;
  // The invitation of that one into that room; nullptr: none.
  const Dial* of(const std::string& room, const jingle::Jid& who) const;
  // Of that room; of all rooms if empty.
  std::vector<Dial> all(const std::string& room = {}) const;
  // Over, if that leg's is open. `leave_alone`: the invited declined, was not there or did not
  // answer.
  void end(media::LegId leg, bool leave_alone, TimePoint now);

  // Proposals that nobody said anything to for kDirectAfter, receipts excepted: each once.
  std::vector<Dial> take_silent(TimePoint now);
  // Proposals whose time is up; they remain open.
  std::vector<Dial> expired(TimePoint now) const;
  std::optional<TimePoint> next_deadline() const;

 private:
  Crossing judge(const Dial& ours, const jingle::Jid& peer, const jingle::Sid& sid,
                 const jingle::Jid& own) const;

  std::map<jingle::Jid, Dial> dials_;  // by bare JID: one each, whatever the room
  std::map<jingle::Jid, TimePoint> left_alone_;
};

}  // namespace mixer
