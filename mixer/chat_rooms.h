// mixer/chat_rooms.h: which bare JIDs are chat rooms (XEP-0045): their occupants share one, and are
// users of their own. A presence may claim to be an occupant's, but only the bare JID itself can
// say what it is (XEP-0030): nobody makes a user of each of his devices, past the limits for users.
// Bounded. Pure; signaling thread.
#pragma once

#include <map>

#include "signaling/disco.h"
#include "signaling/stanza.h"

namespace mixer {

class ChatRooms {
 public:
  // True, once for a bare JID until it has answered: ask it for disco#info.
  bool claimed_by(const jingle::Presence& presence);
  void learned(const jingle::Jid& bare, const jingle::DiscoInfo& info);
  // It did not answer: the next claim counts.
  void unreachable(const jingle::Jid& bare) { rooms_.erase(bare); }

  bool is_occupant(const jingle::Jid& peer) const;
  // Not yet known not to be one. To such a JID no presence may go: it would change our nick (§7.6).
  bool may_be_occupant(const jingle::Jid& peer) const;
  // Who is counted and listed as one: a bare JID, or an occupant's.
  jingle::Jid user_of(const jingle::Jid& peer) const {
    return is_occupant(peer) ? peer : peer.bare();
  }

 private:
  enum class What { asked, chat_room, other };
  std::map<jingle::Jid, What> rooms_;
};

}  // namespace mixer
