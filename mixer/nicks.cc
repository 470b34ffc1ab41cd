#include "mixer/nicks.h"

#include <algorithm>

#include "mixer/display_name.h"
#include "mixer/limits.h"

namespace mixer {

bool Nicks::set(const std::string& room, const jingle::Jid& bare, std::string_view nick) {
  const std::pair key(room, bare);
  const std::string text = displayable(nick);
  if (text.empty()) return nicks_.erase(key) > 0;
  if (of(room, bare) == text) return false;
  nicks_[key] = {text, ++order_};
  if (nicks_.size() > limits::kMaxNicks) {
    nicks_.erase(
        std::ranges::min_element(nicks_, {}, [](const auto& entry) { return entry.second.order; }));
  }
  return true;
}

std::string Nicks::of(const std::string& room, const jingle::Jid& bare) const {
  const auto found = nicks_.find({room, bare});
  return found == nicks_.end() ? std::string() : found->second.text;
}

}  // namespace mixer
