// tests/signaling/canonical.h: a Jingle or JMI element reduced to what this project understands of
// it, defaults spelled out and siblings in the schema's order, so that what was received and what
// is written from its value can be compared.
#pragma once

#include "signaling/stanza.h"

namespace jingle {

Xml canonical(const Xml& xml);

}  // namespace jingle
