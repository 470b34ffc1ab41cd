// mixer/features.h: what the domain and its rooms announce of themselves (XEP-0030, XEP-0115).
// Pure; any thread.
#pragma once

#include <set>
#include <string>

#include "mixer/config.h"
#include "signaling/disco.h"

namespace mixer {

inline constexpr char kCapsNode[] = "urn:x-jingle-mixer";  // names the software (XEP-0115 §4)
inline constexpr char kFocusResource[] = "focus";          // of a room's callable full JID

// The component's domain: a service that lists rooms; nothing to call.
jingle::DiscoInfo domain_features();
// A room's bare and full JID alike (one set, one caps ver for all of them). Never looks like a MUC,
// or Dino, Monal and Conversations hide the call button.
// `relay`: what is asked for of contacts (XEP-0163 §3, +notify).
jingle::DiscoInfo room_features(Config::Xmpp::Mode mode,
                                const std::set<jingle::pep::Node>& relay = {});

// disco#info for `info` asked with `node`: the node must be empty or the caps node of that very
// set.
jingle::Result<std::string> disco_info(const jingle::DiscoInfo& info, const std::string& node);

// <c/> and <status/> of a room with `users` in the call: how many, never who.
std::string room_presence(const jingle::DiscoInfo& info, std::size_t users);

}  // namespace mixer
