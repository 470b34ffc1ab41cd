#include "mixer/chat_rooms.h"

#include <algorithm>
#include <pugixml.hpp>

#include "mixer/limits.h"
#include "signaling/namespaces.h"

namespace mixer {

bool ChatRooms::claimed_by(const jingle::Presence& presence) {
  if (presence.from.is_bare() || !presence.type.empty()) return false;
  if (!jingle::child(presence.xml.root(), jingle::ns::kMucUser, "x")) return false;
  if (rooms_.size() >= limits::kMaxChatRooms) {
    std::erase_if(rooms_, [](const auto& entry) { return entry.second != What::chat_room; });
    if (rooms_.size() >= limits::kMaxChatRooms) return false;
  }
  return rooms_.try_emplace(presence.from.bare(), What::asked).second;
}

void ChatRooms::learned(const jingle::Jid& bare, const jingle::DiscoInfo& info) {
  const bool is_one = std::ranges::any_of(info.identities,
                                          [](const auto& i) { return i.category == "conference"; });
  rooms_.insert_or_assign(bare, is_one ? What::chat_room : What::other);
}

bool ChatRooms::is_occupant(const jingle::Jid& peer) const {
  const auto room = rooms_.find(peer.bare());
  return !peer.is_bare() && room != rooms_.end() && room->second == What::chat_room;
}

bool ChatRooms::may_be_occupant(const jingle::Jid& peer) const {
  const auto room = rooms_.find(peer.bare());
  return !peer.is_bare() && room != rooms_.end() && room->second != What::other;
}

}  // namespace mixer
