// mixer/focus.h: the domain (or the bot's account) as a state machine: routes to conferences,
// answers disco, decides who may dial, and is the one place that replies to an IQ. Pure: no socket,
// thread, clock or log inside. Signaling thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "mixer/clock.h"
#include "mixer/command.h"
#include "mixer/config.h"
#include "mixer/event.h"

namespace mixer {

using Random = std::function<std::uint64_t()>;

class Focus {
 public:
  // `random` feeds contributor ids, tokens and IQ ids: seeded in tests, the system's in production.
  Focus(Config config, Random random);
  ~Focus();

  // All effects of one event at once. An IqReceived yields exactly one Reply.
  [[nodiscard]] Commands handle(const Event& event, TimePoint now);
  // When to send DeadlinePassed; nullopt: no need.
  std::optional<TimePoint> next_deadline() const;
  // Legs not closed yet; shutdown waits for 0.
  std::size_t legs() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mixer
