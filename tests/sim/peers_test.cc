// Clients as they are (tests/peers/clients.cc) in calls with the focus, which they call or which
// calls them: each alone from the first word to the last, several at once in every order of events,
// and every rule by which one of them would give up shown to catch its fault. MIXER_PEERS_SEEDS=N
// runs N seeds, MIXER_PEERS_SEED=S only that one and tells its story.
#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>

#include "tests/peers/rules.h"
#include "tests/sim/peer_world.h"
#include "tests/support/sanitized.h"

namespace {

using namespace sim;
using peers::Client;
using peers::Part;
using Mood = PeerWorld::Mood;

std::string name_of(const ::testing::TestParamInfo<Client>& info) { return info.param.name; }

void expect_nothing_wrong(const peers::Peer& peer) {
  for (const std::string& complaint : peer.complaints()) ADD_FAILURE() << complaint;
  EXPECT_TRUE(peer.memory().requests.empty()) << peer.client().name << " waits for an answer";
}

void expect_content(const peers::Peer& peer) {
  expect_nothing_wrong(peer);
  EXPECT_TRUE(peer.ended()) << peer.client().name << " is still there";
  EXPECT_EQ(peer.memory().connected.has_value(), peer.client().joins) << peer.client().name;
}

std::vector<Part> parts_of(const Client& client) {
  std::vector<Part> out{Part::is_proposed_to, Part::is_called, Part::declines};
  std::erase_if(out, [&](Part part) { return peers::script(client, part).empty(); });
  return out;
}

std::vector<Client> those_with(Part part) {
  std::vector<Client> out = peers::clients();
  std::erase_if(out, [&](const Client& client) { return peers::script(client, part).empty(); });
  return out;
}

const std::vector<Client>& those_that_can_be_called() {
  static const std::vector<Client> all = [] {
    std::vector<Client> out = peers::clients();
    std::erase_if(out, [](const Client& client) { return parts_of(client).empty(); });
    return out;
  }();
  return all;
}

const Client& client(const std::string& name) {
  return *std::ranges::find(peers::clients(), name, &Client::name);
}

// Somebody is there, and stays.
PeerWorld& with_somebody(PeerWorld& world) {
  world.call(client("Aiortc")).stay();
  world.pass(5s);
  return world;
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Peers : public ::testing::TestWithParam<Client> {};

TEST_P(Peers, GoThroughAWholeCallWithARoomAndWithTheBot) {
  for (const mixer::Config& config : {component_config(), client_config()}) {
    PeerWorld world(1, Mood::calm, config);
    const peers::Peer& peer = world.call(GetParam());
    world.pass(60s);
    expect_content(peer);
    EXPECT_TRUE(peer.done());
    EXPECT_EQ(peer.reason(), GetParam().joins ? "" : "security-error");
    world.shut_down();
  }
}

TEST_P(Peers, AreHungUpOnWithAReason) {
  PeerWorld world(1, Mood::calm);
  peers::Peer& peer = world.call(GetParam());
  peer.stay();
  world.pass(60s);
  EXPECT_EQ(peer.ended(), !GetParam().joins);
  world.shut_down();
  expect_content(peer);
  EXPECT_EQ(peer.reason(), GetParam().joins ? "gone" : "security-error");
  EXPECT_NE(peer.reason_text(), "");
}

// A proposal to all devices of a user, which asks them; or they are silent, and that which takes
// calls is called directly.
class CalledPeers : public ::testing::TestWithParam<Client> {
 protected:
  static bool can(Part part) { return !peers::script(GetParam(), part).empty(); }
  // How it hears of a call.
  static Part usual() { return can(Part::is_proposed_to) ? Part::is_proposed_to : Part::is_called; }
};

TEST_P(CalledPeers, GoThroughAWholeCallWithARoomAndWithTheBot) {
  for (const Part part : {Part::is_proposed_to, Part::is_called}) {
    if (!can(part)) continue;
    for (const mixer::Config& config : {component_config(), client_config()}) {
      SCOPED_TRACE(static_cast<int>(part));
      PeerWorld world(1, Mood::calm, config);
      const peers::Peer& peer = with_somebody(world).invite(GetParam(), part);
      world.pass(60s);
      expect_content(peer);
      EXPECT_TRUE(peer.done());
      EXPECT_EQ(peer.reason(), GetParam().joins ? "" : "security-error");
      world.shut_down();
    }
  }
}

TEST_P(CalledPeers, AreHungUpOnWithAReason) {
  PeerWorld world(1, Mood::calm);
  peers::Peer& peer = with_somebody(world).invite(GetParam(), usual());
  peer.stay();
  world.pass(60s);
  EXPECT_EQ(peer.ended(), !GetParam().joins);
  world.shut_down();
  expect_content(peer);
  EXPECT_EQ(peer.reason(), GetParam().joins ? "gone" : "security-error");
  EXPECT_NE(peer.reason_text(), "");
}

class DecliningPeers : public CalledPeers {};

TEST_P(DecliningPeers, AreLeftAlone) {
  PeerWorld world(1, Mood::calm);
  const peers::Peer& peer = with_somebody(world).invite(GetParam(), Part::declines);
  world.pass(60s);
  for (const std::string& complaint : peer.complaints()) ADD_FAILURE() << complaint;
  EXPECT_TRUE(peer.ended() && peer.done());
  EXPECT_FALSE(peer.memory().connected);
  EXPECT_EQ(world.invite_again(peer), mixer::InviteRefusal::refused_lately);
  world.shut_down();
}

class ProposedPeers : public CalledPeers {};

// XEP-0353 §3.2: all of them ring, one call is made.
TEST_P(ProposedPeers, OfTwoDevicesOnlyTheFirstToTakeTheCallIsCalled) {
  for (std::uint64_t seed = 1; seed <= 20 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    PeerWorld world(seed, Mood::hostile);
    with_somebody(world);
    std::vector<peers::Peer*> devices{&world.invite(GetParam(), Part::is_proposed_to)};
    devices.push_back(
        &world.invite(client("Conversations"), Part::is_proposed_to, {}, devices.front()));
    for (peers::Peer* device : devices) device->stay();
    world.pass(30s);
    int connected = 0;
    for (const peers::Peer* device : devices) {
      for (const std::string& complaint : device->complaints()) ADD_FAILURE() << complaint;
      EXPECT_NE(device->memory().connected.has_value(), device->ended());
      connected += device->memory().connected ? 1 : 0;
    }
    EXPECT_EQ(connected, 1);
    world.shut_down();
  }
}

TEST_P(CalledPeers, GiveUpByEachOfTheirRules) {
  std::vector<std::string> unnoticed;
  for (const peers::Rule& rule : GetParam().called_rules) {
    PeerWorld world(1, Mood::calm);
    peers::Peer& peer = with_somebody(world).invite(GetParam(), usual());
    peer.stay();
    world.spoil(peer, rule.kind->fault);
    world.pass(100s);
    const bool seen = peer.complains_of(*rule.kind);
    if (world.spoilt() == 0 || !seen) unnoticed.emplace_back(rule.kind->name);
  }
  EXPECT_THAT(unnoticed, ::testing::IsEmpty());
}

// The mixer's stanzas are spoilt on their way, for each rule in its own way.
TEST_P(Peers, GiveUpByEachOfTheirRules) {
  std::vector<std::string> unnoticed;
  for (const peers::Rule& rule : GetParam().rules) {
    PeerWorld world(1, Mood::calm);
    const peers::Peer& peer = world.call(GetParam());
    world.spoil(peer, rule.kind->fault);
    world.pass(100s);
    const bool seen = peer.complains_of(*rule.kind);
    if (world.spoilt() == 0 || !seen) unnoticed.emplace_back(rule.kind->name);
  }
  EXPECT_THAT(unnoticed, ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Sim, Peers, ::testing::ValuesIn(peers::clients()), name_of);

INSTANTIATE_TEST_SUITE_P(Sim, CalledPeers, ::testing::ValuesIn(those_that_can_be_called()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Sim, DecliningPeers, ::testing::ValuesIn(those_with(Part::declines)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Sim, ProposedPeers, ::testing::ValuesIn(those_with(Part::is_proposed_to)),
                         name_of);

TEST(ManyPeers, StayInARoomWhereEverythingComesWhenItLikes) {
  const std::uint64_t only = from_environment("MIXER_PEERS_SEED", 0);
  const std::uint64_t seeds =
      only ? only : from_environment("MIXER_PEERS_SEEDS", test_support::kSanitized ? 60 : 500);
  int calls = 0, taken = 0, effects = 0;
  for (std::uint64_t seed = only ? only : 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("MIXER_PEERS_SEED=" + std::to_string(seed));
    PeerWorld world(seed, Mood::hostile);
    std::vector<const peers::Peer*> all, called;
    for (std::uint64_t i = 0; i < 2 + seed % 6; ++i) {
      peers::Peer& peer = world.call(world.dice.one_of(peers::clients()), world.dice.up_to(20s));
      if (world.dice.chance(0.5)) peer.stay();
      all.push_back(&peer);
    }
    // An empty room invites nobody.
    if (seed % 4 > 0) with_somebody(world);
    for (std::uint64_t i = 0; i < seed % 4; ++i) {
      const Client& client = world.dice.one_of(those_that_can_be_called());
      peers::Peer& peer =
          world.invite(client, world.dice.one_of(parts_of(client)), world.dice.up_to(20s));
      if (world.dice.chance(0.5)) peer.stay();
      called.push_back(&peer);
    }
    world.pass(120s);
    if (!HasFailure()) world.shut_down();
    for (const peers::Peer* peer : all) {
      expect_content(*peer);
      calls += peer->client().joins ? 1 : 0;
    }
    for (const peers::Peer* peer : called) {
      expect_nothing_wrong(*peer);
      // Who went offline for a moment may have missed it.
      const bool in_call = peer->memory().offer.root() && !peer->ended();
      EXPECT_FALSE(in_call) << peer->client().name << " is still there";
      taken += peer->memory().connected ? 1 : 0;
    }
    effects += world.effects();
    if (HasFailure() || only) {
      for (const std::string& line : world.story()) std::cout << line << "\n";
    }
    if (HasFailure()) FAIL();
  }
  std::cout << calls << " calls, " << taken << " taken, " << effects << " effects on the mix\n";
  EXPECT_TRUE(only || (effects > calls / 2 && taken > static_cast<int>(seeds) / 4));
}

}  // namespace
