// mixer/published.h: that something of ours stands at a node of an account (XEP-0163), as it
// outlives the process: a service keeps it when its publisher is gone. A value; any thread.
#pragma once

#include <string>

#include "signaling/jid.h"

namespace mixer {

struct Published {
  jingle::Jid by;          // bare
  std::string node, item;  // ids
  bool operator==(const Published&) const = default;
};

}  // namespace mixer
