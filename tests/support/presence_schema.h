// tests/support/presence_schema.h: what is published against the schemas of XEP-0119's suite
// (tests/schemas), wherever it leaves. One thread.
#pragma once

#include <optional>
#include <string>

#include "signaling/pep.h"

namespace test_support {

// The first complaint about the element that stands at `node`, with it; nullopt: valid.
std::optional<std::string> presence_complaint(jingle::pep::Node node, const std::string& element);

}  // namespace test_support
