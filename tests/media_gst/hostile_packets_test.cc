// What strangers and peers gone wrong may send to a leg's media port during a call.
#include <gtest/gtest.h>

#include <random>

#include "tests/media_gst/transport_peer.h"
#include "tests/support/seed.h"

namespace media::gst {
namespace {

using Bytes = std::vector<std::uint8_t>;

class HostilePackets : public testing::Test {
 protected:
  HostilePackets()
      : seed_(test_support::test_seed()),
        random_(seed_),
        a_({.leg = LegId{1}, .ssrc = 0x1111, .controlling = true}),
        b_({.leg = LegId{2}, .ssrc = 0x2222}) {
    RecordProperty("seed", std::to_string(seed_));
  }
  void SetUp() override {
    join(a_, b_);
    expect_connected(a_, b_);
    const auto connected = b_.log_.wait_for<LegConnected>(b_.leg());
    port_a_ = port_of(connected->remote);
    port_b_ = port_of(connected->local);
  }
  // The call goes on: sound arrives, and nothing was reported. (A flood fills the socket's buffer,
  // so single packets may be lost like anywhere else.)
  void expect_unharmed() {
    const auto before = b_.receiver_.packets().size();
    EXPECT_TRUE(eventually([&] {
      a_.send_rtp(1, next_++);
      return b_.receiver_.packets().size() >= before + 20;
    })) << "seed "
        << seed_;
    for (const auto& packet : b_.receiver_.packets()) {
      ASSERT_EQ(packet,
                rtp_packet(0x1111, static_cast<std::uint16_t>(packet[2] << 8 | packet[3]), 80));
    }
    EXPECT_EQ(b_.log_.count<LegFailed>(b_.leg()), 0U) << "seed " << seed_;
    EXPECT_EQ(b_.log_.count<LegConnected>(b_.leg()), 1U);
  }
  Bytes random_bytes(std::size_t least, std::size_t most) {
    Bytes bytes(least + random_() % (most - least + 1));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    return bytes;
  }
  // STUN with the right cookie and lengths that mostly fit, then attributes at random.
  Bytes stun_like() {
    auto bytes = random_bytes(20, 200);
    bytes.resize(bytes.size() / 4 * 4);
    static constexpr std::uint8_t kTypes[][2] = {{0, 1}, {1, 1}, {1, 0x11}, {0, 0x11}, {0, 3}};
    const auto& type = kTypes[random_() % std::size(kTypes)];
    bytes[0] = type[0];
    bytes[1] = type[1];
    const auto length = bytes.size() - 20 + (random_() % 10 == 0 ? random_() % 64 : 0);
    bytes[2] = static_cast<std::uint8_t>(length >> 8);
    bytes[3] = static_cast<std::uint8_t>(length);
    const Bytes cookie{0x21, 0x12, 0xa4, 0x42};
    std::copy(cookie.begin(), cookie.end(), bytes.begin() + 4);
    static constexpr std::uint8_t kAttributes[] = {0x06, 0x08, 0x09, 0x20, 0x24, 0x25, 0x2a};
    for (std::size_t at = 20; at + 4 <= bytes.size(); at += 4 + 4 * (random_() % 6)) {
      bytes[at] = random_() % 4 == 0 ? 0x80 : 0;
      bytes[at + 1] = kAttributes[random_() % std::size(kAttributes)];
      bytes[at + 2] = 0;
      bytes[at + 3] = static_cast<std::uint8_t>(random_() % 24);
    }
    return bytes;
  }
  void from_peer(const Bytes& datagram) {
    ASSERT_TRUE(send_from_port(port_a_, "127.0.0.1", port_b_, datagram));
  }
  // The I/O thread has read everything that was sent to it before.
  void settle() { expect_unharmed(); }

  unsigned seed_;
  std::mt19937 random_;
  Peer a_, b_;
  std::uint16_t port_a_ = 0, port_b_ = 0, next_ = 0;
};

TEST_F(HostilePackets, TenThousandClientHellosFromOffThePathReachNoAssociation) {
  // A real one, as a client of another leg would begin.
  Bytes hello;
  const DtlsIdentity stranger;
  DtlsSrtp client(stranger, DtlsRole::client, stranger.fingerprint(), 1,
                  [&](auto datagram) { hello.assign(datagram.begin(), datagram.end()); });
  client.start();
  ASSERT_FALSE(hello.empty());
  const auto before = b_.io_.counters().dtls_received;
  for (int i = 0; i < 10000; ++i) ASSERT_TRUE(send_off_path("127.0.0.1", port_b_, hello));
  expect_unharmed();
  EXPECT_EQ(b_.io_.counters().dtls_received, before);
}

TEST_F(HostilePackets, AClientHelloFromThePeersOwnAddressChangesNothing) {
  Bytes hello;
  const DtlsIdentity stranger;
  DtlsSrtp client(stranger, DtlsRole::client, stranger.fingerprint(), 1,
                  [&](auto datagram) { hello.assign(datagram.begin(), datagram.end()); });
  client.start();
  const auto before = b_.io_.counters().dtls_received;
  for (int i = 0; i < 100; ++i) from_peer(hello);
  EXPECT_TRUE(eventually([&] { return b_.io_.counters().dtls_received >= before + 100; }));
  expect_unharmed();
}

TEST_F(HostilePackets, RandomBytesFromAnywhereChangeNothing) {
  for (int i = 0; i < 5000; ++i) {
    send_off_path("127.0.0.1", port_b_, random_bytes(0, 1400));
    from_peer(random_bytes(1, 1400));
    if (i % 500 == 0) settle();
  }
  expect_unharmed();
  const auto counters = b_.io_.counters();
  EXPECT_GT(counters.junk, 0U);
  EXPECT_GT(counters.srtp_rejected, 0U);
}

TEST_F(HostilePackets, WrongTagsAreCountedAndNothingElse) {
  for (std::uint16_t i = 0; i < 2000; ++i) {
    auto packet = rtp_packet(0x1111, static_cast<std::uint16_t>(40000 + i), 96);
    if (i % 4 == 0) packet[1] = 200;  // as RTCP
    from_peer(packet);
    if (i % 200 == 0) settle();
  }
  expect_unharmed();
  EXPECT_GT(b_.io_.counters().srtp_rejected, 1000U);
}

TEST_F(HostilePackets, HeadersWhoseLengthsLieAreRefused) {
  for (int first = 128; first < 192; ++first) {
    for (const std::size_t size : {1U, 2U, 7U, 8U, 11U, 12U, 13U, 30U}) {
      auto packet = random_bytes(size, size);
      packet[0] = static_cast<std::uint8_t>(first);
      from_peer(packet);
    }
    if (first % 16 == 0) settle();
  }
  expect_unharmed();
}

TEST_F(HostilePackets, StunGoneWrongDoesNotStopTheAgent) {
  for (int i = 0; i < 10000; ++i) {
    const auto packet = stun_like();
    if (i % 2 == 0) {
      send_off_path("127.0.0.1", port_b_, packet);
    } else {
      from_peer(packet);
    }
    if (i % 500 == 0) settle();
  }
  expect_unharmed();
}

// Whatever a datagram is, but STUN: one counter has it, and one only.
TEST_F(HostilePackets, EachDatagramIsCountedInOnePlace) {
  const auto counted = [this] {
    const auto c = b_.io_.counters();
    return c.rtp_received + c.rtcp_received + c.dtls_received + c.srtp_rejected + c.junk + c.early;
  };
  // RTCP of their own comes now and then, and counts.
  const auto reports = [this] { return b_.io_.counters().rtcp_received; };
  for (int round = 0; round < 200; ++round) {
    const auto before = counted() - reports();
    constexpr std::size_t kAtOnce = 10;  // they wait in the socket's buffer
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      auto datagram = random_bytes(1, 1600);
      if (datagram[0] < 4) datagram[0] = static_cast<std::uint8_t>(4 + random_() % 252);
      // A TURN server's, which is libnice's to look at.
      if (datagram[0] >= 0x40 && datagram[0] < 0x80) datagram[0] |= 0x80;
      from_peer(datagram);
    }
    a_.send_rtp(1, next_++);
    ASSERT_TRUE(eventually([&] { return counted() - reports() >= before + kAtOnce + 1; }))
        << "seed " << seed_;
    ASSERT_EQ(counted() - reports(), before + kAtOnce + 1) << "seed " << seed_;
  }
  expect_unharmed();
}

TEST_F(HostilePackets, DatagramsLongerThanAnyPacketAreJunk) {
  const auto before = b_.io_.counters().junk;
  from_peer(Bytes(1473, 0x80));
  from_peer(Bytes(60000, 0x80));
  EXPECT_TRUE(eventually([&] { return b_.io_.counters().junk == before + 2; }));
  expect_unharmed();
}

}  // namespace
}  // namespace media::gst
