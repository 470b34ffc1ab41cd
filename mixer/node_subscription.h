// mixer/node_subscription.h: what one JID has subscribed to of one room's nodes (XEP-0060 §6.1), as
// it outlives the process. A value; any thread.
#pragma once

#include <set>

#include "signaling/jid.h"
#include "signaling/pep.h"

namespace mixer {

struct NodeSubscription {
  jingle::Jid room;        // bare
  jingle::Jid subscriber;  // bare or full
  std::set<jingle::pep::Node> nodes;
  bool operator==(const NodeSubscription&) const = default;
};

}  // namespace mixer
