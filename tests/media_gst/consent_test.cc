// Consent to send (RFC 7675) with the real libnice, in simulated time: hours of calls over a
// network that loses datagrams.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>

#include "media/gst/ice_gate.h"
#include "media/gst/transport_limits.h"
#include "tests/media_gst/ice_side.h"
#include "tests/support/generators.h"
#include "tests/support/seed.h"
#include "tests/support/shifted_clock.h"
#include "tests/support/stun.h"

namespace media::gst {
namespace {

using namespace std::chrono_literals;
using support::Bytes;
using support::IceEnd;
using support::Stun;
using Clock = std::chrono::steady_clock;

// Two agents, what lies between them, and time that passes when nobody has anything to do.
class Consent : public testing::Test {
 protected:
  struct Check {
    Clock::time_point at;
    Bytes transaction;
  };

  Consent() : context_(g_main_context_new()) {
    io_thread.assert_here();
    here = this;
    g_main_context_set_poll_func(context_.get(), [](GPollFD* fds, guint count, gint timeout_ms) {
      return here->wait(fds, count, timeout_ms);
    });
  }
  ~Consent() override { here = nullptr; }

  void connect() {
    ASSERT_TRUE(a.agent.gather() && b.agent.gather());
    introduce(a, b, beside_a_, beside_b_);
    introduce(b, a, beside_b_, beside_a_);
    run(10s);  // checks are repeated until the pairs are sorted out
    ASSERT_TRUE(a.connected > 0 && b.connected > 0);
    checks_.clear();
    answers_ = 0;
  }
  void run(Clock::duration simulated) {
    run_until([until = Clock::now() + simulated] { return Clock::now() >= until; });
  }
  void run_until(const std::function<bool()>& done) {
    while (!done()) {
      g_main_context_iteration(context_.get(), TRUE);
      for (Side* const side : {&a, &b}) side->agent.on_deadline(Clock::now());
    }
  }

  support::ShiftedClock clock_;
  double loss_ = 0;  // of a datagram, either way
  const unsigned seed_ = test_support::test_seed();
  test::Dice dice_{seed_};
  std::map<const Side*, std::vector<Check>> checks_;  // by who sent them
  std::size_t answers_ = 0;

 private:
  const IceConfig loopback_{.addresses = {"127.0.0.1"}};
  ContextPtr context_;
  IceEnd beside_a_, beside_b_;  // what stands there for the other one

 protected:
  Side a{context_.get(), true, loopback_}, b{context_.get(), false, loopback_};

 private:
  static void introduce(Side& from, Side& to, IceEnd& beside_from, IceEnd& beside_to) {
    ASSERT_TRUE(to.agent.set_remote_credentials(from.agent.credentials()));
    auto candidate = from.candidates.at(0);
    beside_from.other.port = candidate.port;
    candidate.port = beside_to.port();
    EXPECT_EQ(to.agent.add_remote_candidates({candidate}), 0U);
  }

  bool carry(IceEnd& in, IceEnd& out, const Side& from) {
    const auto datagram = in.receive(0ms);
    if (!datagram) return false;
    const auto type = support::stun_type(*datagram);
    if (type == Stun::kRequest) {
      checks_[&from].push_back({Clock::now(), support::stun_transaction(*datagram)});
    }
    if (type == Stun::kSuccess) answers_++;
    if (!dice_.chance(loss_)) out.send(*datagram);
    return true;
  }

  gint wait(GPollFD* fds, guint count, gint timeout_ms) {
    while (carry(beside_a_, beside_b_, a) || carry(beside_b_, beside_a_, b)) {
    }
    const gint ready = g_poll(fds, count, 0);
    if (ready != 0 || timeout_ms == 0) return ready;
    auto next = std::min(a.agent.next_deadline(), b.agent.next_deadline());
    if (timeout_ms > 0) {
      next = std::min(next, Clock::now() + std::chrono::milliseconds(timeout_ms));
    }
    if (next != Clock::time_point::max() && next > Clock::now()) {
      clock_.let_pass(next - Clock::now());
    }
    return 0;
  }

  static inline Consent* here = nullptr;
};

// With a check every 4 to 6 s and an end after 30 s, five or six in a row must be lost, there or
// back: with 2 % either way that is once in 28,000 hours; with an end after 10 s, where half of
// the time one is enough, a call lasted four minutes.
TEST_F(Consent, AnHourOfLossBothWaysEndsNoCall) {
  SCOPED_TRACE(testing::Message() << "seed " << seed_);
  connect();
  loss_ = 0.02;
  run(1h);
  EXPECT_EQ(a.failed + b.failed, 0);
  EXPECT_TRUE(a.agent.send(1, Bytes{0x80}));
}

// The last answer is at most 6 s older than the outage, the next 6 s younger than its end. After 70
// of them libnice alone has no room for another check.
TEST_F(Consent, OutagesOfSeventeenSecondsEndNoCallHoweverMany) {
  connect();
  for (int i = 0; i < 100; ++i) {
    run(8s + dice_.up_to(6s));
    loss_ = 1;
    run(17s);
    loss_ = 0;
    ASSERT_EQ(a.failed + b.failed, 0) << "outage " << i << ", seed " << seed_;
  }
}

// RFC 7675 §5.1: thirty seconds after the last answer, and not before.
TEST_F(Consent, ThirtySecondsWithoutAnAnswerEndIt) {
  connect();
  run(dice_.up_to(60s));
  loss_ = 1;
  const auto began = Clock::now();
  const auto ends = a.agent.next_deadline();
  EXPECT_GE(ends, began + 24s - 20ms);
  EXPECT_LE(ends, began + 30s);
  run_until([&] { return a.failed > 0 && b.failed > 0; });
  EXPECT_LE(Clock::now(), began + 30s + 20ms);
  EXPECT_EQ(a.agent.next_deadline(), Clock::time_point::max());
  EXPECT_FALSE(a.agent.send(1, Bytes{0x80}));
  a.agent.always_through_agent(true);
  EXPECT_FALSE(a.agent.send(1, Bytes{0x80}));
  loss_ = 0;
  run(20s);
  EXPECT_FALSE(a.agent.send(1, Bytes{0x80})) << "what is lost does not come back by itself";
}

// RFC 7675 §5.1: 5 s times 0.8 to 1.2, a new transaction each, sent once; lost or not.
TEST_F(Consent, ChecksKeepTheirPaceWhateverIsLost) {
  SCOPED_TRACE(testing::Message() << "seed " << seed_);
  for (const double loss : {0.0, 0.3}) {
    if (loss == 0) connect();
    loss_ = loss;
    checks_.clear();
    answers_ = 0;
    run(100s);
    std::size_t sent = 0;
    for (const auto* side : {&a, &b}) {
      const auto& checks = checks_[side];
      sent += checks.size();
      EXPECT_GE(checks.size(), 15U);
      for (std::size_t i = 1; i < checks.size(); ++i) {
        EXPECT_GE(checks[i].at - checks[i - 1].at, 4s - 5ms);
        EXPECT_LE(checks[i].at - checks[i - 1].at, 6s + 50ms);
        EXPECT_NE(checks[i].transaction, checks[i - 1].transaction);
      }
    }
    EXPECT_LE(answers_, sent) << "one for each";
  }
}

}  // namespace
}  // namespace media::gst
