// Legs with STUN and TURN configured, against a real coturn on loopback.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <stdexcept>
#include <thread>

#include "tests/media_gst/transport_peer.h"
#include "tests/support/coturn.h"
#include "tests/support/net.h"

namespace media::gst {
namespace {

using support::Coturn;
using testing::HasSubstr;
using testing::StartsWith;

sockaddr_in v4(const char* ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, ip, &address.sin_addr);
  return address;
}

// In front of a UDP server on 127.0.0.1: whoever talks to it comes from 127.0.0.2 there, each from
// a port of its own. Without it a server on loopback sees the host address, and libnice rightly
// drops a server-reflexive candidate that is none (RFC 8445 §5.1.3).
class Nat {
 public:
  explicit Nat(std::uint16_t server)
      : server_(server), inside_(bound("127.0.0.1")), stop_(eventfd(0, EFD_CLOEXEC)) {
    thread_ = std::jthread([this] { run(); });
  }
  ~Nat() { eventfd_write(stop_.get(), 1); }
  std::string address() const {
    return "127.0.0.1:" + std::to_string(ntohs(name_of(inside_.get()).sin_port));
  }

 private:
  struct Mapping {
    sockaddr_in client;
    support::Fd outside;
  };

  static support::Fd bound(const char* ip) {
    support::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto address = v4(ip, 0);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error(std::string("cannot bind ") + ip);
    }
    return fd;
  }
  static sockaddr_in name_of(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return address;
  }

  void run() {
    for (;;) {
      std::vector<pollfd> fds{{stop_.get(), POLLIN, 0}, {inside_.get(), POLLIN, 0}};
      for (const auto& [port, mapping] : mappings_) {
        fds.push_back({mapping.outside.get(), POLLIN, 0});
      }
      ::poll(fds.data(), fds.size(), -1);
      if (fds[0].revents != 0) return;
      outwards();
      for (const auto& [port, mapping] : mappings_) inwards(mapping);
    }
  }
  void outwards() {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto got = ::recvfrom(inside_.get(), datagram_.data(), datagram_.size(), 0,
                                reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    auto& mapping = mappings_[from.sin_port];
    if (!mapping.outside) mapping = {from, bound("127.0.0.2")};
    const auto to = v4("127.0.0.1", server_);
    ::sendto(mapping.outside.get(), datagram_.data(), static_cast<std::size_t>(got), 0,
             reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  void inwards(const Mapping& mapping) {
    const auto got = ::recv(mapping.outside.get(), datagram_.data(), datagram_.size(), 0);
    if (got < 0) return;
    ::sendto(inside_.get(), datagram_.data(), static_cast<std::size_t>(got), 0,
             reinterpret_cast<const sockaddr*>(&mapping.client), sizeof mapping.client);
  }

  const std::uint16_t server_;
  const support::Fd inside_, stop_;
  std::map<std::uint16_t, Mapping> mappings_;  // by the client's port
  std::array<char, 2048> datagram_{};
  std::jthread thread_;  // last: ends first
};

PeerOptions with_turn(const std::string& server, const char* password = Coturn::kPassword) {
  PeerOptions options{.leg = LegId{1}, .ssrc = 0x1111, .controlling = true};
  options.ice.turn_server = server;
  options.ice.turn_username = Coturn::kUser;
  options.ice.turn_password = password;
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

bool only_hosts(const std::vector<IceCandidate>& candidates) {
  return !candidates.empty() && std::all_of(candidates.begin(), candidates.end(), [](auto& each) {
    return each.type == CandidateType::host;
  });
}

TEST(IceServersCoturn, StunTellsTheAddressBeyondTheNat) {
  REQUIRE_COTURN();
  const Coturn coturn;
  const Nat nat(coturn.port());
  PeerOptions options;
  options.ice.stun_server = nat.address();
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
  const Nat nat(coturn.port());
  PeerOptions options;
  options.ice.stun_server = nat.address();
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
  peer.emplace(with_turn(coturn.v4()));
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
  auto options = with_turn(coturn.v6());
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

TEST(IceServersCoturn, AWrongPasswordLeavesTheHostCandidates) {
  REQUIRE_COTURN();
  Coturn coturn;
  Peer a(with_turn(coturn.v4(), "wrong")), b({.leg = LegId{2}, .ssrc = 0x2222});
  join(a, b);
  EXPECT_TRUE(only_hosts(a.opened().candidates));
  expect_connected(a, b);
  a.send_rtp(3);
  EXPECT_TRUE(b.receiver_.wait_for_packets(3));
  EXPECT_TRUE(coturn.wait_for_log("credentials are incorrect")) << coturn.log();
  EXPECT_TRUE(gathered(a, CandidateType::relay).empty());
}

TEST(IceServersCoturn, AServerThatIsNotThereLeavesTheHostCandidates) {
  auto options = with_turn("127.0.0.1:" + std::to_string(support::free_udp_port()));
  options.ice.stun_server = options.ice.turn_server;
  Peer a(options), b({.leg = LegId{2}, .ssrc = 0x2222});
  join(a, b);
  expect_connected(a, b);
  a.send_rtp(3);
  EXPECT_TRUE(b.receiver_.wait_for_packets(3));
}

}  // namespace
}  // namespace media::gst
