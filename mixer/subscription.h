// mixer/subscription.h: one contact's subscription to one room's presence (RFC 6121 §3), as it
// outlives the process. A value; any thread.
#pragma once

#include "signaling/jid.h"

namespace mixer {

// What has become of our own request to see the contact's presence.
enum class OwnSubscription { none, asked, granted, refused };

struct Subscription {
  jingle::Jid room, contact;  // bare
  OwnSubscription own = OwnSubscription::none;
  bool operator==(const Subscription&) const = default;
};

}  // namespace mixer
