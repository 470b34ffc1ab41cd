// ICE restarts (RFC 8445 §9, XEP-0176 §5.9) with the real libnice: nothing said is lost while the
// new pair is found, and nothing of the old one stays.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <optional>

#include "media/audio_frame.h"
#include "media/gst/leg_transport.h"
#include "media/gst/transport_limits.h"
#include "tests/media_gst/engine_fixture.h"
#include "tests/media_gst/ice_side.h"
#include "tests/support/resident.h"
#include "tests/support/sanitized.h"
#include "tests/support/shifted_clock.h"

namespace media::gst {
namespace {

using test_support::kSanitized;
using test_support::resident_kib;
using test_support::tone_dbfs;

constexpr std::size_t kFrame = kFrame_samples;

PeerOptions caller() { return {.leg = LegId{1}, .ssrc = 0x1111, .controlling = true}; }
PeerOptions callee() { return {.leg = LegId{2}, .ssrc = 0x2222}; }

// The `number`-th (from 1) event of that type.
template <class T>
std::optional<T> nth(const EventLog& log, LegId leg, std::size_t number) {
  if (!eventually([&] { return log.count<T>(leg) >= number; })) return std::nullopt;
  std::vector<T> all;
  for (const auto& event : log.of(leg)) {
    if (const auto* typed = std::get_if<T>(&event)) all.push_back(*typed);
  }
  return all[number - 1];
}

class IceRestarts : public testing::Test {
 protected:
  void connect(PeerOptions from = caller(), PeerOptions to = callee()) {
    a_.emplace(std::move(from));
    b_.emplace(std::move(to));
    join(*a_, *b_);
    expect_connected(*a_, *b_);
  }
  // `one` offers with its credentials alone, `other` answers; the candidates follow.
  void restart(Peer& one, Peer& other, std::vector<std::string> moved_to = {}) {
    offer(one, std::move(moved_to));
    answer(one, other);
  }
  void offer(Peer& one, std::vector<std::string> moved_to = {}) {
    one.io_.restart_ice(one.leg(), {.remote = {}, .moved_to = std::move(moved_to)});
  }
  void answer(Peer& one, Peer& other) {
    ++restarts_;
    const auto offered = nth<IceRestarted>(one.log_, one.leg(), restarts_);
    ASSERT_TRUE(offered);
    other.io_.restart_ice(other.leg(), {.remote = offered->ice});
    other.io_.add_remote_candidates(other.leg(), offered->candidates);
    const auto answered = nth<IceRestarted>(other.log_, other.leg(), restarts_);
    ASSERT_TRUE(answered);
    one.io_.restart_ice(one.leg(), {.remote = answered->ice});
    one.io_.add_remote_candidates(one.leg(), answered->candidates);
  }
  // Both use the pair of their last restart.
  bool restarted(const Peer& one) const {
    return one.log_.count<LegConnected>(one.options_.leg) > restarts_;
  }
  // A packet each way every few milliseconds, the next only when both are there.
  void talk_until(const std::function<bool()>& done) {
    bool lost = false;
    ASSERT_TRUE(eventually(
        [&] {
          a_->send_rtp(1, sent_);
          b_->send_rtp(1, sent_);
          ++sent_;
          lost = !b_->receiver_.wait_for_packets(sent_) || !a_->receiver_.wait_for_packets(sent_);
          return lost || done();
        },
        2 * limits::kConnectTime));
    ASSERT_FALSE(lost) << "packet " << sent_;
  }
  void talk(std::uint16_t packets) {
    const auto end = static_cast<std::uint16_t>(sent_ + packets);
    talk_until([&] { return sent_ == end; });
  }

  support::ShiftedClock clock_;
  std::optional<Peer> a_, b_;
  std::size_t restarts_ = 0;
  std::uint16_t sent_ = 0;
};

TEST_F(IceRestarts, LoseNoPacketAndShakeNoHandsAgain) {
  connect();
  talk(10);
  const auto handshake = a_->io_.counters().dtls_received + b_->io_.counters().dtls_received;
  for (int i = 0; i < 3; ++i) {
    Peer& one = i % 2 == 0 ? *a_ : *b_;
    Peer& other = i % 2 == 0 ? *b_ : *a_;
    restart(one, other);
    talk_until([&] { return restarted(*a_) && restarted(*b_); });
    talk(10);
  }
  EXPECT_EQ(a_->io_.counters().dtls_received + b_->io_.counters().dtls_received, handshake);
  EXPECT_EQ(a_->log_.count<LegFailed>(a_->leg()) + b_->log_.count<LegFailed>(b_->leg()), 0U);
  const auto first = nth<LegConnected>(a_->log_, a_->leg(), 1);
  const auto last = nth<LegConnected>(a_->log_, a_->leg(), 4);
  EXPECT_NE(first->local, last->local);
  EXPECT_NE(first->remote, last->remote);
}

TEST_F(IceRestarts, NewCredentialsEachTime) {
  connect();
  restart(*a_, *b_);
  restart(*a_, *b_);  // the first may be unfinished
  const auto opened = b_->opened();
  const auto first = nth<IceRestarted>(b_->log_, b_->leg(), 1);
  const auto second = nth<IceRestarted>(b_->log_, b_->leg(), 2);
  EXPECT_NE(opened.ice.ufrag, first->ice.ufrag);
  EXPECT_NE(opened.ice.pwd, first->ice.pwd);
  EXPECT_NE(first->ice.ufrag, second->ice.ufrag);
  EXPECT_NE(opened.candidates, first->candidates);
  talk_until([&] {
    const auto pair = [](const Peer& peer) {
      const auto all = peer.log_.of(peer.options_.leg);
      std::string local;
      for (const auto& event : all) {
        if (const auto* connected = std::get_if<LegConnected>(&event)) local = connected->local;
      }
      return port_of(local);
    };
    return pair(*b_) == second->candidates[0].port;
  });
}

TEST_F(IceRestarts, FollowAPeerThatMovesToAnotherAddress) {
  connect();
  talk(10);
  const auto old_port = port_of(a_->log_.wait_for<LegConnected>(a_->leg())->local);
  restart(*a_, *b_, {"127.0.0.2"});
  EXPECT_TRUE(eventually([&] { return udp_socket_on(old_port) < 0; }));
  ASSERT_TRUE(eventually([&] { return restarted(*a_) && restarted(*b_); }));
  EXPECT_TRUE(nth<LegConnected>(b_->log_, b_->leg(), 2)->remote.find("127.0.0.2") !=
              std::string::npos);
  talk(10);
}

TEST_F(IceRestarts, TakeReportsAlongWhereTheyHaveAPairOfTheirOwn) {
  auto from = caller(), to = callee();
  from.rtcp_mux = to.rtcp_mux = false;
  connect(from, to);
  ASSERT_TRUE(eventually([&] { return b_->io_.counters().rtcp_received > 0; }));
  restart(*a_, *b_, {"127.0.0.2"});  // nothing of the old is there to carry them
  int components = 0;
  const auto told = nth<IceRestarted>(b_->log_, b_->leg(), 1);
  for (const auto& candidate : told->candidates) {
    components |= 1 << candidate.component;
  }
  EXPECT_EQ(components, 1 << 1 | 1 << 2);
  ASSERT_TRUE(eventually([&] { return restarted(*a_) && restarted(*b_); }));
  const auto before = b_->io_.counters().rtcp_received;
  EXPECT_TRUE(eventually([&] { return b_->io_.counters().rtcp_received > before; }));
  talk(10);
}

TEST_F(IceRestarts, LeaveOutTheSecondPairWhenTheAnswerMultiplexed) {
  auto from = caller();
  from.rtcp_mux = false;  // offered both ways, answered with rtcp-mux
  connect(from);
  restart(*a_, *b_);
  const auto told = nth<IceRestarted>(a_->log_, a_->leg(), 1);
  for (const auto& candidate : told->candidates) {
    EXPECT_EQ(candidate.component, 1);
  }
  talk_until([&] { return restarted(*a_) && restarted(*b_); });
}

TEST_F(IceRestarts, HoldCandidatesThatComeBeforeTheAnswer) {
  connect();
  ++restarts_;
  offer(*a_);
  const auto offered = nth<IceRestarted>(a_->log_, a_->leg(), 1);
  ASSERT_TRUE(offered);
  b_->io_.restart_ice(b_->leg(), {.remote = offered->ice});
  const auto answered = nth<IceRestarted>(b_->log_, b_->leg(), 1);
  a_->io_.add_remote_candidates(a_->leg(), answered->candidates);
  a_->io_.restart_ice(a_->leg(), {.remote = answered->ice});
  talk_until([&] { return restarted(*a_) && restarted(*b_); });
}

TEST_F(IceRestarts, MayComeWhileTheFirstPairIsStillLookedFor) {
  a_.emplace(caller());
  b_.emplace(callee());
  a_->open();
  b_->open();
  auto half_of_a = a_->as_remote(DtlsRole::client);
  half_of_a.candidates.clear();  // a has left that network already
  auto half_of_b = b_->as_remote(DtlsRole::server);
  half_of_b.candidates.clear();
  a_->io_.connect(a_->leg(), half_of_b);
  b_->io_.connect(b_->leg(), half_of_a);
  restart(*a_, *b_, {"127.0.0.2"});
  expect_connected(*a_, *b_);
  talk(10);
}

TEST_F(IceRestarts, BeforeThePeersHalfHaveNoEffect) {
  Peer peer(callee());
  peer.open();
  peer.opened();
  peer.io_.restart_ice(peer.leg(), {.remote = IceCredentials{"abcd", std::string(22, 'p')}});
  peer.io_.restart_ice(LegId{99}, {});
  peer.io_.open({.leg = LegId{3}});  // behind it
  ASSERT_TRUE(peer.log_.wait_for<LegOpened>(LegId{3}));
  EXPECT_EQ(peer.log_.count<IceRestarted>(peer.leg()), 0U);
}

TEST_F(IceRestarts, UnusableCredentialsLeaveThePairInUse) {
  connect();
  a_->io_.restart_ice(a_->leg(), {.remote = IceCredentials{"u", std::string(300, 'p')}});
  EXPECT_EQ(nth<IceRestarted>(a_->log_, a_->leg(), 1), (IceRestarted{a_->leg(), {}, {}, "u"}));
  talk(10);
}

TEST_F(IceRestarts, WithoutAPortLeaveThePairInUseAndSaySo) {
  auto from = caller();
  from.ice.port_min = from.ice.port_max = free_port();
  connect(from);
  offer(*a_);
  EXPECT_EQ(nth<IceRestarted>(a_->log_, a_->leg(), 1), (IceRestarted{a_->leg(), {}, {}, ""}));
  a_->io_.restart_ice(a_->leg(), {.remote = IceCredentials{"peer", std::string(22, 'p')}});
  EXPECT_EQ(nth<IceRestarted>(a_->log_, a_->leg(), 2), (IceRestarted{a_->leg(), {}, {}, "peer"}))
      << "no answer to what failed, but one of its own";
  talk(10);
  EXPECT_EQ(a_->log_.count<LegFailed>(a_->leg()), 0U);
}

TEST_F(IceRestarts, ALegMayCloseMeanwhile) {
  { const Peer first(caller()); }  // what is opened once and for all
  const int before = open_fds();
  connect();
  restart(*a_, *b_);
  offer(*a_);
  for (Peer* each : {&*a_, &*b_}) {
    each->io_.close(each->leg());
    EXPECT_TRUE(each->log_.wait_for<LegClosed>(each->leg()));
  }
  a_.reset();
  b_.reset();
  EXPECT_EQ(open_fds(), before);
}

// What the loop still had to do when the leg failed (here: nothing connected in time).
TEST_F(TurnedByHand, ALegThatHasFailedIsNotRevivedByARestart) {
  io_thread.assert_here();
  const DtlsIdentity identity;
  std::vector<Event> events;
  LegTransport::TimePoint scheduled;
  LegTransport::Host host;
  host.context = context_.get();
  host.ice = &loopback_;
  host.identity = &identity;
  host.emit = [&](Event event) { events.push_back(std::move(event)); };
  host.schedule = [&](LegId, LegTransport::TimePoint at) { scheduled = at; };
  LegTransport leg(host, {.leg = LegId{1}, .ssrc = 1, .ice_controlling = true});
  Side other(context_.get(), false, loopback_);
  ASSERT_TRUE(other.agent.gather());
  leg.open();
  LegRemote remote;
  remote.ice = {"first", std::string(22, 'p')};
  leg.connect(remote);
  const auto connect_deadline = scheduled;
  leg.restart_ice({.remote = other.agent.credentials()});
  const auto* restarted = std::get_if<IceRestarted>(&events.back());
  ASSERT_TRUE(restarted);
  ASSERT_TRUE(other.agent.set_remote_credentials(restarted->ice));
  other.agent.add_remote_candidates(restarted->candidates);
  leg.add_remote_candidates(other.candidates);
  leg.on_deadline(connect_deadline);
  ASSERT_TRUE(std::holds_alternative<LegFailed>(events.back()));
  ASSERT_TRUE(turn_until([&] { return other.connected > 0; }));
  turn();  // the answer to what connected the other
  EXPECT_TRUE(std::holds_alternative<LegFailed>(events.back())) << "after it came another event";
}

// Lasts as long as the limit it shows (30 s).
TEST_F(IceRestarts, NeverAnsweredLeaveThePairInUse) {
  connect();
  const int fds = open_fds();
  offer(*a_);
  ASSERT_TRUE(nth<IceRestarted>(a_->log_, a_->leg(), 1));
  EXPECT_GT(open_fds(), fds);
  talk(10);
  EXPECT_TRUE(eventually([&] { return open_fds() == fds; }, limits::kConnectTime * 2));
  talk(10);
  EXPECT_EQ(a_->log_.count<LegFailed>(a_->leg()), 0U);
  EXPECT_EQ(a_->log_.count<LegConnected>(a_->leg()), 1U);
}

TEST_F(IceRestarts, SaveALegWhoseConsentIsLost) {
  connect();
  talk(10);
  clock_.let_pass(limits::kConsentLasts);
  for (auto* each : {&*a_, &*b_}) {
    each->io_.add_remote_candidates(each->leg(), {});  // wakes it up
    const auto failed = each->log_.wait_for<LegFailed>(each->leg());
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->cause, LegFailure::consent_lost);
  }
  offer(*a_, {"127.0.0.2"});
  const auto old_port = b_->opened().candidates[0].port;
  EXPECT_TRUE(eventually([&] { return udp_socket_on(old_port) < 0; })) << "its checks end";
  answer(*a_, *b_);
  ASSERT_TRUE(eventually([&] { return restarted(*a_) && restarted(*b_); }));
  talk(10);
}

TEST_F(IceRestarts, FiftyOfThemLeaveNothing) {
  connect();
  const int fds = open_fds();
  const auto fifty = [&] {
    for (int i = 0; i < 50 && !HasFailure(); ++i) {
      restart(*a_, *b_);
      // Not before both have moved: another restart would take from one what the other still uses.
      ASSERT_TRUE(eventually([&] { return restarted(*a_) && restarted(*b_); }));
      talk(1);
    }
    // The last has surely been finished, and the old one has gone.
    ASSERT_TRUE(eventually([&] { return open_fds() == fds; }));
    talk(10);
  };
  fifty();  // what is allocated once and for all
  malloc_trim(0);
  const auto memory = resident_kib();
  fifty();
  malloc_trim(0);
  if (kSanitized) GTEST_SKIP() << "a sanitizer keeps freed memory: residence says nothing";
  EXPECT_LT(resident_kib(), memory + 1024) << "50 restarts left more than 1 MiB";
}

// The whole engine: who talks restarts, and who listens hears no gap.
TEST(GstEngineRestart, TheToneGoesOnWhileItsCallerRestarts) {
  Engine mixer;
  const RoomId room{1};
  CallerThread thread;
  TestCaller ann(thread, LegId{1}, 440), bob(thread, LegId{2}, 610);
  for (TestCaller* each : {&ann, &bob}) {
    dial(mixer, *each, room);
    ASSERT_TRUE(mixer.log.wait_for<LegConnected>(each->leg()));
    ASSERT_TRUE(each->wait_connected());
  }
  mixer.engine->set_mix_plan(room, {{{.leg = ann.leg()}, {.leg = bob.leg()}}});
  bob.talk();
  ASSERT_TRUE(ann.wait_for_sound(48000));
  for (std::size_t i = 1; i <= 3; ++i) {
    thread.io().restart_ice(bob.leg(), {});
    const auto offered = nth<IceRestarted>(thread.log(), bob.leg(), i);
    ASSERT_TRUE(offered);
    mixer.engine->restart_ice(bob.leg(), offered->ice);
    mixer.engine->add_remote_candidates(bob.leg(), offered->candidates);
    const auto answered = nth<IceRestarted>(mixer.log, bob.leg(), i);
    ASSERT_TRUE(answered);
    thread.io().restart_ice(bob.leg(), {.remote = answered->ice});
    thread.io().add_remote_candidates(bob.leg(), answered->candidates);
    ASSERT_TRUE(nth<LegConnected>(mixer.log, bob.leg(), i + 1));
    ASSERT_TRUE(nth<LegConnected>(thread.log(), bob.leg(), i + 1));
  }
  const auto so_far = ann.packets().size();
  ASSERT_TRUE(ann.wait_for_sound((so_far + 50) * kFrame));
  mixer.engine->close_leg(bob.leg());
  const auto closed = mixer.log.wait_for<LegClosed>(bob.leg());
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->statistics.lost, 0);
  const auto heard = ann.last_samples((so_far - 50) * kFrame);
  std::size_t missing = 0;
  for (std::size_t at = 0; at + kFrame <= heard.size(); at += kFrame) {
    const std::span window(heard.data() + at, kFrame);
    if (tone_dbfs(window, 610) < TestCaller::kLevel_dbfs - 10) missing += kFrame;
  }
  EXPECT_EQ(missing, 0U) << "samples without the tone, of " << heard.size();
}

}  // namespace
}  // namespace media::gst
