// signaling/iq_router.h: what an IQ get or set asks for, by type and payload (RFC 6120 §8.2.3).
// Pure; any thread.
#pragma once

#include <variant>

#include "signaling/coin_iq.h"
#include "signaling/disco.h"
#include "signaling/external_services.h"
#include "signaling/jingle.h"
#include "signaling/pubsub.h"
#include "signaling/stanza.h"

namespace jingle {

struct XmppPing {
  bool operator==(const XmppPing&) const = default;
};  // XEP-0199

struct PubsubRequest {
  Result<pubsub::Request> request;  // who has no such service does not care what is wrong with it
  bool operator==(const PubsubRequest&) const = default;
};

using IqRequest = std::variant<Request, ConferenceInfoSet, ConferenceInfoGet, DiscoInfoQuery,
                               DiscoItemsQuery, XmppPing, ExternalServices, PubsubRequest>;

// Requires: iq.type is get or set.
// bad-request: not exactly one child (sole exception: <jingle sid=/> beside <conference-info/>, in
// either order), a document that does not parse or names another sid than its sibling;
// service-unavailable: a payload nobody here handles, or one with the wrong type (a
// Jingle get).
Result<IqRequest> route(const Iq& iq);

}  // namespace jingle
