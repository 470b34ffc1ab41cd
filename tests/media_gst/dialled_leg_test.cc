// Legs that we dial: opened without the peer's half, which comes with connect_leg, or never.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "media/audio_frame.h"
#include "media/gst/leg_transport.h"
#include "media/gst/transport_limits.h"
#include "tests/media_gst/engine_fixture.h"

namespace media::gst {
namespace {

using std::chrono_literals::operator""s;
using TimePoint = LegTransport::TimePoint;

constexpr RoomId kRoom{1};

// Ours is offered, the peer's is its answer.
LegOpened offer_to(Engine& mixer, TestCaller& callee, bool peer_controlling = false) {
  mixer.engine->open_leg(dialled_leg(callee.leg(), kRoom));
  const auto opened = mixer.log.wait_for<LegOpened>(callee.leg());
  EXPECT_TRUE(opened);
  callee.open(peer_controlling);
  return opened.value_or(LegOpened{});
}

void expect_connected(Engine& mixer, TestCaller& callee) {
  EXPECT_TRUE(mixer.log.wait_for<LegConnected>(callee.leg()));
  EXPECT_TRUE(callee.wait_connected());
  EXPECT_EQ(mixer.log.count<LegFailed>(callee.leg()), 0U);
}

// RFC 5763 §5: we offer actpass, the answerer chooses.
TEST(DialledLeg, ThePeerMayAnswerActiveOrPassive) {
  for (const auto ours : {DtlsRole::client, DtlsRole::server}) {
    CallerThread thread;
    Engine mixer;
    TestCaller callee(thread, LegId{1}, 440);
    const auto offer = offer_to(mixer, callee);
    callee.connect(offer, ours == DtlsRole::client ? DtlsRole::server : DtlsRole::client);
    mixer.engine->connect_leg(callee.leg(), callee.half(ours));
    expect_connected(mixer, callee);
    callee.talk();
    EXPECT_TRUE(callee.wait_for_sound(10 * kFrame_samples));
    mixer.engine->close_leg(callee.leg());
    const auto closed = mixer.log.wait_for<LegClosed>(callee.leg());
    ASSERT_TRUE(closed);
    EXPECT_GT(closed->statistics.sent, 0U);
  }
}

// XEP-0176 §5.5: trickled candidates may come before the answer, and long after it. Those of the
// offer may suffice: what the peer checks us with is as good as told (RFC 8445 §7.3.1.3).
TEST(DialledLeg, CandidatesMayComeBeforeWithAfterOrNever) {
  for (const std::string when : {"before", "with", "after", "never"}) {
    SCOPED_TRACE(when);
    CallerThread thread;
    Engine mixer;
    TestCaller callee(thread, LegId{1}, 440);
    auto offer = offer_to(mixer, callee);
    auto answer = callee.half(DtlsRole::server);
    auto candidates = answer.candidates;
    if (when != "with") answer.candidates.clear();
    if (when == "before") mixer.engine->add_remote_candidates(callee.leg(), candidates);
    // Who is told where we are finds us without telling where he is: not so in the other cases.
    if (when != "never") offer.candidates.clear();
    callee.connect(offer, DtlsRole::client);
    mixer.engine->connect_leg(callee.leg(), answer);
    if (when == "after") mixer.engine->add_remote_candidates(callee.leg(), candidates);
    expect_connected(mixer, callee);
  }
}

// Both think they are the initiator, after a tie-break that went wrong: ICE settles it (RFC 8445
// §7.3.1.1).
TEST(DialledLeg, TwoControllingAgentsConnect) {
  CallerThread thread;
  Engine mixer;
  TestCaller callee(thread, LegId{1}, 440);
  const auto offer = offer_to(mixer, callee, /*peer_controlling=*/true);
  callee.connect(offer, DtlsRole::client);
  mixer.engine->connect_leg(callee.leg(), callee.half(DtlsRole::server));
  expect_connected(mixer, callee);
}

// RFC 5761 §5.1.1: without rtcp-mux in the answer nothing is multiplexed, whatever we gathered.
TEST(DialledLeg, ReportsGoWhereTheAnswerSays) {
  struct Case {
    const char* what;
    bool we_gather_two, peer_muxes;
    bool reported;
  };
  for (const auto& each :
       {Case{"both offered, mux accepted", true, true, true},
        Case{"both offered, mux refused", true, false, true},
        Case{"only mux offered and accepted", false, true, true},
        Case{"only mux offered, refused: sound, no reports", false, false, false}}) {
    SCOPED_TRACE(each.what);
    Peer ours(
        {.leg = LegId{1}, .ssrc = 0x1111, .controlling = true, .rtcp_mux = !each.we_gather_two});
    Peer peer({.leg = LegId{2}, .ssrc = 0x2222, .rtcp_mux = each.peer_muxes});
    ours.open();
    peer.open();
    auto offer = ours.as_remote(DtlsRole::client);
    offer.rtp.rtcp_mux = each.peer_muxes;  // as both agreed
    peer.io_.connect(peer.leg(), offer);
    ours.io_.connect(ours.leg(), peer.as_remote(DtlsRole::server));
    expect_connected(ours, peer);
    ours.send_rtp(3);
    peer.send_rtp(3);
    EXPECT_TRUE(ours.receiver_.wait_for_packets(3));
    EXPECT_TRUE(peer.receiver_.wait_for_packets(3));
    if (each.reported) {
      EXPECT_TRUE(eventually([&] { return peer.io_.counters().rtcp_received > 0; }));
      EXPECT_TRUE(eventually([&] { return ours.io_.counters().rtcp_received > 0; }));
    }
    ours.io_.close(ours.leg());  // its BYE would be a report
    ASSERT_TRUE(ours.log_.wait_for<LegClosed>(ours.leg()));
    EXPECT_EQ(ours.io_.counters().rtcp_sent > 0, each.reported);
    EXPECT_EQ(ours.log_.count<LegFailed>(ours.leg()), 0U);
    EXPECT_EQ(peer.log_.count<LegFailed>(peer.leg()), 0U);
  }
}

// A transport on a thread of the test's own, which is told what time it is.
class DialledTransport : public ::testing::Test {
 protected:
  DialledTransport() {
    io_thread.assert_here();
    host_.context = context_.get();
    host_.ice = &ice_;
    host_.identity = &identity_;
    host_.emit = [this](Event event) { events_.push_back(std::move(event)); };
    host_.schedule = [this](LegId, TimePoint when) { deadline_ = when; };
  }
  std::size_t failures() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        events_, [](const Event& e) { return std::holds_alternative<LegFailed>(e); }));
  }

  ContextPtr context_{g_main_context_new()};
  IceConfig ice_{.addresses = {"127.0.0.1"}};
  DtlsIdentity identity_;
  LegTransport::Host host_;
  std::vector<Event> events_;
  TimePoint deadline_ = TimePoint::max();
};

// A phone may ring for longer than ICE may take: the time to connect begins with the answer.
TEST_F(DialledTransport, HasNoDeadlineBeforeTheAnswerAndThenTheWholeOne) {
  io_thread.assert_here();
  LegTransport leg(host_, {.leg = LegId{1}, .ssrc = 1, .ice_controlling = true});
  leg.open();
  EXPECT_EQ(deadline_, TimePoint::max());
  const auto rung = std::chrono::steady_clock::now() + 10 * limits::kConnectTime;
  leg.on_deadline(rung);
  EXPECT_EQ(failures(), 0U);
  const auto before = std::chrono::steady_clock::now();
  LegRemote answer;
  answer.ice = {"abcd", "a password of 22 letters"};
  leg.connect(answer);
  EXPECT_GE(deadline_, before + limits::kConnectTime);
  leg.on_deadline(deadline_ - 1s);
  EXPECT_EQ(failures(), 0U);
  leg.on_deadline(deadline_);
  ASSERT_EQ(failures(), 1U);
  EXPECT_EQ(std::get<LegFailed>(events_.back()).cause, LegFailure::ice_failed);
}

// Nobody answered, or the focus gave up: legs end without ever having had a peer.
TEST(DialledLeg, UnansweredLegsCloseAndLeaveNothing) {
  Engine mixer;
  const auto round = [&](std::uint64_t base) {
    for (std::uint64_t i = 0; i < 20; ++i) {
      mixer.engine->open_leg(dialled_leg(LegId{base + i}, RoomId{i % 3}));
      mixer.engine->set_mix_plan(RoomId{i % 3}, {{{.leg = LegId{base + i}}}});
      if (i % 2 == 0) continue;  // closed before it is even open
      ASSERT_TRUE(mixer.log.wait_for<LegOpened>(LegId{base + i}));
    }
    for (std::uint64_t i = 0; i < 20; ++i) mixer.engine->close_leg(LegId{base + i});
    for (std::uint64_t i = 0; i < 20; ++i) {
      ASSERT_TRUE(mixer.log.wait_for<LegClosed>(LegId{base + i}));
      EXPECT_EQ(mixer.log.count<LegFailed>(LegId{base + i}), 0U);
    }
  };
  round(1000);
  const int fds = open_fds();
  round(2000);
  EXPECT_EQ(open_fds(), fds);
  // The answer that comes too late.
  mixer.engine->connect_leg(LegId{2000}, {});
  mixer.engine->add_remote_candidates(LegId{2000}, {});
  mixer.engine.reset();
  EXPECT_EQ(mixer.log.count<LegClosed>(LegId{2000}), 1U);
}

}  // namespace
}  // namespace media::gst
