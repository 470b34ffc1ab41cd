// Legs with STUN and TURN configured, against a real coturn on loopback.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/media_gst/transport_peer.h"
#include "tests/support/coturn.h"
#include "tests/support/net.h"
#include "tests/support/udp_nat.h"

namespace media::gst {
namespace {

using support::Coturn;
using testing::HasSubstr;
using testing::StartsWith;

// A server on loopback sees the host address, and libnice rightly drops a server-reflexive
// candidate that is none (RFC 8445 §5.1.3).
support::UdpNat beyond_nat(const Coturn& coturn) {
  return support::UdpNat({"127.0.0.1", 0}, {"127.0.0.1", coturn.port()}, "127.0.0.2");
}

IceServer server(IceServer::Kind kind, std::string host, std::uint16_t port) {
  IceServer server;
  server.kind = kind;
  server.host = std::move(host);
  server.port = port;
  return server;
}
IceServer turn(std::string host, std::uint16_t port, const char* password = Coturn::kPassword) {
  auto turn = server(IceServer::Kind::turn, std::move(host), port);
  turn.username = Coturn::kUser;
  turn.password = password;
  return turn;
}
IceServer stun(std::uint16_t port) { return server(IceServer::Kind::stun, "127.0.0.1", port); }

PeerOptions with(IceServer server) {
  PeerOptions options{.leg = LegId{1}, .ssrc = 0x1111, .controlling = true};
  options.ice.servers = {std::move(server)};
  return options;
}

std::vector<IceCandidate> gathered(Peer& peer, CandidateType type) {
  std::vector<IceCandidate> found;
  for (const auto& event : peer.log_.of(peer.leg())) {
    const auto* batch = std::get_if<CandidatesGathered>(&event);
    if (!batch) continue;
    for (const auto& candidate : batch->candidates) {
      if (candidate.type == type) found.push_back(candidate);
    }
  }
  return found;
}

// Those of a server come after LegOpened, as CandidatesGathered.
std::vector<IceCandidate> wait_for(Peer& peer, CandidateType type, std::size_t count = 1) {
  EXPECT_TRUE(eventually([&] { return gathered(peer, type).size() >= count; }));
  return gathered(peer, type);
}

// Allocations: a Refresh with lifetime 0 (RFC 8656 §7.1) each.
std::size_t given_back(const Coturn& coturn) {
  const auto log = coturn.log();
  std::size_t count = 0;
  for (auto at = log.find("lifetime=0"); at != log.npos; at = log.find("lifetime=0", at + 1)) {
    ++count;
  }
  return count;
}

bool only_hosts(const std::vector<IceCandidate>& candidates) {
  return !candidates.empty() && std::all_of(candidates.begin(), candidates.end(), [](auto& each) {
    return each.type == CandidateType::host;
  });
}

TEST(IceServersCoturn, StunTellsTheAddressBeyondTheNat) {
  REQUIRE_COTURN();
  const Coturn coturn;
  const auto nat = beyond_nat(coturn);
  auto options = with(stun(nat.port()));
  Peer peer(options);
  peer.open();
  const auto opened = peer.opened();
  EXPECT_TRUE(only_hosts(opened.candidates));
  const auto found = wait_for(peer, CandidateType::srflx);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].ip, "127.0.0.2");
  EXPECT_EQ(found[0].rel_addr, "127.0.0.1");
  EXPECT_EQ(found[0].rel_port, opened.candidates.at(0).port);
  EXPECT_LT(found[0].priority, opened.candidates.at(0).priority);
}

TEST(IceServersCoturn, StunAsksForEachComponent) {
  REQUIRE_COTURN();
  const Coturn coturn;
  const auto nat = beyond_nat(coturn);
  auto options = with(stun(nat.port()));
  options.rtcp_mux = false;
  Peer peer(options);
  peer.open();
  const auto found = wait_for(peer, CandidateType::srflx, 2);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].component + found[1].component, 1 + 2);
}

TEST(IceServersCoturn, TurnGivesARelayCandidateOnceTheLegIsOpen) {
  REQUIRE_COTURN();
  Coturn coturn;
  std::optional<Peer> peer;
  peer.emplace(with(turn("127.0.0.1", coturn.port())));
  peer->open();
  const auto opened = peer->opened();
  EXPECT_TRUE(only_hosts(opened.candidates));
  const auto found = wait_for(*peer, CandidateType::relay);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].ip, "127.0.0.1");
  EXPECT_NE(found[0].port, opened.candidates.at(0).port);
  EXPECT_LT(found[0].priority, opened.candidates.at(0).priority);

  // Given back when the thread stops: a Refresh with lifetime 0 (RFC 8656 §7.1).
  EXPECT_THAT(coturn.log(), testing::Not(HasSubstr("lifetime=0")));
  peer.reset();
  EXPECT_TRUE(coturn.wait_for_log("lifetime=0")) << coturn.log();
}

// The leg has an IPv6 address only and its peer an IPv4 one only, so no direct pair exists; the
// server is reached by IPv6 and relays on IPv4.
TEST(IceServersCoturn, ThePairThatNeedsARelayConnectsAndCarriesRtpBothWays) {
  REQUIRE_COTURN();
  Coturn coturn;
  auto options = with(turn("::1", coturn.port()));
  options.ice.addresses = {"::1"};
  Peer relayed(options), direct({.leg = LegId{2}, .ssrc = 0x2222});
  relayed.open();
  direct.open();
  const auto relays = wait_for(relayed, CandidateType::relay);
  ASSERT_EQ(relays.size(), 1U);
  auto half = relayed.as_remote(DtlsRole::client);
  half.candidates = relays;
  direct.io_.connect(direct.leg(), half);
  relayed.io_.connect(relayed.leg(), direct.as_remote(DtlsRole::server));
  expect_connected(relayed, direct);
  const auto end = "relay 127.0.0.1:" + std::to_string(relays[0].port);
  EXPECT_EQ(relayed.log_.wait_for<LegConnected>(relayed.leg())->local, end);
  const auto at_peer = direct.log_.wait_for<LegConnected>(direct.leg());
  EXPECT_THAT(at_peer->local, StartsWith("host 127.0.0.1:"));
  EXPECT_EQ(at_peer->remote, end);

  relayed.send_rtp(50);
  direct.send_rtp(70);
  ASSERT_TRUE(direct.receiver_.wait_for_packets(50));
  ASSERT_TRUE(relayed.receiver_.wait_for_packets(70));
  EXPECT_EQ(direct.receiver_.packets().back(), rtp_packet(0x1111, 49, 80));
  EXPECT_EQ(relayed.receiver_.packets().back(), rtp_packet(0x2222, 69, 80));
  EXPECT_TRUE(eventually([&] {
    return relayed.io_.counters().rtcp_received > 0 && direct.io_.counters().rtcp_received > 0;
  }));
  EXPECT_EQ(relayed.io_.counters().unsent, 0U);

  // Given back with the leg, while the thread lives on.
  EXPECT_THAT(coturn.log(), testing::Not(HasSubstr("lifetime=0")));
  relayed.io_.close(relayed.leg());
  EXPECT_TRUE(coturn.wait_for_log("lifetime=0")) << coturn.log();
}

// RFC 8445 §9: the pair in use, its allocation too, until the new one has taken over.
TEST(IceServersCoturn, ARestartHasARelayOfItsOwnAndGivesTheOldOneBack) {
  REQUIRE_COTURN();
  Coturn coturn;
  auto options = with(turn("::1", coturn.port()));
  options.ice.addresses = {"::1"};
  Peer relayed(options), direct({.leg = LegId{2}, .ssrc = 0x2222});
  relayed.open();
  direct.open();
  auto half = relayed.as_remote(DtlsRole::client);
  half.candidates = wait_for(relayed, CandidateType::relay);
  direct.io_.connect(direct.leg(), half);
  relayed.io_.connect(relayed.leg(), direct.as_remote(DtlsRole::server));
  expect_connected(relayed, direct);

  std::size_t sent = 0;
  const auto talk = [&] {
    relayed.send_rtp(1, static_cast<std::uint16_t>(sent));
    direct.send_rtp(1, static_cast<std::uint16_t>(sent));
    ++sent;
    return direct.receiver_.wait_for_packets(sent) && relayed.receiver_.wait_for_packets(sent);
  };
  for (std::size_t restarts = 1; restarts <= 2; ++restarts) {
    relayed.io_.restart_ice(relayed.leg(), {.remote = {}, .moved_to = {}});
    const auto relays = wait_for(relayed, CandidateType::relay, restarts + 1);
    ASSERT_EQ(relays.size(), restarts + 1);
    EXPECT_NE(relays[restarts].port, relays[restarts - 1].port);
    const auto offered = relayed.log_.last<IceRestarted>(relayed.leg());
    ASSERT_TRUE(talk());
    direct.io_.restart_ice(direct.leg(), {.remote = offered->ice, .moved_to = {}});
    direct.io_.add_remote_candidates(direct.leg(), {relays[restarts]});
    ASSERT_TRUE(
        eventually([&] { return direct.log_.count<IceRestarted>(direct.leg()) == restarts; }));
    const auto answered = direct.log_.last<IceRestarted>(direct.leg());
    relayed.io_.restart_ice(relayed.leg(), {.remote = answered->ice, .moved_to = {}});
    relayed.io_.add_remote_candidates(relayed.leg(), answered->candidates);
    ASSERT_TRUE(eventually([&] {
      return talk() && direct.log_.count<LegConnected>(direct.leg()) > restarts &&
             relayed.log_.count<LegConnected>(relayed.leg()) > restarts;
    })) << "packet "
        << sent;
    const auto end = "relay 127.0.0.1:" + std::to_string(relays[restarts].port);
    EXPECT_EQ(relayed.log_.last<LegConnected>(relayed.leg())->local, end);
    EXPECT_EQ(direct.log_.last<LegConnected>(direct.leg())->remote, end);
    ASSERT_TRUE(talk());
    EXPECT_TRUE(eventually([&] { return given_back(coturn) == restarts && talk(); }))
        << coturn.log();
  }
  EXPECT_EQ(relayed.io_.counters().unsent + direct.io_.counters().unsent, 0U);
}

TEST(IceServersCoturn, AWrongPasswordLeavesTheHostCandidates) {
  REQUIRE_COTURN();
  Coturn coturn;
  Peer a(with(turn("127.0.0.1", coturn.port(), "wrong"))), b({.leg = LegId{2}, .ssrc = 0x2222});
  join(a, b);
  EXPECT_TRUE(only_hosts(a.opened().candidates));
  expect_connected(a, b);
  a.send_rtp(3);
  EXPECT_TRUE(b.receiver_.wait_for_packets(3));
  EXPECT_TRUE(coturn.wait_for_log("credentials are incorrect")) << coturn.log();
  EXPECT_TRUE(gathered(a, CandidateType::relay).empty());
}

TEST(IceServersCoturn, AServerThatIsNotThereLeavesTheHostCandidates) {
  const auto nobody = support::free_udp_port();
  auto options = with(turn("127.0.0.1", nobody));
  options.ice.servers.push_back(stun(nobody));
  Peer a(options), b({.leg = LegId{2}, .ssrc = 0x2222});
  join(a, b);
  expect_connected(a, b);
  a.send_rtp(3);
  EXPECT_TRUE(b.receiver_.wait_for_packets(3));
}

TEST(IceServersCoturn, OfSeveralThoseThatAnswerAreUsed) {
  REQUIRE_COTURN();
  Coturn coturn;
  auto options = with(turn("127.0.0.1", support::free_udp_port()));
  options.ice.servers.push_back(turn("::1", coturn.port()));  // of a family we have no address of
  options.ice.servers.push_back(turn("127.0.0.1", coturn.port()));
  Peer peer(options);
  peer.open();
  EXPECT_TRUE(only_hosts(peer.opened().candidates));
  EXPECT_EQ(wait_for(peer, CandidateType::relay).size(), 1U);
}

// As servers hand them out by XEP-0215: the user name is when they end, the password its HMAC.
TEST(IceServersCoturn, TimeLimitedCredentialsWorkUntilTheyEnd) {
  REQUIRE_COTURN();
  Coturn coturn({.secret = "north"});
  const auto with_life = [&](std::chrono::seconds life) {
    auto server = turn("127.0.0.1", coturn.port());
    const auto credentials = Coturn::time_limited("north", life);
    server.username = credentials.username;
    server.password = credentials.password;
    return server;
  };
  Peer late(with(with_life(std::chrono::seconds(-60))));
  late.open();
  EXPECT_TRUE(only_hosts(late.opened().candidates));
  EXPECT_TRUE(coturn.wait_for_log("error 401")) << coturn.log();

  // A leg takes those that are known when it is opened.
  late.io_.set_ice_servers({with_life(std::chrono::seconds(60))});
  late.io_.open({.leg = LegId{2}, .ssrc = 0x2222});
  EXPECT_TRUE(eventually([&] { return late.log_.count<CandidatesGathered>(LegId{2}) > 0; }))
      << coturn.log();
  EXPECT_TRUE(gathered(late, CandidateType::relay).empty());
}

}  // namespace
}  // namespace media::gst
