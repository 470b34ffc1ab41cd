// tools/load/coin_meter.h: conference documents (XEP-0298) as a crowd gets them: how many, how
// large, whether any was left out, and how long after somebody is connected the others are told.
// Documents are looked at, not kept: a roster each would be dearer than the mixer. Pure; one
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "tools/call/json.h"

namespace pugi {
class xml_node;
}

namespace load {

class CoinMeter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // For `watchers` of the callers (numbers), documents are searched for newcomers.
  CoinMeter(std::size_t callers, std::set<std::size_t> watchers);

  // The XMPP URI under which others are told of that caller.
  void set_entity(std::size_t caller, std::string entity) { entities_[entity] = caller; }
  void connected(std::size_t caller, TimePoint now);
  void left(std::size_t caller);
  void document(std::size_t receiver, const pugi::xml_node& document, TimePoint now);

  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t documents() const { return documents_; }
  call::Json to_json() const;

 private:
  struct Receiver {
    std::uint32_t version = 0;
    bool in = false;
    TimePoint since;
    std::set<std::size_t> knows;  // a watcher's
  };
  std::vector<Receiver> receivers_;
  const std::set<std::size_t> watchers_;
  std::unordered_map<std::string, std::size_t> entities_;
  std::uint64_t documents_ = 0, full_ = 0, bytes_ = 0, left_out_ = 0;
  std::vector<double> lag_ms_;
};

}  // namespace load
