// tests/sim/world.h: a focus, its engine, its XMPP server and its clients' programs, all simulated
// from one seed: nothing sleeps, nothing is random twice. One thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/laws.h"
#include "tests/support/generators.h"

namespace sim {

// One client of one user. It is in one call at a time, ours or its own.
struct Client {
  jingle::Jid full;
  enum class Manner { answers, never, errors } manner = Manner::answers;
  bool announces = true;          // answers disco#info, with Coin
  std::set<jingle::Jid> unheard;  // by rooms that its answer to disco#info has not reached (yet)
  int calls = 0;
  std::string sid;  // of the last call
  std::string room;
  bool in_call = false;
  bool calling = false;                     // its own session-initiate is unanswered
  bool dialled = false;                     // that call is ours
  std::map<std::string, coin::View> views;  // by sid
  std::set<std::string> over;               // sessions that the focus ended
};

class World {
 public:
  explicit World(std::uint64_t seed);

  // What there is to happen. `pass` lets it happen.
  void pass(std::chrono::milliseconds duration);
  void later(std::chrono::milliseconds delay, std::function<void()> what) {
    agenda_.emplace(now_ + delay, std::move(what));
  }
  void invite(const std::string& room, const jingle::Jid& target);
  void leg_fails(const Client& of);
  void consent_is_lost(const Client& of);
  void leg_is_quiet(const Client& of, bool quiet);
  void lose_connection();
  // Everybody behaves, and nothing more happens; then all is over.
  void quiesce();
  void shut_down();

  // A client's words. They are on the way for a while, in their order, and are lost with the
  // connection.
  void iq(const jingle::Jid& from, const std::string& to, const std::string& type,
          const std::string& payload, const std::string& what);
  void jingle(const Client& from, const std::string& payload, const std::string& what) {
    iq(from.full, from.room, "set", payload, what);
  }
  // Another candidate; with credentials it never had before an ICE restart, or the answer to one.
  void trickles(const Client& from);
  void restarts(const Client& from);
  void message(const jingle::Jid& from, const std::string& to, const std::string& children,
               const std::string& what, const std::string& attributes = "type='chat'");
  void presence(const Client& from, const std::string& type);
  void answer(const mixer::SendIq& iq, const std::string& type, const std::string& child);
  // The client calls from there, by a sid of its own.
  void call(Client& from, const std::string& room);

  bool is_quiet() const { return quiet_; }
  std::vector<Client>& clients() { return clients_; }
  const Tally& tally() const { return laws_.tally; }
  const std::vector<std::string>& story() const { return story_; }
  void tell(const std::string& line);

  Dice dice;

 private:
  mixer::Config config();
  void handle(const std::string& what, const mixer::Event& event);
  void carry_out(const mixer::Command& command);
  void carry_out(const mixer::SendIq& iq);
  void carry_out(const mixer::SendMessage& message);
  void open(media::LegId leg);
  void connect(media::LegId leg);
  void restart(const mixer::RestartIce& restart);
  void fail(media::LegId leg);
  std::string next_id() { return "s" + std::to_string(++ids_); }
  void on_the_wire(const std::string& path, std::function<void()> what);

  // peers.cc: what clients make of what they are sent.
  Client* client(const jingle::Jid& full);
  static void read(Client& client, const std::string& document);
  void deliver(const mixer::SendIq& iq);
  void deliver(const mixer::SendMessage& message);
  void invited(Client& client, const mixer::SendMessage& message, const std::string& sid);
  void called(Client& client, const mixer::SendIq& iq, const std::string& sid);
  void accept(Client& client, const std::string& room, const std::string& sid);
  void acknowledge(Client& client, const mixer::SendIq& iq);
  static std::string transport_info(const Client& of, const std::string& attributes,
                                    const std::string& children);

  const bool departed_are_kept_;
  TimePoint now_{1000s};
  FakeEngine engine_;
  Laws laws_{engine_};
  mixer::Focus focus_;
  std::vector<Client> clients_;
  std::multimap<TimePoint, std::function<void()>> agenda_;
  std::map<std::string, TimePoint> wire_;  // last arrival
  bool connected_ = true, quiet_ = false;
  int stream_ = 0, ids_ = 0;
  std::vector<std::string> story_;
};

}  // namespace sim
