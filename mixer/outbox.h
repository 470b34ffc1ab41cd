// mixer/outbox.h: gathers what one event makes the focus want, in order, and remembers which of our
// IQs have an answer that matters. Pure; signaling thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "mixer/clock.h"
#include "mixer/command.h"
#include "mixer/log.h"
#include "signaling/jingle.h"

namespace mixer {

using Random = std::function<std::uint64_t()>;

// Why we asked. Most Jingle IQs are not here: calls must not depend on their acks.
enum class Purpose {
  session_initiate,
  session_accept,
  transport_info,
  ice_restart,
  coin,
  client_disco,
  chatter,
  chat_room,
  roster,
  stun_services,
  turn_services,
  turn_credentials,
  pep_service,
  pep_publish,
  shared_items,
  interests,
};
struct Awaited {
  jingle::Jid to;  // the only JID whose answer counts
  Purpose purpose = Purpose::coin;
  std::string room;
  media::LegId leg;
  TimePoint sent{};
  std::string node = {};  // of publish-subscribe or disco#info
};

class Outbox {
 public:
  explicit Outbox(Random random) : random_(std::move(random)) {}

  template <typename C>
  void put(C command) {
    commands_.emplace_back(std::move(command));
  }
  void log(Log::Level level, std::string text) { put(Log{level, std::move(text)}); }

  // An IQ set with a <jingle/>, whose answer we do not wait for.
  void jingle(const jingle::Jid& from, const jingle::Jid& to, const jingle::Request& request);
  // Any IQ whose answer comes back through answered(). Returns its id.
  std::string ask(SendIq iq, Awaited awaited);

  // The same for disco#info of `awaited.to` and its node (XEP-0030), behind what is urgent.
  void ask_disco_info(const jingle::Jid& from, Awaited awaited);

  // What an answer from `from` belongs to, once; nullopt: nothing of ours, or from somebody else.
  std::optional<Awaited> answered(const std::string& id, const jingle::Jid& from);

  // Empties the outbox.
  Commands take();

  std::string next_id();
  std::string token();  // 64 random bits in hex
  std::uint64_t random() { return random_(); }

 private:
  Random random_;
  Commands commands_;
  std::uint64_t ids_ = 0;
  std::map<std::string, Awaited> awaited_;
  std::deque<std::string> awaited_order_;  // oldest first; may name answered ones
};

}  // namespace mixer
