// The focus among misbehaving clients, engine and network: seeded stories, and the laws that hold
// in all of them (laws.h). MIXER_SIM_SEEDS=N runs N seeds, MIXER_SIM_SEED=S only that one and tells
// its story.
#include <cstdlib>
#include <iostream>

#include "tests/sim/world.h"
#include "tests/support/sanitized.h"

namespace {

using namespace sim;

std::string propose(const std::string& sid) {
  return "<propose xmlns='urn:xmpp:jingle-message:0' id='" + sid +
         "'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>";
}

void call(World& world, Client& who) {
  const std::string name = who.full.resource();
  if (who.in_call && !world.dice.chance(0.2)) return;
  world.call(who, world.dice.one_of(std::vector<std::string>{
                      "tea@mixer.localhost", "talk@mixer.localhost", "tea@mixer.localhost/focus"}));
  if (world.dice.chance(0.3)) {
    world.message(who.full, who.room, propose(who.sid), name + " proposes " + who.sid);
    if (world.dice.chance(0.2)) {  // and thinks better of it
      who.in_call = who.calling = false;
      world.message(who.full, who.room,
                    "<retract xmlns='urn:xmpp:jingle-message:0' id='" + who.sid + "'/>",
                    name + " retracts");
      return;
    }
  }
  world.jingle(who, Offer{.sid = who.sid}.xml(), name + " calls");
}

void invite(World& world, Client& who) {
  const std::string room = world.dice.chance(0.7) ? "tea@mixer.localhost" : "talk@mixer.localhost";
  const auto target = [&]() -> jingle::Jid {
    switch (world.dice.below(8)) {
      case 0: return jid("nobody@localhost");
      case 1: return jid("nobody@localhost/nowhere");
      case 2: return jid("stranger@elsewhere.example");
      case 3: return jid(room);
      case 4: return who.full;
      default: return who.full.bare();
    }
  };
  world.invite(room, target());
}

void act(World& world) {
  Dice& dice = world.dice;
  Client& who = world.clients()[dice.below(world.clients().size())];
  const std::string name = who.full.resource();
  switch (dice.below(18)) {
    case 0:
    case 1:
    case 2: return call(world, who);
    case 3:
      if (!who.in_call) break;
      who.in_call = who.calling = false;
      world.jingle(who, terminate(who.sid), name + " hangs up");
      break;
    case 4:
      if (who.in_call) world.jingle(who, session_info(who.sid, "hold"), name + " holds");
      break;
    case 5:
      if (who.in_call) world.jingle(who, session_info(who.sid, "active"), name + " is active");
      break;
    case 6:
    case 7: {
      if (who.room.empty()) break;
      const Client& other = world.clients()[dice.below(world.clients().size())];
      const std::string payload = random_payload(dice, dice.chance(0.8) ? who.sid : other.sid);
      const bool set = payload.starts_with("<jingle") || dice.chance(0.5);
      world.iq(who.full, who.room, set ? "set" : "get", payload, name + " sends rubbish");
      break;
    }
    case 8:
      if (dice.chance(0.2)) {
        world.leg_fails(who);
      } else {
        world.leg_is_quiet(who, dice.chance(0.5));
      }
      break;
    case 9:
      if (!who.room.empty()) world.presence(who, dice.chance(0.5) ? "unavailable" : "");
      break;
    case 10:
      if (dice.chance(0.2)) world.lose_connection();
      break;
    case 11:
      if (!who.room.empty()) world.presence(who, dice.chance(0.5) ? "subscribe" : "unsubscribe");
      break;
    case 12:
      if (who.in_call) world.trickles(who);
      break;
    case 13:
      if (who.in_call) world.restarts(who);
      break;
    case 14:
      if (who.in_call && dice.chance(0.3)) world.consent_is_lost(who);
      break;
    default: return invite(world, who);
  }
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(ConferenceSim, EveryLawHoldsForEverySeed) {
  const std::uint64_t only = from_environment("MIXER_SIM_SEED", 0);
  const std::uint64_t seeds =
      only ? only : from_environment("MIXER_SIM_SEEDS", test_support::kSanitized ? 150 : 1000);
  Tally tally;
  for (std::uint64_t seed = only ? only : 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("MIXER_SIM_SEED=" + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < 120 && !HasFailure(); ++i) {
      act(world);
      world.pass(world.dice.up_to(1500ms));
    }
    if (!HasFailure()) world.quiesce();
    if (!HasFailure()) world.shut_down();
    tally += world.tally();
    if (HasFailure() || only) {
      for (const std::string& line : world.story()) std::cout << line << "\n";
      if (HasFailure()) FAIL() << "seed " << seed;
    }
  }
  if (only) return;
  std::cout << seeds << " seeds: " << tally << "\n";
  // The stories must get that far, or they prove nothing.
  const auto each = static_cast<int>(seeds);
  EXPECT_GT(tally.rosters, each);
  EXPECT_GT(tally.with_departed, each / 50);
  EXPECT_GT(tally.connected, each / 2);
  EXPECT_GT(tally.direct, each);
  EXPECT_GT(tally.restarts, each / 4);
  EXPECT_GT(tally.restarts_of_ours, each / 20);
  for (const int often :
       {tally.declined, tally.bounced, tally.retracted, tally.refused, tally.ties}) {
    EXPECT_GT(often, each / 4);
  }
}

}  // namespace
