#include "mixer/outbox.h"

#include <cstdio>

#include "mixer/limits.h"
#include "signaling/namespaces.h"

namespace mixer {

void Outbox::jingle(const jingle::Jid& from, const jingle::Jid& to,
                    const jingle::Request& request) {
  put(SendIq{from, to, next_id(), true, jingle::write_jingle(request), jingle::Priority::urgent});
}

void Outbox::ask_disco_info(const jingle::Jid& from, Awaited awaited) {
  const std::string node =
      awaited.node.empty() ? "" : " node='" + jingle::escape(awaited.node) + "'";
  SendIq iq{.from = from,
            .to = awaited.to,
            .id = {},
            .is_set = false,
            .payload = std::string("<query xmlns='") + jingle::ns::kDiscoInfo + "'" + node + "/>",
            .priority = jingle::Priority::normal};
  ask(std::move(iq), std::move(awaited));
}

std::string Outbox::ask(SendIq iq, Awaited awaited) {
  // The oldest are beyond any use: their askers have timed out long ago.
  while (!awaited_order_.empty()) {
    const auto oldest = awaited_.find(awaited_order_.front());
    if (oldest != awaited_.end()) {
      const bool stale = oldest->second.sent + limits::kAwaitedFor < awaited.sent;
      if (!stale && awaited_.size() < limits::kMaxAwaitedIqs) break;
      awaited_.erase(oldest);
    }
    awaited_order_.pop_front();
  }
  iq.id = next_id();
  std::string id = iq.id;
  awaited_.emplace(id, std::move(awaited));
  awaited_order_.push_back(id);
  put(std::move(iq));
  return id;
}

std::optional<Awaited> Outbox::answered(const std::string& id, const jingle::Jid& from) {
  const auto found = awaited_.find(id);
  if (found == awaited_.end() || found->second.to != from) return std::nullopt;
  Awaited awaited = std::move(found->second);
  awaited_.erase(found);
  return awaited;
}

Commands Outbox::take() { return std::exchange(commands_, {}); }

std::string Outbox::next_id() {
  // The random half keeps an id from being guessed or from repeating after a restart.
  char text[48];
  std::snprintf(text, sizeof text, "m%llx-%llx", static_cast<unsigned long long>(++ids_),
                static_cast<unsigned long long>(random_() & 0xffffffff));
  return text;
}

std::string Outbox::token() {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(random_()));
  return text;
}

}  // namespace mixer
