// signaling/jingle_reason.h: the codec of <reason/> (XEP-0166 §7.4), shared by Jingle and by JMI
// (XEP-0353). Any thread.
#pragma once

#include "signaling/jingle.h"

namespace jingle {

// The <reason/> child of `parent`; nullopt: none. A condition that XEP-0166 does not know is kept,
// one that is not there is empty.
std::optional<Reason> parse_reason(const pugi::xml_node& parent);
// For where <reason/> may be absent: the peer gave none.
inline Reason no_reason() {
  Reason out;
  out.condition.clear();
  return out;
}
// Appends <reason xmlns='urn:xmpp:jingle:1'/>; the namespace only where `parent` has another.
void write_reason(pugi::xml_node& parent, const Reason& reason);

}  // namespace jingle
