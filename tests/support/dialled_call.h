// tests/support/dialled_call.h: a call of ours on a bench, its peer played by the test.
#pragma once

#include "mixer/call.h"
#include "tests/support/focus_bench.h"

namespace test {

inline constexpr media::LegId kLeg{7};

inline jingle::Candidate host_candidate(int port, int component = 1) {
  jingle::Candidate candidate;
  candidate.component = component;
  candidate.foundation = "1";
  candidate.id = "c";
  candidate.ip = "192.0.2.9";
  candidate.port = static_cast<std::uint16_t>(port);
  candidate.priority = 1;
  return candidate;
}
inline jingle::TransportInfo trickled(const std::string& ufrag, const std::string& pwd, int port) {
  jingle::IceUdpTransport transport;
  transport.ufrag = ufrag;
  transport.pwd = pwd;
  transport.candidates = {host_candidate(port)};
  jingle::TransportInfo info;
  auto& content = info.contents.emplace_back();
  content.name = "audio";
  content.transport = std::move(transport);
  return info;
}
inline jingle::SessionInfo said(jingle::RtpInfo info) { return {info}; }

class DialledCall : public ::testing::Test {
 protected:
  mixer::Outbox out{[this] { return ++random_; }};
  TimePoint now{1000s};
  FakeEngine engine;
  mixer::Call::Setup setup{.room = "room",
                           .sid = {"S9"},
                           .local = jid("room@mixer.localhost/focus"),
                           .peer = jid("ann@localhost/phone"),
                           .focus = jid("room@mixer.localhost/focus"),
                           .media_room = {},
                           .leg = kLeg,
                           .contributor_id = 4711,
                           .role = jingle::Role::initiator,
                           .status = coin::EndpointStatus::pending,
                           .joining_method = coin::JoiningMethod::dialed_out,
                           .joining_info = {.when = "2026-01-01T00:00:00Z",
                                            .reason = "tea",
                                            .by = "xmpp:bob@localhost",
                                            .foreign = {}}};
  std::optional<mixer::Call> call;

  Step make() {
    call.emplace(setup, out, now);
    return take();
  }
  Step take() {
    Step step{out.take()};
    for (const auto& open : step.all<mixer::OpenLeg>()) engine.open_leg(open.spec);
    for (const auto& connect : step.all<mixer::ConnectLeg>()) {
      engine.connect_leg(connect.leg, connect.remote);
    }
    for (const auto& add : step.all<mixer::AddRemoteCandidates>()) {
      engine.add_remote_candidates(add.leg, add.candidates);
    }
    for (const auto& restart : step.all<mixer::RestartIce>()) {
      engine.restart_ice(restart.leg, restart.remote);
    }
    for (const auto& close : step.all<mixer::CloseLeg>()) engine.close_leg(close.leg);
    EXPECT_TRUE(engine.faults().empty());
    return step;
  }
  jingle::SessionInitiate dial() {
    make();
    call->opened(engine.opened(kLeg), out, now);
    return take().sent<jingle::SessionInitiate>().at(0);
  }
  static jingle::SessionAccept accept_of(const jingle::SessionInitiate& offer) {
    const mixer::LocalMedia theirs{
        {"them", "theirpasswordtheirpassword"}, {"sha-256", kFingerprint}, 5, {}};
    return mixer::answer(mixer::negotiate(offer, 32000).value(), theirs, "ann@localhost/phone",
                         "tok", false);
  }
  std::string receive(const jingle::Payload& payload) {
    const auto error = call->receive(payload, out, now);
    return !error ? "result"
                  : error->condition + (error->app_name.empty() ? "" : "/" + error->app_name);
  }
  void connect() {
    receive(accept_of(dial()));
    call->leg_connected({kLeg, "host a", "host b"}, out, now);
    take();
  }
  mixer::Departure departure() const { return call->departure(wall_time, now); }
  coin::EndpointStatus status() const { return call->participant().status; }

 private:
  std::uint64_t random_ = 0;
};

}  // namespace test
