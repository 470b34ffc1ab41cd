#include "media/gst/dtls_srtp.h"

#include <gmock/gmock.h>

#include <deque>
#include <random>

#include "media/gst/srtp_session.h"
#include "media/gst/transport_limits.h"
#include "tests/media_gst/transport_peer.h"
#include "tests/support/shifted_clock.h"

namespace media::gst {
namespace {

using Bytes = std::vector<std::uint8_t>;
using State = DtlsSrtp::State;
using testing::Each;
using testing::SizeIs;
constexpr std::uint32_t kClientSsrc = 0x1111, kServerSsrc = 0x2222;

// Two associations with a wire of datagrams between them.
struct Pair {
  explicit Pair(const std::string& client_profiles = {}, DtlsIdentity::Certificate odd = {})
      : client_identity(odd) {
    if (!client_profiles.empty()) client_identity.set_profiles(client_profiles);
    make(client_identity.fingerprint(), server_identity.fingerprint());
  }
  void make(DtlsFingerprint of_client, DtlsFingerprint of_server) {
    client = std::make_unique<DtlsSrtp>(
        client_identity, DtlsRole::client, std::move(of_server), kClientSsrc,
        [this](auto datagram) { to_server.emplace_back(datagram.begin(), datagram.end()); });
    server = std::make_unique<DtlsSrtp>(
        server_identity, DtlsRole::server, std::move(of_client), kServerSsrc,
        [this](auto datagram) { to_client.emplace_back(datagram.begin(), datagram.end()); });
  }
  void deliver() {
    while (!to_server.empty() || !to_client.empty()) {
      if (!to_server.empty()) {
        const auto datagram = take(to_server);
        server->receive(datagram);
      }
      if (!to_client.empty()) {
        const auto datagram = take(to_client);
        client->receive(datagram);
      }
    }
  }
  void handshake() {
    client->start();
    server->start();
    deliver();
  }
  Bytes take(std::deque<Bytes>& queue) {
    auto datagram = std::move(queue.front());
    queue.pop_front();
    seen.push_back(datagram);
    return datagram;
  }

  DtlsIdentity client_identity, server_identity;
  std::unique_ptr<DtlsSrtp> client, server;
  std::deque<Bytes> to_server, to_client;
  std::vector<Bytes> seen;
};

Bytes protect(DtlsSrtp& by, Bytes packet) {
  const auto size = packet.size();
  packet.resize(size + DtlsSrtp::kTrailer);
  const auto length = by.protect_rtp(packet, size);
  EXPECT_TRUE(length);
  packet.resize(length.value_or(0));
  return packet;
}

std::optional<Bytes> unprotect(DtlsSrtp& by, Bytes packet) {
  const auto length = by.unprotect_rtp(packet);
  if (!length) return std::nullopt;
  packet.resize(*length);
  return packet;
}

void expect_media_both_ways(Pair& pair) {
  const auto up = rtp_packet(kClientSsrc, 1, 100), down = rtp_packet(kServerSsrc, 9, 60);
  const auto sealed = protect(*pair.client, up);
  EXPECT_NE(sealed, up);
  EXPECT_EQ(unprotect(*pair.server, sealed), up);
  EXPECT_EQ(unprotect(*pair.client, protect(*pair.server, down)), down);
}

TEST(DtlsSrtp, KeysComeOutOfTheHandshakePreferringGcm) {
  Pair pair;
  pair.handshake();
  ASSERT_EQ(pair.client->state(), State::connected) << pair.client->error();
  ASSERT_EQ(pair.server->state(), State::connected) << pair.server->error();
  EXPECT_EQ(pair.client->profile(), "SRTP_AEAD_AES_128_GCM");
  EXPECT_EQ(pair.server->profile(), "SRTP_AEAD_AES_128_GCM");
  expect_media_both_ways(pair);
  for (const auto& datagram : pair.seen) EXPECT_LE(datagram.size(), limits::kDtlsMtu);
}

TEST(DtlsSrtp, TakesSha1WhenThePeerOffersNothingElse) {
  Pair pair("SRTP_AES128_CM_SHA1_80");
  pair.handshake();
  ASSERT_EQ(pair.server->state(), State::connected);
  EXPECT_EQ(pair.server->profile(), "SRTP_AES128_CM_SHA1_80");
  expect_media_both_ways(pair);
}

TEST(DtlsSrtp, FailsWithoutAProfileInCommon) {
  Pair pair("SRTP_AES128_CM_SHA1_32");
  pair.handshake();
  EXPECT_EQ(pair.client->state(), State::failed);
  EXPECT_EQ(pair.server->state(), State::failed);
}

TEST(DtlsSrtp, AnOddCertificateCountsByItsFingerprintAlone) {
  Pair pair(
      {},
      {.version = 1, .not_before = std::chrono::hours(24), .not_after = std::chrono::hours(48)});
  pair.handshake();
  EXPECT_EQ(pair.server->state(), State::connected) << pair.server->error();
  Pair expired(
      {},
      {.version = 3, .not_before = -std::chrono::hours(48), .not_after = -std::chrono::hours(24)});
  expired.handshake();
  EXPECT_EQ(expired.server->state(), State::connected) << expired.server->error();
}

TEST(DtlsSrtp, WrongFingerprintOfTheClientGivesNoKeysOnEitherSide) {
  Pair pair;
  pair.make(pair.server_identity.fingerprint(), pair.server_identity.fingerprint());
  pair.handshake();
  EXPECT_EQ(pair.server->state(), State::fingerprint_mismatch);
  EXPECT_EQ(pair.client->state(), State::failed);  // told by an alert
  Bytes packet = rtp_packet(kServerSsrc, 1, 100);
  packet.resize(packet.size() + DtlsSrtp::kTrailer);
  EXPECT_FALSE(pair.server->protect_rtp(packet, 112));
  EXPECT_FALSE(pair.server->unprotect_rtp(packet));
}

TEST(DtlsSrtp, WrongFingerprintOfTheServerGivesNoKeysOnEitherSide) {
  Pair pair;
  pair.make(pair.client_identity.fingerprint(), pair.client_identity.fingerprint());
  pair.handshake();
  EXPECT_EQ(pair.client->state(), State::fingerprint_mismatch);
  EXPECT_EQ(pair.server->state(), State::failed);
}

TEST(DtlsSrtp, FingerprintsAreComparedWithoutCaseAndByStrongHashesOnly) {
  {
    Pair pair;
    auto lower = pair.client_identity.fingerprint();
    for (auto& c : lower.value) c = static_cast<char>(std::tolower(c));
    lower.hash = "SHA-256";
    pair.make(lower, pair.server_identity.fingerprint());
    pair.handshake();
    EXPECT_EQ(pair.server->state(), State::connected);
  }
  for (const auto* hash : {"sha-1", "md5", "sha-512", ""}) {  // the value is of sha-256
    Pair pair;
    pair.make({hash, pair.client_identity.fingerprint().value}, pair.server_identity.fingerprint());
    pair.handshake();
    EXPECT_EQ(pair.server->state(), State::fingerprint_mismatch) << hash;
  }
}

// Chromium's ClientHello does not fit one datagram.
TEST(DtlsSrtp, ClientHelloInTwoDatagramsIsPutTogether) {
  Pair pair;
  pair.client->start();
  ASSERT_THAT(pair.to_server, SizeIs(1));
  const auto hello = pair.take(pair.to_server);
  constexpr std::size_t kRecord = 13, kHandshake = 12;
  ASSERT_GT(hello.size(), kRecord + kHandshake + 100);
  const auto body = hello.size() - kRecord - kHandshake;
  const auto fragment = [&](std::size_t offset, std::size_t length, std::uint8_t sequence) {
    Bytes out(kRecord + kHandshake + length);
    std::copy_n(hello.begin(), kRecord + kHandshake, out.begin());
    std::copy_n(hello.begin() + static_cast<std::ptrdiff_t>(kRecord + kHandshake + offset), length,
                out.begin() + kRecord + kHandshake);
    out[10] = sequence;  // of the record; the client's own go on at 1
    out[11] = static_cast<std::uint8_t>((length + kHandshake) >> 8);
    out[12] = static_cast<std::uint8_t>(length + kHandshake);
    for (unsigned i = 0; i < 3; ++i) {
      out[19 + i] = static_cast<std::uint8_t>(offset >> (16 - 8 * i));
      out[22 + i] = static_cast<std::uint8_t>(length >> (16 - 8 * i));
    }
    return out;
  };
  pair.server->start();
  pair.server->receive(fragment(0, 90, 30));
  EXPECT_TRUE(pair.to_client.empty());
  pair.server->receive(fragment(90, body - 90, 31));
  EXPECT_FALSE(pair.to_client.empty());
  pair.deliver();
  EXPECT_EQ(pair.server->state(), State::connected) << pair.server->error();
  EXPECT_EQ(pair.client->state(), State::connected) << pair.client->error();
  expect_media_both_ways(pair);
}

TEST(DtlsSrtp, ALostFlightIsSentAgain) {
  Pair pair;
  pair.client->start();
  pair.to_server.clear();
  ASSERT_TRUE(pair.client->timeout());
  ASSERT_TRUE(eventually([&] {
    pair.client->on_timeout();
    return !pair.to_server.empty();
  }));
  pair.deliver();
  EXPECT_EQ(pair.server->state(), State::connected);
  EXPECT_FALSE(pair.client->timeout());
}

TEST(DtlsSrtp, TheLastFlightIsSentAgainByOneWhoIsDone) {
  Pair pair;
  pair.client->start();
  pair.server->start();
  while (pair.server->state() != State::connected) {
    ASSERT_FALSE(pair.to_server.empty() && pair.to_client.empty());
    if (!pair.to_server.empty()) {
      pair.server->receive(pair.take(pair.to_server));
    } else {
      pair.client->receive(pair.take(pair.to_client));
    }
  }
  pair.to_client.clear();
  EXPECT_EQ(pair.client->state(), State::handshaking);
  ASSERT_TRUE(eventually([&] {
    pair.client->on_timeout();
    return !pair.to_server.empty();
  }));
  pair.deliver();
  EXPECT_EQ(pair.client->state(), State::connected);
  expect_media_both_ways(pair);
}

// OpenSSL's timer goes by the wall clock. Law: whichever datagram is lost and whatever becomes of
// that clock then, its sender's time-out brings it again; the last one, which the server is done
// with, the client's.
TEST(DtlsSrtp, AClockThatIsSetWhileAFlightIsLostDelaysNothing) {
  using namespace std::chrono_literals;
  Pair undisturbed;
  undisturbed.handshake();
  for (const auto step : {-1h, 0h, 1h}) {
    for (std::size_t lost = 0; lost < undisturbed.seen.size(); ++lost) {
      SCOPED_TRACE(testing::Message() << "datagram " << lost << ", " << step.count() << " h");
      support::ShiftedClock clock;
      Pair pair;
      pair.client->start();
      pair.server->start();
      DtlsSrtp* sender = nullptr;
      const auto pass_on = [&](std::deque<Bytes>& queue, DtlsSrtp& from, DtlsSrtp& to) {
        if (queue.empty()) return;
        const auto datagram = pair.take(queue);
        if (pair.seen.size() != lost + 1) {
          to.receive(datagram);
        } else {
          sender = &from;
          clock.step_wall_clock(step);
        }
      };
      const auto pass_all = [&] {
        while (!pair.to_server.empty() || !pair.to_client.empty()) {
          pass_on(pair.to_server, *pair.client, *pair.server);
          pass_on(pair.to_client, *pair.server, *pair.client);
        }
      };
      pass_all();
      ASSERT_TRUE(sender);
      DtlsSrtp& waits = sender->timeout() ? *sender : *pair.client;
      ASSERT_TRUE(waits.timeout());
      EXPECT_LE(*waits.timeout(), 1s);
      waits.on_timeout();
      pass_all();
      ASSERT_EQ(pair.client->state(), State::connected);
      ASSERT_EQ(pair.server->state(), State::connected);
    }
  }
}

// Law: garbage before, between and after the flights changes nothing.
TEST(DtlsSrtp, RandomDatagramsDoNotDisturbAHandshakeOrACall) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto garbage = [&] {
    Bytes bytes(1 + random() % 300);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    // Half of them with a content type, version and length that look right, of no epoch in use.
    if (bytes.size() > 13 && random() % 2 == 0) {
      bytes[0] = static_cast<std::uint8_t>(20 + random() % 44);
      bytes[1] = 0xfe;
      bytes[2] = 0xfd;
      bytes[3] = 0x7f;
      bytes[11] = 0;
      bytes[12] = static_cast<std::uint8_t>(bytes.size() - 13);
    }
    return bytes;
  };
  Pair pair;
  pair.client->start();
  pair.server->start();
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) {
      pair.client->receive(garbage());
      pair.server->receive(garbage());
    }
    if (!pair.to_server.empty()) pair.server->receive(pair.take(pair.to_server));
    if (!pair.to_client.empty()) pair.client->receive(pair.take(pair.to_client));
  }
  pair.deliver();
  ASSERT_EQ(pair.client->state(), State::connected) << pair.client->error();
  ASSERT_EQ(pair.server->state(), State::connected) << pair.server->error();
  for (const auto& datagram : std::vector(pair.seen)) {  // all again: a renegotiation attempt too
    pair.server->receive(datagram);
    pair.client->receive(datagram);
  }
  for (int i = 0; i < 1000; ++i) pair.server->receive(garbage());
  EXPECT_EQ(pair.server->state(), State::connected);
  expect_media_both_ways(pair);
}

TEST(DtlsSrtp, CloseNotifyLeavesTheCallAlone) {
  Pair pair;
  pair.handshake();
  pair.client->close();
  EXPECT_FALSE(pair.to_server.empty());
  pair.deliver();
  EXPECT_EQ(pair.server->state(), State::connected);
  expect_media_both_ways(pair);
  pair.server->receive(Bytes{22, 0xfe, 0xfd});
  pair.server->close();
  EXPECT_FALSE(pair.to_client.empty());
}

// Law: of a protected packet, no byte may be changed and no length cut.
TEST(DtlsSrtp, TamperedPacketsAreRefusedAndChangeNothing) {
  for (const auto* profile : {"SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"}) {
    Pair pair(profile);
    pair.handshake();
    const auto good = protect(*pair.client, rtp_packet(kClientSsrc, 1, 40));
    for (std::size_t i = 0; i < good.size(); ++i) {
      auto bad = good;
      bad[i] ^= 0x04;
      EXPECT_FALSE(unprotect(*pair.server, bad)) << profile << " byte " << i;
      EXPECT_FALSE(unprotect(*pair.server,
                             Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i))));
    }
    EXPECT_TRUE(unprotect(*pair.server, good));
    EXPECT_FALSE(unprotect(*pair.server, good)) << "replayed";
  }
}

TEST(DtlsSrtp, RtcpIsProtectedToo) {
  Pair pair;
  pair.handshake();
  Bytes report{0x80, 201, 0, 1, 0, 0, 0x11, 0x11};
  report.resize(8 + DtlsSrtp::kTrailer);
  const auto length = pair.client->protect_rtcp(report, 8);
  ASSERT_TRUE(length);
  report.resize(*length);
  auto bad = report;
  bad.back() ^= 1;
  EXPECT_FALSE(pair.server->unprotect_rtcp(bad));
  const auto plain = pair.server->unprotect_rtcp(report);
  ASSERT_TRUE(plain);
  EXPECT_EQ(*plain, 8U);
  EXPECT_EQ(report[7], 0x11);
}

TEST(SrtpSession, APeersSourcesAreBounded) {
  start_srtp();
  const auto profile = SrtpProfile::aead_aes_128_gcm;
  const Bytes one(28, 1), two(28, 2);
  SrtpSession receiver(profile, {.send = one, .receive = two}, 1);
  for (std::uint32_t ssrc = 100; ssrc < 200; ++ssrc) {
    SrtpSession sender(profile, {.send = two, .receive = one}, ssrc);
    auto packet = rtp_packet(ssrc, 1, 20);
    const auto size = packet.size();
    packet.resize(size + DtlsSrtp::kTrailer);
    packet.resize(*sender.protect_rtp(packet, size));
    EXPECT_TRUE(receiver.unprotect_rtp(packet)) << ssrc;
    EXPECT_LE(receiver.peer_ssrcs(), limits::kPeerSsrcs);
  }
  auto forged = rtp_packet(999, 1, 40);
  EXPECT_FALSE(receiver.unprotect_rtp(forged));
  EXPECT_EQ(receiver.peer_ssrcs(), limits::kPeerSsrcs);
}

TEST(SrtpSession, ReorderingWithinTheWindowIsAccepted) {
  start_srtp();
  const auto profile = SrtpProfile::aes128_cm_sha1_80;
  const Bytes key(30, 3);
  SrtpSession sender(profile, {.send = key, .receive = key}, 5);
  SrtpSession receiver(profile, {.send = key, .receive = key}, 6);
  std::vector<Bytes> packets;
  for (std::uint16_t i = 0; i < 130; ++i) {
    auto packet = rtp_packet(5, i, 20);
    const auto size = packet.size();
    packet.resize(size + DtlsSrtp::kTrailer);
    packet.resize(*sender.protect_rtp(packet, size));
    packets.push_back(packet);
  }
  std::vector<bool> accepted;
  for (auto packet = packets.rbegin(); packet != packets.rend(); ++packet) {
    accepted.push_back(receiver.unprotect_rtp(*packet).has_value());
  }
  EXPECT_THAT(accepted, Each(true));
}

TEST(DtlsIdentity, FingerprintIsSha256InPairs) {
  const DtlsIdentity identity, other;
  EXPECT_EQ(identity.fingerprint().hash, "sha-256");
  EXPECT_THAT(identity.fingerprint().value, SizeIs(32 * 3 - 1));
  EXPECT_NE(identity.fingerprint().value, other.fingerprint().value);
}

}  // namespace
}  // namespace media::gst
