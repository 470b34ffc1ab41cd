#include "media/gst/leg_transport.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/gst/leg_sink.h"
#include "media/gst/transport_limits.h"
#include "media/rtp_header.h"
#include "tests/media_gst/transport_peer.h"
#include "tests/support/shifted_clock.h"
#include "tests/support/stun.h"

namespace media::gst {
namespace {

using std::chrono_literals::operator""ms;
using testing::HasSubstr;
using testing::StartsWith;

PeerOptions caller() { return {.leg = LegId{1}, .ssrc = 0x1111, .controlling = true}; }
PeerOptions callee() { return {.leg = LegId{2}, .ssrc = 0x2222}; }

TEST(LegTransport, ConnectsAndCarriesRtpBothWays) {
  Peer a(caller()), b(callee());
  join(a, b);
  expect_connected(a, b);
  a.send_rtp(5);
  b.send_rtp(7);
  ASSERT_TRUE(b.receiver_.wait_for_packets(5));
  ASSERT_TRUE(a.receiver_.wait_for_packets(7));
  EXPECT_EQ(b.receiver_.packets().front(), rtp_packet(0x1111, 0, 80));
  EXPECT_EQ(a.receiver_.packets().back(), rtp_packet(0x2222, 6, 80));
  const auto connected = a.log_.wait_for<LegConnected>(a.leg());
  EXPECT_THAT(connected->local, StartsWith("host 127.0.0.1:"));
  EXPECT_THAT(connected->remote, HasSubstr("127.0.0.1:"));
}

TEST(LegTransport, ConnectsOverIpv6) {
  auto from = caller(), to = callee();
  from.ice.addresses = to.ice.addresses = {"::1"};
  Peer a(from), b(to);
  join(a, b);
  expect_connected(a, b);
  EXPECT_THAT(a.log_.wait_for<LegConnected>(a.leg())->local, StartsWith("host [::1]:"));
  a.send_rtp(3);
  EXPECT_TRUE(b.receiver_.wait_for_packets(3));
}

TEST(LegTransport, ConnectsWithTheDtlsRolesTheOtherWayRound) {
  Peer a(caller()), b(callee());
  join(a, b, DtlsRole::server);
  expect_connected(a, b);
  b.send_rtp(3);
  EXPECT_TRUE(a.receiver_.wait_for_packets(3));
}

TEST(LegTransport, ClosesOnceAndLastWithItsStatistics) {
  Peer a(caller()), b(callee());
  join(a, b);
  expect_connected(a, b);
  a.send_rtp(9);
  ASSERT_TRUE(b.receiver_.wait_for_packets(9));
  b.io_.close(b.leg());
  b.io_.close(b.leg());
  const auto closed = b.log_.wait_for<LegClosed>(b.leg());
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->statistics.received, 9U);
  EXPECT_EQ(closed->statistics.lost, 0);
  a.send_rtp(1);
  b.io_.open({.leg = LegId{3}});  // behind everything that was posted
  ASSERT_TRUE(b.log_.wait_for<LegOpened>(LegId{3}));
  EXPECT_EQ(b.log_.count<LegClosed>(b.leg()), 1U);
  EXPECT_TRUE(std::holds_alternative<LegClosed>(b.log_.of(b.leg()).back()));
}

TEST(LegTransport, HoldsCandidatesThatComeBeforeThePeersHalf) {
  Peer a(caller()), b(callee());
  a.open();
  b.open();
  auto half_of_b = b.as_remote(DtlsRole::server);
  auto half_of_a = a.as_remote(DtlsRole::client);
  a.io_.add_remote_candidates(a.leg(), half_of_b.candidates);
  b.io_.add_remote_candidates(b.leg(), half_of_a.candidates);
  half_of_b.candidates.clear();
  half_of_a.candidates.clear();
  a.io_.connect(a.leg(), half_of_b);
  b.io_.connect(b.leg(), half_of_a);
  expect_connected(a, b);
}

TEST(LegTransport, TakesCandidatesThatComeAfterwards) {
  Peer a(caller()), b(callee());
  a.open();
  b.open();
  auto half_of_b = b.as_remote(DtlsRole::server);
  auto half_of_a = a.as_remote(DtlsRole::client);
  const auto trickled = half_of_a.candidates;
  half_of_b.candidates.clear();
  half_of_a.candidates.clear();
  a.io_.connect(a.leg(), half_of_b);
  b.io_.connect(b.leg(), half_of_a);
  b.io_.add_remote_candidates(b.leg(), trickled);
  expect_connected(a, b);
}

TEST(LegTransport, WithoutRtcpMuxReportsTravelOnComponentTwo) {
  auto from = caller(), to = callee();
  from.rtcp_mux = to.rtcp_mux = false;
  Peer a(from), b(to);
  join(a, b);
  int components = 0;
  const auto opened = a.opened();
  for (const auto& candidate : opened.candidates) components |= 1 << candidate.component;
  EXPECT_EQ(components, 1 << 1 | 1 << 2);
  expect_connected(a, b);
  a.send_rtp(3);
  ASSERT_TRUE(b.receiver_.wait_for_packets(3));
  EXPECT_TRUE(eventually([&] { return b.io_.counters().rtcp_received > 0; }));
  EXPECT_TRUE(eventually([&] { return a.io_.counters().rtcp_received > 0; }));
}

TEST(LegTransport, ReportsTellTheRoundTripAndTheLoss) {
  Peer a(caller()), b(callee());
  join(a, b);
  expect_connected(a, b);
  a.send_rtp(10);
  a.send_rtp(10, 15);  // five are missing
  b.send_rtp(10);
  ASSERT_TRUE(b.receiver_.wait_for_packets(20));
  // An SR of a, a report of b about it: a knows the round trip.
  ASSERT_TRUE(eventually(
      [&] { return a.io_.counters().rtcp_received >= 2 && b.io_.counters().rtcp_received >= 2; }));
  a.io_.close(a.leg());
  b.io_.close(b.leg());
  const auto at_a = a.log_.wait_for<LegClosed>(a.leg())->statistics;
  const auto at_b = b.log_.wait_for<LegClosed>(b.leg())->statistics;
  EXPECT_EQ(at_b.lost, 5);
  EXPECT_EQ(at_b.received, 20U);
  EXPECT_EQ(at_a.sent, 20U);
  EXPECT_LT(at_a.rtt_ms, 5000);
  EXPECT_GT(at_a.rtt_ms + at_b.rtt_ms, 0);
}

// RFC 3550 §8.2: who finds the other with his SSRC says BYE and takes another; sound goes on.
TEST(LegTransport, AnSsrcThatThePeerHasTooIsGivenUp) {
  auto from = caller(), to = callee();
  to.ssrc = from.ssrc;
  Peer a(from), b(to);
  join(a, b);
  expect_connected(a, b);
  a.send_rtp(5);
  ASSERT_TRUE(b.receiver_.wait_for_packets(5));
  b.send_rtp(5);
  ASSERT_TRUE(a.receiver_.wait_for_packets(5));
  EXPECT_GT(a.io_.counters().rtcp_received, 0U) << "a BYE at least";
  const auto ssrc = parse_rtp(a.receiver_.packets()[4])->ssrc;
  EXPECT_NE(ssrc, from.ssrc);
  b.send_rtp(5, 5);
  ASSERT_TRUE(a.receiver_.wait_for_packets(10));
  EXPECT_EQ(parse_rtp(a.receiver_.packets()[9])->ssrc, ssrc) << "once is enough";
}

TEST(LegTransport, WrongFingerprintFailsAndNoPacketGetsThrough) {
  Peer a(caller()), b(callee());
  a.open();
  b.open();
  auto half_of_a = a.as_remote(DtlsRole::client);
  half_of_a.fingerprint.value = b.opened().fingerprint.value;
  a.io_.connect(a.leg(), b.as_remote(DtlsRole::server));
  b.io_.connect(b.leg(), half_of_a);
  const auto failed = b.log_.wait_for<LegFailed>(b.leg());
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->cause, LegFailure::fingerprint_mismatch);
  a.send_rtp(5);
  EXPECT_TRUE(eventually([&] { return a.io_.counters().unsent == 5; }));
  EXPECT_EQ(b.io_.counters().rtp_received, 0U);
  EXPECT_EQ(b.log_.count<LegConnected>(b.leg()), 0U);
  EXPECT_TRUE(b.receiver_.packets().empty());
}

// Checks are a sign of life (RFC 7675 §5.1), and whoever knows the password is the peer.
TEST(LegTransport, QuietWithoutASignOfLifeUntilHeardAgain) {
  support::ShiftedClock clock;
  Peer a(caller()), b(callee());
  join(a, b);
  expect_connected(a, b);
  a.io_.close(a.leg());
  ASSERT_TRUE(a.log_.wait_for<LegClosed>(a.leg()));
  clock.let_pass(limits::kSignlessTime);
  b.io_.add_remote_candidates(b.leg(), {});  // wakes it up
  ASSERT_TRUE(b.log_.wait_for<LegQuiet>(b.leg()));
  EXPECT_EQ(b.log_.count<LegHeard>(b.leg()), 0U);
  const auto opened = b.opened();
  support::IceEnd end;
  end.ufrag = a.opened().ice.ufrag;
  end.other = {opened.ice.ufrag, opened.ice.pwd, "127.0.0.1", opened.candidates[0].port};
  end.send(end.check());
  EXPECT_TRUE(b.log_.wait_for<LegHeard>(b.leg()));
  EXPECT_EQ(b.log_.count<LegFailed>(b.leg()), 0U);
}

TEST(LegTransport, ExhaustedPortRangeIsNoPort) {
  auto options = callee();
  options.ice.port_min = 20100;
  options.ice.port_max = 20101;
  Peer peer(options);
  std::vector<LegId> opened;
  std::optional<LegFailed> failed;
  for (std::uint64_t leg = 10; leg < 14 && !failed; ++leg) {
    peer.io_.open({.leg = LegId{leg}});
    ASSERT_TRUE(eventually([&] { return !peer.log_.of(LegId{leg}).empty(); }));
    failed = peer.log_.wait_for<LegFailed>(LegId{leg}, 0ms);
    if (!failed) opened.push_back(LegId{leg});
  }
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->cause, LegFailure::no_port);
  ASSERT_FALSE(opened.empty());
  const auto first = peer.log_.wait_for<LegOpened>(opened[0]);
  for (const auto& candidate : first->candidates) {
    EXPECT_TRUE(candidate.port == 20100 || candidate.port == 20101) << candidate.port;
  }
  // A port comes back with its leg.
  peer.io_.close(opened[0]);
  peer.io_.open({.leg = LegId{20}});
  EXPECT_TRUE(peer.log_.wait_for<LegOpened>(LegId{20}));
}

// This one lasts as long as the limit it shows (30 s).
TEST(LegTransport, APairThatNeverConnectsFailsInTime) {
  Peer peer(callee());
  peer.open();
  auto remote = peer.as_remote(DtlsRole::client);
  remote.candidates[0].port = 9;  // nobody answers there
  peer.io_.connect(peer.leg(), remote);
  const auto failed = peer.log_.wait_for<LegFailed>(peer.leg(), 60000ms);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->cause, LegFailure::ice_failed);
  // Its agent is gone with its sockets: no check is sent any more.
  const auto opened = peer.opened();
  EXPECT_TRUE(eventually([&] { return udp_socket_on(opened.candidates[0].port) < 0; }));
  peer.io_.close(peer.leg());
  EXPECT_TRUE(peer.log_.wait_for<LegClosed>(peer.leg()));
}

TEST(LegTransport, APeerThatIsGoneLosesItsConsent) {
  support::ShiftedClock clock;
  Peer a(caller()), b(callee());
  join(a, b);
  expect_connected(a, b);
  b.io_.close(b.leg());
  ASSERT_TRUE(b.log_.wait_for<LegClosed>(b.leg()));
  clock.let_pass(limits::kConsentLasts);
  a.io_.add_remote_candidates(a.leg(), {});  // wakes it up
  const auto failed = a.log_.wait_for<LegFailed>(a.leg());
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->cause, LegFailure::consent_lost);
  const auto sent = a.io_.counters().rtp_sent;
  const auto unsent = a.io_.counters().unsent;
  a.send_rtp(5);
  EXPECT_TRUE(eventually([&] { return a.io_.counters().unsent == unsent + 5; }));
  EXPECT_EQ(a.io_.counters().rtp_sent, sent);
}

TEST(LegTransport, ExternalAddressIsOfferedInPlaceOfTheHosts) {
  auto options = callee();
  options.ice.external_address = "192.0.2.7";
  Peer peer(options);
  peer.open();
  const auto opened = peer.opened();
  ASSERT_FALSE(opened.candidates.empty());
  for (const auto& candidate : opened.candidates) {
    EXPECT_EQ(candidate.ip, "192.0.2.7");
    EXPECT_GE(udp_socket_on(candidate.port), 0);  // the same port
  }
}

TEST(LegTransport, NoLoopbackAddressIsOfferedUnlessListed) {
  auto options = callee();
  options.ice.addresses.clear();
  Peer peer(options);
  peer.open();
  ASSERT_TRUE(eventually([&] { return !peer.log_.of(peer.leg()).empty(); }));
  if (const auto opened = peer.log_.wait_for<LegOpened>(peer.leg(), 0ms)) {
    for (const auto& candidate : opened->candidates) {
      EXPECT_FALSE(candidate.ip.starts_with("127.") || candidate.ip == "::1" ||
                   candidate.ip.starts_with("fe80"))
          << candidate.ip;
    }
  } else {  // a machine without any other address
    EXPECT_EQ(peer.log_.wait_for<LegFailed>(peer.leg())->cause, LegFailure::no_port);
  }
}

TEST(LegTransport, AtMostTwentyRemoteCandidatesReachIce) {
  Peer peer(callee());
  peer.open();
  auto remote = peer.as_remote(DtlsRole::client);
  remote.candidates.clear();
  for (std::uint16_t i = 0; i < 30; ++i) {
    auto& candidate = remote.candidates.emplace_back();
    candidate.foundation = "f";
    candidate.ip = "127.0.0.1";
    candidate.port = static_cast<std::uint16_t>(1000 + i);
  }
  peer.io_.connect(peer.leg(), remote);
  EXPECT_TRUE(eventually([&] { return peer.io_.counters().candidates_skipped == 10; }));
}

TEST(LegTransport, AnOddCertificateIsAcceptedWhenItsFingerprintMatches) {
  auto odd = caller();
  odd.certificate.version = 1;
  odd.certificate.not_before = std::chrono::hours(24);
  Peer a(odd), b(callee());
  join(a, b);
  expect_connected(a, b);
}

TEST(LegTransport, FallsBackToSha1WhenThePeerHasNothingElse) {
  auto dino = caller();
  dino.profiles = "SRTP_AES128_CM_SHA1_80";
  Peer a(dino), b(callee());
  join(a, b);
  expect_connected(a, b);
  b.send_rtp(3);
  EXPECT_TRUE(a.receiver_.wait_for_packets(3));
}

TEST(LegTransport, ForeignSsrcIsNotSent) {
  Peer a(caller()), b(callee());
  join(a, b);
  expect_connected(a, b);
  a.send(rtp_packet(0x9999, 1, 80));
  EXPECT_TRUE(eventually([&] { return a.io_.counters().unsent == 1; }));
  EXPECT_EQ(a.io_.counters().rtp_sent, 0U);
}

TEST(LegTransport, WhatTheSystemDoesNotTakeIsCounted) {
  Peer a(caller()), b(callee());
  join(a, b);
  expect_connected(a, b);
  const int socket_of_a = udp_socket_on(port_of(a.log_.wait_for<LegConnected>(a.leg())->local));
  ASSERT_GE(socket_of_a, 0);
  const int elsewhere = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  ASSERT_EQ(dup2(elsewhere, socket_of_a), socket_of_a);
  close(elsewhere);
  a.send_rtp(5);
  EXPECT_TRUE(eventually([&] { return a.io_.counters().refused == 5; }));
  EXPECT_EQ(a.io_.counters().rtp_sent, 0U);
}

// What a tick hands over is sent step by step, many packets at a time.
TEST(LegTransport, WhatComesAtOnceKeepsItsOrderAndWhatCannotGoIsLeftOut) {
  Peer a(caller()), b(callee());
  join(a, b);
  expect_connected(a, b);
  const LegId unconnected{8}, unknown{9};
  a.io_.open({.leg = unconnected, .ssrc = 0x8888});
  ASSERT_TRUE(a.log_.wait_for<LegOpened>(unconnected));
  constexpr std::uint16_t kPackets = 50;
  for (std::uint16_t i = 0; i < kPackets; ++i) {
    a.io_.enqueue(unconnected, rtp_packet(0x8888, i, 80), {});
    a.io_.enqueue(a.leg(), rtp_packet(0x1111, i, 80), {});
    a.io_.enqueue(unknown, rtp_packet(0x1111, i, 80), {});
    if (i % 5 == 0) a.io_.enqueue(a.leg(), rtp_packet(0x9999, i, 80), {});
  }
  a.io_.flush();
  ASSERT_TRUE(b.receiver_.wait_for_packets(kPackets));
  const auto received = b.receiver_.packets();
  for (std::uint16_t i = 0; i < kPackets; ++i) {
    EXPECT_EQ(received[i], rtp_packet(0x1111, i, 80)) << i;
  }
  EXPECT_TRUE(eventually([&] { return a.io_.counters().unsent == 2 * kPackets + kPackets / 5; }));
  EXPECT_TRUE(eventually([&] { return a.io_.counters().rtp_sent == kPackets; }))
      << "counted when they are gone, which is after they have come: " << a.io_.counters().rtp_sent;
}

TEST(LegTransport, DestroyingTheThreadClosesEveryLeg) {
  EventLog log;
  const DtlsIdentity identity;
  {
    IoThread io({.addresses = {"127.0.0.1"}}, identity,
                [&](Event event) { log.push(std::move(event)); });
    for (std::uint64_t leg = 1; leg <= 5; ++leg) io.open({.leg = LegId{leg}});
  }
  for (std::uint64_t leg = 1; leg <= 5; ++leg) EXPECT_EQ(log.count<LegClosed>(LegId{leg}), 1U);
}

TEST(LegTransport, AnAddressThatIsNoneIsRefusedAtOnce) {
  const DtlsIdentity identity;
  EXPECT_THROW(IoThread({.addresses = {"localhost"}}, identity, [](const Event&) {}),
               std::invalid_argument);
  EXPECT_THROW(IoThread({.deny_peers = {"10.0.0.0/33"}}, identity, [](const Event&) {}),
               std::invalid_argument);
}

}  // namespace
}  // namespace media::gst
