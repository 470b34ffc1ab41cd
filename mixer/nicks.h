// mixer/nicks.h: what people called themselves when they asked to see a room (XEP-0172 §4.1):
// whoever tells one tells no other. Pure; signaling thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "signaling/jid.h"

namespace mixer {

class Nicks {
 public:
  // `nick` as that bare JID wrote it; empty: none any more. At most limits::kMaxNicks are kept:
  // beyond that whoever was named longest ago has none. True if of() is another now.
  bool set(const std::string& room, const jingle::Jid& bare, std::string_view nick);
  // As others may see it; empty: none.
  std::string of(const std::string& room, const jingle::Jid& bare) const;

 private:
  struct Nick {
    std::string text;
    std::uint64_t order = 0;
  };
  std::map<std::pair<std::string, jingle::Jid>, Nick> nicks_;
  std::uint64_t order_ = 0;
};

}  // namespace mixer
