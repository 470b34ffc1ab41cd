#include "tests/peers/rule.h"

#include <algorithm>

namespace peers {

const Memory::Heard* Memory::find(const char* xpath, TimePoint since) const {
  const auto found = std::ranges::find_if(heard, [&](const Heard& each) {
    return each.at >= since && each.stanza.root().select_node(xpath);
  });
  return found == heard.end() ? nullptr : &*found;
}

std::optional<TimePoint> Memory::when(Act act) const {
  const auto found = said.find(act);
  if (found == said.end()) return std::nullopt;
  return found->second;
}

bool Rule::broken(const Memory& memory, Node stanza) const {
  if (kind->awaits) {
    return pending(memory) && memory.now > *memory.when(kind->after) + within &&
           !stanza.select_node(kind->awaits);
  }
  if (kind->dies_of) return stanza && stanza.select_node(kind->dies_of);
  return kind->breaks(memory, *this, stanza);
}

bool Rule::pending(const Memory& memory) const {
  const auto since = memory.when(kind->after);
  return kind->awaits && since && !memory.find(kind->awaits, *since);
}

}  // namespace peers
