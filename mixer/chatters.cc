#include "mixer/chatters.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "mixer/limits.h"

namespace mixer {

Chatters::Then Chatters::hear(const Said& said, TimePoint now) {
  std::erase_if(chatters_, [now](const auto& entry) {
    return entry.second.silent && now >= entry.second.asked + limits::kDiscoLifetime;
  });
  const auto found = chatters_.find(said.from);
  if (found != chatters_.end()) {
    if (found->second.silent) return Then::answer;
    found->second.waiting.push_back(said);
    return Then::wait;
  }
  if (chatters_.size() >= limits::kMaxChatters) {
    const auto silent =
        std::ranges::find_if(chatters_, [](const auto& entry) { return entry.second.silent; });
    if (silent == chatters_.end()) return Then::wait;
    chatters_.erase(silent);
  }
  chatters_.emplace(said.from, Chatter{.asked = now, .waiting = {said}});
  due_.set(said.from, now + limits::kDiscoTimeout);
  return Then::ask;
}

std::vector<Said> Chatters::answered(const jingle::Jid& full, bool known) {
  const auto found = chatters_.find(full);
  if (found == chatters_.end()) return {};
  std::vector<Said> waiting = std::exchange(found->second.waiting, {});
  due_.set(full, std::nullopt);
  found->second.silent = true;
  if (known) chatters_.erase(found);
  return waiting;
}

std::vector<Said> Chatters::take_due(TimePoint now) {
  std::vector<Said> all;
  for (const jingle::Jid& full : due_.due(now))
    std::ranges::move(answered(full, false), std::back_inserter(all));
  return all;
}

}  // namespace mixer
