#include "media/gst/ice_agent.h"

#include <gtest/gtest.h>

#include "media/gst/ice_gate.h"
#include "media/gst/transport_limits.h"
#include "tests/media_gst/ice_side.h"
#include "tests/media_gst/transport_peer.h"
#include "tests/support/shifted_clock.h"
#include "tests/support/stun.h"

namespace media::gst {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using support::Bytes;
using support::IceEnd;
using support::Stun;

class IceAgents : public TurnedByHand {
 protected:
  static void introduce(Side& from, Side& to) {
    ASSERT_TRUE(to.agent.set_remote_credentials(from.agent.credentials()));
    EXPECT_EQ(to.agent.add_remote_candidates(from.candidates), 0U);
  }
  bool connect(Side& a, Side& b) {
    if (!a.agent.gather() || !b.agent.gather()) return false;
    introduce(a, b);
    introduce(b, a);
    return turn_until([&] { return a.connected > 0 && b.connected > 0; });
  }
  // Until the pair of `a` and `end`, which is made by hand, is selected.
  bool connect(Side& a, IceEnd& end) {
    if (!a.agent.gather() || !a.agent.set_remote_credentials({end.ufrag, end.pwd})) return false;
    const auto credentials = a.agent.credentials();
    const auto& at = a.candidates.at(0);
    end.other = {credentials.ufrag, credentials.pwd, at.ip, at.port};
    end.send(end.check());
    const auto answer = [&] {
      while (const auto datagram = end.receive(0ms)) {
        if (support::stun_type(*datagram) == Stun::kRequest) end.send(end.success(*datagram));
      }
      return a.connected > 0;
    };
    const bool connected = turn_until(answer);
    for (int i = 0; i < 100; ++i) {  // until there is nothing but consent checks
      clock_.let_pass(100ms);
      turn_until(answer);
    }
    turn();
    return connected;
  }
  // What comes next at `end` of that type.
  Bytes next(IceEnd& end, std::uint16_t type) {
    Bytes found;
    EXPECT_TRUE(turn_until([&] {
      while (const auto datagram = end.receive(0ms)) {
        if (support::stun_type(*datagram) == type) found = *datagram;
      }
      return !found.empty();
    }));
    return found;
  }
  Bytes next_consent_check(IceEnd& end) {
    clock_.let_pass(6s);
    return next(end, Stun::kRequest);
  }

  support::ShiftedClock clock_;
};

TEST_F(IceAgents, SendOverTheSelectedSocketAndThroughTheAgentAlike) {
  Side a(context_.get(), true, loopback_), b(context_.get(), false, loopback_);
  ASSERT_TRUE(connect(a, b));
  EXPECT_TRUE(a.agent.send(1, Bytes{0x80, 1}));
  a.agent.always_through_agent(true);
  EXPECT_TRUE(a.agent.send(1, Bytes{0x80, 2}));
  ASSERT_TRUE(turn_until([&] { return b.received.size() == 2; }));
  EXPECT_EQ(b.received[0], (Bytes{0x80, 1}));
  EXPECT_EQ(b.received[1], (Bytes{0x80, 2}));
}

TEST_F(IceAgents, NothingIsSentBeforeAPairIsConnected) {
  Side a(context_.get(), true, loopback_);
  ASSERT_TRUE(a.agent.gather());
  EXPECT_FALSE(a.agent.send(1, Bytes{0x80, 1}));
}

TEST_F(IceAgents, WrongCredentialsNeverConnect) {
  Side a(context_.get(), true, loopback_), b(context_.get(), false, loopback_);
  ASSERT_TRUE(a.agent.gather());
  ASSERT_TRUE(b.agent.gather());
  introduce(a, b);
  auto wrong = b.agent.credentials();
  wrong.pwd[0] = wrong.pwd[0] == 'x' ? 'y' : 'x';
  ASSERT_TRUE(a.agent.set_remote_credentials(wrong));
  a.agent.add_remote_candidates(b.candidates);
  // Checks are paced by timers: after so many wake-ups each side has sent some and read the
  // answers.
  for (int i = 0; i < 100; ++i) g_main_context_iteration(context_.get(), TRUE);
  EXPECT_EQ(a.connected, 0);
}

TEST_F(IceAgents, CredentialsOfNoUseAreRefused) {
  Side a(context_.get(), false, loopback_);
  ASSERT_TRUE(a.agent.gather());
  EXPECT_FALSE(a.agent.set_remote_credentials({.ufrag = "", .pwd = "p"}));
  EXPECT_FALSE(a.agent.set_remote_credentials({.ufrag = "u", .pwd = ""}));
  EXPECT_FALSE(a.agent.set_remote_credentials({.ufrag = std::string(257, 'u'), .pwd = "p"}));
  EXPECT_FALSE(a.agent.set_remote_credentials({.ufrag = "u", .pwd = std::string(100000, 'p')}));
  EXPECT_TRUE(a.agent.set_remote_credentials(
      {.ufrag = std::string(256, 'u'), .pwd = std::string(256, 'p')}));
}

TEST_F(IceAgents, OddCandidatesAreSkippedOrHarmless) {
  Side a(context_.get(), false, loopback_);
  ASSERT_TRUE(a.agent.gather());
  ASSERT_TRUE(a.agent.set_remote_credentials({.ufrag = "ufra", .pwd = "passwordpasswordpassword"}));
  auto odd = a.candidates.at(0);
  EXPECT_EQ(a.agent.add_remote_candidates({odd}), 1U);  // our own socket
  odd.port++;
  odd.component = 2;
  EXPECT_EQ(a.agent.add_remote_candidates({odd}), 1U);  // no such component
  odd.component = -1;
  EXPECT_EQ(a.agent.add_remote_candidates({odd}), 1U);
  odd.component = 1;
  odd.foundation = std::string(5000, 'f');
  odd.priority = 0;
  EXPECT_EQ(a.agent.add_remote_candidates({odd}), 0U);
  odd.priority = 0xffffffff;
  odd.type = CandidateType::relay;
  EXPECT_EQ(a.agent.add_remote_candidates({odd}), 0U);
  odd.ip = "::1";
  odd.port = 65535;
  odd.type = CandidateType::prflx;
  EXPECT_EQ(a.agent.add_remote_candidates({odd}), 0U);
  for (int i = 0; i < 50; ++i) turn_until([] { return true; });
}

// RFC 7675 §5.2: a peer that has withdrawn its consent answers checks with 403.
TEST_F(IceAgents, WithdrawnConsentFailsAndStopsSending) {
  Side a(context_.get(), false, loopback_);
  IceEnd end;
  ASSERT_TRUE(connect(a, end));
  ASSERT_TRUE(a.agent.send(1, Bytes{0x80, 1}));
  end.send(end.refusal(next_consent_check(end), 403));
  ASSERT_TRUE(turn_until([&] { return a.failed > 0; }));
  EXPECT_FALSE(a.agent.send(1, Bytes{0x80, 1}));
  a.agent.always_through_agent(true);
  EXPECT_FALSE(a.agent.send(1, Bytes{0x80, 1}));
}

// RFC 7675 §5.1: consent is the selected pair's. Else a peer could go on answering from one address
// and keep us sending to another, whoever has that now.
TEST_F(IceAgents, AnAnswerOverAnotherPairIsNoConsent) {
  Side a(context_.get(), false, loopback_);
  IceEnd end, another;
  ASSERT_TRUE(connect(a, end));
  const auto ends = a.agent.next_deadline();
  another.other = end.other;
  another.send(another.check(false));
  const auto heard = a.heard;
  another.send(another.success(next(another, Stun::kRequest)));
  ASSERT_TRUE(turn_until([&] { return a.heard >= heard + 2; }));
  EXPECT_EQ(a.agent.next_deadline(), ends);
  end.send(end.success(next_consent_check(end)));
  EXPECT_TRUE(turn_until([&] { return a.agent.next_deadline() > ends; }));
}

TEST_F(IceAgents, OnlyWhoKnowsThePasswordIsHeard) {
  Side a(context_.get(), false, loopback_);
  IceEnd end, liar;
  ASSERT_TRUE(connect(a, end));
  const auto heard = a.heard;
  const auto ends = a.agent.next_deadline();
  liar.other = end.other;
  liar.other.pwd = "guessedpasswordguessed";
  liar.send(liar.check());
  EXPECT_EQ(support::stun_error_code(next(liar, Stun::kError)), 401);
  end.pwd = liar.other.pwd;
  end.send(end.success(next_consent_check(end)));
  turn();
  EXPECT_EQ(a.heard, heard);
  EXPECT_EQ(a.agent.next_deadline(), ends);
  end.send(end.check());
  EXPECT_TRUE(turn_until([&] { return a.heard == heard + 1; }));
}

// Its checks come from an address that nobody signalled.
TEST_F(IceAgents, NothingIsSentToADeniedAddressThatWasLearned) {
  Side a(context_.get(), true, {.addresses = {"127.0.0.2"}});
  Side b(context_.get(), false, {.addresses = {"127.0.0.1"}, .deny_peers = {"127.0.0.2"}});
  ASSERT_TRUE(a.agent.gather());
  ASSERT_TRUE(b.agent.gather());
  introduce(b, a);
  ASSERT_TRUE(b.agent.set_remote_credentials(a.agent.credentials()));
  ASSERT_TRUE(turn_until([&] { return b.connected > 0; }));
  EXPECT_FALSE(b.agent.send(1, Bytes{0x80, 1}));
}

// libnice alone reads as long as there is something to read.
TEST_F(IceAgents, AFloodWaitsUntilTheOthersHadTheirTurn) {
  Side a(context_.get(), true, loopback_), b(context_.get(), false, loopback_);
  ASSERT_TRUE(connect(a, b));
  turn_until([&] { return true; });
  constexpr std::size_t kFlood = 2 * IceGate::kAtATime + 10;
  for (std::size_t i = 0; i < kFlood; ++i) ASSERT_TRUE(a.agent.send(1, Bytes{0x80, 1}));
  for (int turns = 0; b.received.size() < kFlood; ++turns) {
    ASSERT_LT(turns, 1000);
    const auto before = b.received.size();
    g_main_context_iteration(context_.get(), TRUE);
    ASSERT_LE(b.received.size(), before + IceGate::kAtATime);
  }
}

TEST_F(IceAgents, ComeAndGoWithoutLeavingADescriptor) {
  { Side warm(context_.get(), true, loopback_); }
  const int before = open_fds();
  for (int i = 0; i < 20; ++i) {
    Side a(context_.get(), true, loopback_), b(context_.get(), false, loopback_);
    if (i % 2 == 0) {
      ASSERT_TRUE(a.agent.gather());
    } else {
      ASSERT_TRUE(connect(a, b));
    }
  }
  turn_until([] { return true; });
  EXPECT_EQ(open_fds(), before);
}

}  // namespace
}  // namespace media::gst
