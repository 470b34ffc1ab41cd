#include "tools/load/coin_meter.h"

#include <cstring>
#include <pugixml.hpp>

#include "signaling/stanza.h"
#include "tools/load/figures.h"

namespace load {
namespace {

class Counter : public pugi::xml_writer {
 public:
  void write(const void*, std::size_t size) override { bytes += size; }
  std::uint64_t bytes = 0;
};

bool is_connected(const pugi::xml_node& user) {
  for (const auto& endpoint : user.children()) {
    if (jingle::local_name(endpoint) != "endpoint") continue;
    for (const auto& status : endpoint.children()) {
      if (jingle::local_name(status) == "status" && jingle::text_of(status) == "connected") {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

CoinMeter::CoinMeter(std::size_t callers, std::set<std::size_t> watchers)
    : receivers_(callers), watchers_(std::move(watchers)) {}

void CoinMeter::connected(std::size_t caller, TimePoint now) {
  receivers_.at(caller).in = true;
  receivers_.at(caller).since = now;
}

void CoinMeter::left(std::size_t caller) {
  receivers_.at(caller) = {};
  for (const std::size_t watcher : watchers_) receivers_.at(watcher).knows.erase(caller);
}

void CoinMeter::document(std::size_t number, const pugi::xml_node& document, TimePoint now) {
  Receiver& receiver = receivers_.at(number);
  ++documents_;
  Counter counter;
  document.print(counter, "", pugi::format_raw);
  bytes_ += counter.bytes;
  const bool full = std::strcmp(document.attribute("state").value(), "full") == 0;
  if (full) ++full_;
  const auto version = static_cast<std::uint32_t>(document.attribute("version").as_ullong());
  // What comes late of a call that has ended is followed by the next one's first, which is full.
  if (!full && receiver.version != 0 && version != receiver.version + 1) ++left_out_;
  receiver.version = version;
  if (!watchers_.contains(number)) return;
  for (const auto& users : document.children()) {
    if (jingle::local_name(users) != "users") continue;
    for (const auto& user : users.children()) {
      const auto found = entities_.find(user.attribute("entity").value());
      if (found == entities_.end() || found->second == number || !is_connected(user)) continue;
      const Receiver& told_of = receivers_.at(found->second);
      // Who was there before is no news; who is told of sooner than we know is none either.
      if (!receiver.knows.insert(found->second).second || !receiver.in || !told_of.in ||
          told_of.since < receiver.since) {
        continue;
      }
      lag_ms_.push_back(std::chrono::duration<double, std::milli>(now - told_of.since).count());
    }
  }
}

call::Json CoinMeter::to_json() const {
  return call::Json::Object{{"documents", static_cast<double>(documents_)},
                            {"full", static_cast<double>(full_)},
                            {"bytes", static_cast<double>(bytes_)},
                            {"left_out", static_cast<double>(left_out_)},
                            {"lag_ms", spread(lag_ms_)}};
}

}  // namespace load
