// Clients as they are (tests/peers/clients.cc) in calls with the focus: each alone from the first
// word to the last, several at once in every order of events, and every rule by which one of them
// would give up shown to catch its fault. MIXER_PEERS_SEEDS=N runs N seeds, MIXER_PEERS_SEED=S only
// that one and tells its story.
#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>

#include "tests/peers/rules.h"
#include "tests/sim/peer_world.h"
#include "tests/support/sanitized.h"

namespace {

using namespace sim;
using peers::Client;
using Mood = PeerWorld::Mood;

std::string name_of(const ::testing::TestParamInfo<Client>& info) { return info.param.name; }

void expect_content(const peers::Peer& peer) {
  for (const std::string& complaint : peer.complaints()) ADD_FAILURE() << complaint;
  EXPECT_TRUE(peer.memory().requests.empty()) << peer.client().name << " waits for an answer";
  EXPECT_TRUE(peer.ended()) << peer.client().name << " is still there";
  EXPECT_EQ(peer.memory().connected.has_value(), peer.client().joins) << peer.client().name;
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

TEST(ManyPeers, StayInARoomWhereEverythingComesWhenItLikes) {
  const std::uint64_t only = from_environment("MIXER_PEERS_SEED", 0);
  const std::uint64_t seeds =
      only ? only : from_environment("MIXER_PEERS_SEEDS", test_support::kSanitized ? 60 : 500);
  int calls = 0, effects = 0;
  for (std::uint64_t seed = only ? only : 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("MIXER_PEERS_SEED=" + std::to_string(seed));
    PeerWorld world(seed, Mood::hostile);
    std::vector<const peers::Peer*> all;
    for (std::uint64_t i = 0; i < 2 + seed % 6; ++i) {
      peers::Peer& peer = world.call(world.dice.one_of(peers::clients()), world.dice.up_to(20s));
      if (world.dice.chance(0.5)) peer.stay();
      all.push_back(&peer);
    }
    world.pass(120s);
    if (!HasFailure()) world.shut_down();
    for (const peers::Peer* peer : all) {
      expect_content(*peer);
      calls += peer->client().joins ? 1 : 0;
    }
    effects += world.effects();
    if (HasFailure() || only) {
      for (const std::string& line : world.story()) std::cout << line << "\n";
    }
    if (HasFailure()) FAIL();
  }
  std::cout << calls << " calls, " << effects << " effects on the mix\n";
  EXPECT_TRUE(only || effects > calls / 2);
}

}  // namespace
