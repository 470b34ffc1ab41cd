// How calls of ours end, and what the others learn of it (XEP-0166 §6.7, §7.4; RFC 4575 §5.7).
#include "mixer/limits.h"
#include "mixer/reasons.h"
#include "tests/support/dialled_call.h"

namespace {

using namespace test;
using coin::DisconnectionMethod;
using mixer::CloseLeg;
using mixer::Purpose;

class DialledCallsEnd : public DialledCall {};

TEST_F(DialledCallsEnd, EndsByTheReasonForAnAcceptOfNoUse) {
  auto accept = accept_of(dial());
  std::get<jingle::IceUdpTransport>(accept.contents[0].transport).fingerprints.clear();
  EXPECT_EQ(receive(accept), "result") << "the stanza was all right";
  const Step step = take();
  EXPECT_EQ(step.terminated().rtp_error, "crypto-required");
  EXPECT_EQ(step.all<CloseLeg>().size(), 1u);
  EXPECT_EQ(departure().method, DisconnectionMethod::failed);
}

TEST_F(DialledCallsEnd, EndsWithoutAWordOnAnErrorToItsInitiate) {
  const struct {
    jingle::StanzaError error;
    const char* reason;
    bool yielded;
    DisconnectionMethod method;
  } table[] = {
      {jingle::tie_break(), "alternative-session", true, DisconnectionMethod::failed},
      {jingle::service_unavailable(), "gone", false, DisconnectionMethod::failed},
      {jingle::resource_constraint(), "busy", false, DisconnectionMethod::busy},
      {jingle::bad_request(), "general-error", false, DisconnectionMethod::failed},
      {{"modify", "redirect", "", "", "", "xmpp:else@where.example"},
       "gone",
       false,
       DisconnectionMethod::failed},
  };
  for (const auto& row : table) {
    engine = {};
    dial();
    call->refused(row.error, Purpose::session_initiate, out);
    const Step step = take();
    EXPECT_TRUE(call->ended());
    EXPECT_TRUE(step.jingle().empty()) << row.reason;
    EXPECT_EQ(step.all<CloseLeg>().size(), 1u);
    EXPECT_EQ(call->yielded(), row.yielded) << row.reason;
    EXPECT_EQ(call->record(now).reason.condition, row.reason);
    EXPECT_EQ(departure().method, row.method) << row.reason;
  }
}

TEST_F(DialledCallsEnd, GoesOnWhenTheErrorComesAfterTheAccept) {
  connect();
  call->refused(jingle::service_unavailable(), Purpose::session_initiate, out);
  EXPECT_FALSE(call->ended());
}

TEST_F(DialledCallsEnd, TimesOutWithoutAnAnswer) {
  make();
  now += 10s;
  call->opened(engine.opened(kLeg), out, now);
  take();
  EXPECT_EQ(call->next_deadline(), now + 45s) << "the peer has not heard of it before";
  receive(said(jingle::Ringing{}));
  now += 45s;
  call->advance(out, now);
  EXPECT_EQ(take().terminated().condition, "timeout");
  EXPECT_EQ(departure().method, DisconnectionMethod::failed);
  EXPECT_EQ(departure().info.reason, "There was no answer.");
  EXPECT_EQ(departure().info.when, "2026-01-01T00:00:55Z");
}

TEST_F(DialledCallsEnd, HasItsTimeToConnectFromTheAcceptOn) {
  const auto offer = dial();
  now += 40s;
  receive(accept_of(offer));
  EXPECT_EQ(call->next_deadline(), now + 45s);
  now += 45s;
  call->advance(out, now);
  EXPECT_EQ(take().terminated().condition, "failed-transport");
}

TEST_F(DialledCallsEnd, IsGivenUpSoonWhenTheCalleeGoesOffline) {
  dial();
  now += 20s;
  call->set_available(false, out, now);
  EXPECT_EQ(call->next_deadline(), now + 5s);
  now += 5s;
  call->advance(out, now);
  EXPECT_EQ(take().terminated().condition, "connectivity-error");
}

TEST_F(DialledCallsEnd, SaysNothingOfASessionThatThePeerNeverHeardOf) {
  make();
  call->leg_failed({kLeg, media::LegFailure::no_port, ""}, out, now);
  Step step = take();
  EXPECT_TRUE(step.jingle().empty());
  EXPECT_EQ(step.all<CloseLeg>().size(), 1u);
  engine = {};
  setup.proposed = true;
  make();
  call->end(mixer::reasons::withdrawn(), out);
  step = take();
  EXPECT_TRUE(step.jingle().empty());
  EXPECT_EQ(step.jmi().size(), 1u) << "but the proposal is finished";
}

TEST_F(DialledCallsEnd, FinishesWhatItProposed) {
  setup.proposed = true;
  connect();
  receive(jingle::SessionTerminate{});
  const auto events = take().jmi();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<jingle::jmi::Finish>(events[0].payload));
}

TEST_F(DialledCallsEnd, DepartureSaysHowWhenWhyAndByWhom) {
  const auto by_peer = [&](const std::string& condition, const std::string& text = "") {
    engine = {};
    connect();
    receive(jingle::SessionTerminate{{condition, text, {}, {}}});
    take();
    return departure();
  };
  EXPECT_EQ(by_peer("success").method, DisconnectionMethod::departed);
  EXPECT_EQ(by_peer("").method, DisconnectionMethod::departed);
  EXPECT_FALSE(by_peer("success").info.reason);
  EXPECT_FALSE(by_peer("success").info.by);
  EXPECT_EQ(by_peer("busy").method, DisconnectionMethod::busy);
  EXPECT_EQ(by_peer("decline", "Not \x01now\xe2\x80\xae.").info.reason, "Not now.");
  EXPECT_EQ(by_peer("success", std::string(5000, 'x')).info.reason->size(),
            mixer::limits::kMaxReasonCodePoints);
  EXPECT_EQ(by_peer("connectivity-error").method, DisconnectionMethod::failed);
  EXPECT_EQ(by_peer("connectivity-error").info.reason, "The connection was lost.");

  engine = {};
  connect();
  now += 3661s;
  call->end(mixer::reasons::shutting_down(), out);
  take();
  EXPECT_EQ(departure().method, DisconnectionMethod::booted);
  EXPECT_EQ(departure().info.by, "xmpp:room@mixer.localhost");
  EXPECT_EQ(departure().info.when, "2026-01-01T01:01:01Z");
  EXPECT_EQ(departure().info.reason, "The mixer is shutting down.");
}

TEST_F(DialledCallsEnd, IsLoggedAsOutgoing) {
  connect();
  receive(jingle::SessionTerminate{});
  EXPECT_NE(to_log(call->record(now)).find(" direction=out "), std::string::npos);
}

}  // namespace
