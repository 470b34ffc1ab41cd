// tests/scale/world.h: the real focus and as many callers as a process takes, on two component
// links (XEP-0114) of a real Prosody. Media is faked and connects at once. One thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "coin/diff.h"
#include "mixer/event_loop.h"
#include "mixer/focus.h"
#include "mixer/focus_agent.h"
#include "signaling/strophe_connection.h"
#include "tests/support/fake_engine.h"
#include "tests/support/prosody.h"

namespace scale {

using mixer::TimePoint;

// What the focus wrote to its link, in the focus's own time.
struct Wire {
  std::size_t stanzas = 0, bytes = 0, largest = 0, refused = 0;
  std::size_t documents = 0, full = 0, document_bytes = 0;
  std::size_t crowded = 0;  // documents sooner than allowed after the one before
  std::map<std::string, TimePoint> last_document;  // by receiver
};

// A roster that several callers know. One of them pays for reading a document, for all who know the
// same and are told the same: two thousand rosters of two thousand users fit no memory.
struct Known {
  coin::View view;
  std::uint32_t version = 0;
  std::map<std::size_t, std::weak_ptr<Known>> next;  // by what the document says
};

struct Caller {
  std::string jid, room, sid;
  bool accepted = false, left = false;
  std::uint32_t version = 0;
  std::shared_ptr<Known> known = nullptr;
};

enum class Server { tuned, as_debian_has_it };

class World {
 public:
  // In rooms of `per_room`.
  World(std::size_t callers, std::size_t per_room, Server server = Server::tuned);
  ~World();

  // False: a link did not come up, or `done` did not come true in time.
  bool up();
  bool run_until(const std::function<bool()>& done, std::chrono::seconds within);

  void call(std::size_t caller);
  void mute(std::size_t caller);
  void leave(std::size_t caller);

  // Whether each caller in a room knows exactly those who have called from there, and who is muted.
  bool rosters_are_true() const;
  std::size_t accepted() const;
  std::size_t documents_received() const { return documents_received_; }

  const std::vector<Caller>& callers() const { return callers_; }
  const Wire& wire() const { return wire_; }
  // What must not happen at all: a link down, an error, a version left out.
  const std::vector<std::string>& faults() const { return faults_; }
  std::string figures() const;

 private:
  class Tap;
  class Engine;
  class Agent;
  class Load;

  void receive(const jingle::Iq& iq);
  void receive(Caller& caller, const pugi::xml_node& document);
  void request(std::size_t caller, const std::string& jingle);
  std::map<std::string, std::string> truth_of(const std::string& room) const;

  support::Prosody prosody_;
  mixer::SteadyClock clock_;
  std::mt19937_64 random_{1};
  mixer::Focus focus_;
  TimePoint focus_now_{};
  double focus_cpu_ = 0;
  Wire wire_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<Load> load_;
  mixer::EventLoop loop_{clock_};

  std::vector<Caller> callers_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::set<std::size_t> called_, muted_;
  std::map<std::string, std::shared_ptr<Known>> nothing_;  // by room
  std::size_t documents_received_ = 0, ids_ = 0;
  std::vector<std::string> faults_;
};

}  // namespace scale
