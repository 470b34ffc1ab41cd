// tests/sim/peer_world.h: a focus and clients as they are (tests/peers), on a simulated wire: in
// virtual time, from one seed. One thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>

#include "tests/peers/peer.h"
#include "tests/sim/laws.h"
#include "tests/support/generators.h"

namespace sim {

class PeerWorld {
 public:
  // calm: everything takes milliseconds, in the order one would expect. hostile: acknowledgements,
  // candidates, media and presence come when they like; stanzas of one path keep their order, as
  // XMPP has it.
  enum class Mood { calm, hostile };
  PeerWorld(std::uint64_t seed, Mood mood, mixer::Config config = component_config());

  // Calls the room that everybody calls, or the bot, after `delay`.
  peers::Peer& call(const peers::Client& client, std::chrono::milliseconds delay = {});
  // Has that room, or the bot, among its contacts, and is invited by a moderator a second and
  // `delay` after it came online; or is but another device of that peer's user.
  peers::Peer& invite(const peers::Client& client, peers::Part part,
                      std::chrono::milliseconds delay = {}, const peers::Peer* of = nullptr);
  // As before; why it is not, if so.
  std::optional<mixer::InviteRefusal> invite_again(const peers::Peer& peer);
  // Done to all stanzas for that peer from now on.
  void spoil(const peers::Peer& peer, const peers::Fault& fault) { spoilt_[&peer] = &fault; }
  int spoilt() const { return spoilings_; }

  void pass(std::chrono::milliseconds duration);
  // SIGTERM, and what follows.
  void shut_down();

  // Steps whose effect on the mix was looked at when they were acknowledged.
  int effects() const { return effects_; }
  const std::vector<std::string>& story() const { return story_; }
  Dice dice;

 private:
  struct Line {  // a peer and its way to the focus
    Line(const peers::Client& client, peers::Peer::Place place, peers::Part part)
        : peer(client, std::move(place), part) {}
    peers::Peer peer;
    TimePoint to_peer{}, to_focus{};  // last arrivals
    std::optional<media::LegId> leg = {};
    bool connects = false;
    std::map<std::string, peers::Act> effects = {};  // by id of the IQ
  };

  void later(std::chrono::milliseconds delay, std::function<void()> what);
  std::chrono::milliseconds think() { return mood_ == Mood::calm ? 1ms : dice.up_to(1500ms); }
  std::chrono::milliseconds wire() { return mood_ == Mood::calm ? 1ms : dice.up_to(400ms); }
  peers::Peer& add(const peers::Client& client, peers::Part part, const peers::Peer* of);
  void say_presence(Line& line, const std::string& type);
  void tick();
  void flap(Line& line);

  void handle(const mixer::Event& event);
  void carry_out(const mixer::Command& command);
  void carry_out(const mixer::OpenLeg& open);
  void connect(Line& line);
  void send(Line& line, const std::string& stanza);
  void prompt(Line& line);
  void deliver(const jingle::Jid& to, const std::string& stanza);
  void arrives(Line& line, const std::string& stanza);
  void look_at_effect(Line& line, const std::string& id);

  const Mood mood_;
  const std::string room_;  // bare JID
  TimePoint now_{1000s};
  FakeEngine engine_;
  Laws laws_{engine_};
  mixer::Focus focus_;
  std::deque<Line> lines_;
  std::multimap<TimePoint, std::function<void()>> agenda_;
  std::map<const peers::Peer*, const peers::Fault*> spoilt_;
  int spoilings_ = 0, effects_ = 0;
  std::vector<std::string> story_;
};

}  // namespace sim
