// What one caller may do to the others in the room: nothing that they hear.
#include <gtest/gtest.h>

#include <thread>

#include "media/gst/transport_limits.h"
#include "tests/media_gst/hostile_peer.h"
#include "tests/media_gst/room_of_three.h"
#include "tests/support/sanitized.h"

namespace media::gst {
namespace {

using namespace std::chrono_literals;
using support::IceEnd;

constexpr LegId kHostile = HostilePeer::kLeg;

class HostileRoom : public testing::Test {
 protected:
  void dial_in(const LegRemote& half) {
    peer_.dial_in(half);
    room_.plan({kHostile});
  }
  void connect() {
    peer_.connect();
    room_.plan({kHostile});
  }

  RoomOfThree room_;
  HostilePeer peer_{room_.mixer, RoomOfThree::kRoom};
};

TEST_F(HostileRoom, NobodyHearsAGapWhenACertificateIsNotTheOneAnnounced) {
  const DtlsIdentity other;
  dial_in(peer_.half(other.fingerprint()));
  peer_.start_dtls();
  EXPECT_TRUE(peer_.serve([&] { return room_.mixer.log.count<LegFailed>(kHostile) > 0; }));
  EXPECT_EQ(room_.mixer.log.wait_for<LegFailed>(kHostile)->cause, LegFailure::fingerprint_mismatch);
  peer_.hang_up();
  EXPECT_TRUE(room_.listen());
  room_.expect_no_gap();
}

// RFC 5246 §7.2.1. Who hangs up says so in Jingle; the keys that were agreed on stay good.
TEST_F(HostileRoom, CloseNotifyInTheMiddleOfACallEndsNothing) {
  connect();
  peer_.dtls->close();
  for (int i = 0; i < 100; ++i) {
    peer_.say(1500);
    while (const auto datagram = peer_.end.receive(15ms)) peer_.take(*datagram);
  }
  EXPECT_GT(room_.level_of(1500), -30) << "the tone of who said close_notify is not heard";
  EXPECT_EQ(room_.mixer.log.count<LegFailed>(kHostile), 0U);
  peer_.hang_up();
  EXPECT_TRUE(room_.listen());
  room_.expect_no_gap();
}

TEST_F(HostileRoom, NobodyHearsAGapWhenTenThousandChecksASecondComeIn) {
  connect();
  const auto check = peer_.end.check();
  auto next = std::chrono::steady_clock::now();
  const int milliseconds = test_support::kSanitized ? 300 : 3000;
  for (int i = 0; i < milliseconds; ++i) {
    for (int k = 0; k < 10; ++k) peer_.end.send(check);
    while (const auto datagram = peer_.end.receive(0ms)) peer_.take(*datagram);
    std::this_thread::sleep_until(next += 1ms);
  }
  EXPECT_EQ(room_.mixer.log.count<LegFailed>(kHostile), 0U);
  peer_.hang_up();
  EXPECT_TRUE(room_.listen());
  room_.expect_no_gap();
}

TEST_F(HostileRoom, NobodyHearsAGapWhenAPeerRestartsEverySecondAndNeverConnects) {
  connect();
  for (int i = 0; i < 5; ++i) {
    room_.mixer.engine->restart_ice(
        kHostile, IceCredentials{"restart" + std::to_string(i), std::string(24, 'p')});
    EXPECT_TRUE(room_.listen());  // a second
  }
  peer_.hang_up();
  EXPECT_TRUE(room_.listen());
  room_.expect_no_gap();
}

// Before there is a pair: afterwards libnice checks none of them. The first few are checked; the
// one after as many as are allowed stands before all others (RFC 8445 §6.1.2.3), and yet hears
// nothing.
TEST_F(HostileRoom, SixtyFourThousandCandidatesAreSkippedUnheard) {
  dial_in(peer_.half(peer_.identity.fingerprint()));
  IceEnd first, skipped;
  std::vector<IceCandidate> many(64);
  for (int i = 0; i < 1000; ++i) {
    for (std::size_t k = 0; k < many.size(); ++k) {
      many[k].foundation = std::to_string(k);
      many[k].ip = "127.0.0." + std::to_string(1 + i % 250);
      many[k].port = static_cast<std::uint16_t>(1024 + 64 * i + static_cast<int>(k));
      many[k].priority = 1;
    }
    if (i == 0) {
      many[0].port = first.port();
      many[0].priority = 2147483646;
      many[limits::kRemoteCandidates].port = skipped.port();
      many[limits::kRemoteCandidates].priority = 2147483647;
    }
    room_.mixer.engine->add_remote_candidates(kHostile, many);
  }
  EXPECT_TRUE(first.receive(kPatience));
  EXPECT_TRUE(room_.listen());
  peer_.start_dtls();
  EXPECT_TRUE(peer_.serve([&] { return peer_.connected(); }));
  peer_.hang_up();
  EXPECT_FALSE(skipped.receive(0ms));
  EXPECT_EQ(room_.mixer.log.count<LegFailed>(kHostile), 0U);
  EXPECT_TRUE(room_.listen());
  room_.expect_no_gap();
}

}  // namespace
}  // namespace media::gst
