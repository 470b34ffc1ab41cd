#include "tests/support/fake_engine.h"

namespace test {

void FakeEngine::open_leg(media::LegSpec spec) {
  ++opened_count_;
  const media::LegId leg = spec.leg;
  if (!ever_.insert(leg).second) {
    faults_.push_back("leg " + std::to_string(leg.value) + " opened twice");
  }
  legs_[leg].spec = std::move(spec);
}

void FakeEngine::connect_leg(media::LegId leg, media::LegRemote remote) {
  const auto found = legs_.find(leg);
  if (found == legs_.end()) return;
  if (found->second.spec.remote) {
    faults_.push_back("leg " + std::to_string(leg.value) + " connected twice");
  }
  found->second.spec.remote = std::move(remote);
}

void FakeEngine::add_remote_candidates(media::LegId leg,
                                       std::vector<media::IceCandidate> candidates) {
  const auto found = legs_.find(leg);
  if (found == legs_.end()) return;
  auto& trickled = found->second.trickled;
  trickled.insert(trickled.end(), candidates.begin(), candidates.end());
}

void FakeEngine::restart_ice(media::LegId leg, std::optional<media::IceCredentials> remote) {
  const auto found = legs_.find(leg);
  if (found == legs_.end()) return;
  auto& at = found->second;
  if (!at.spec.remote) faults_.push_back("leg " + std::to_string(leg.value) + " restarted early");
  const bool answers_ours = remote && at.restarts > 0 && !at.restarted_with;
  if (!answers_ours) {
    ++at.restarts;
    at.trickled.clear();
    at.begun_with = remote ? remote->ufrag : "";
  }
  at.restarted_with = std::move(remote);
}

void FakeEngine::close_leg(media::LegId leg) {
  ++close_count_;
  const auto found = legs_.find(leg);
  if (found == legs_.end() || found->second.closing) {
    faults_.push_back("leg " + std::to_string(leg.value) + " closed twice or never opened");
    return;
  }
  found->second.closing = true;
}

void FakeEngine::set_mix_plan(media::RoomId room, media::MixPlan plan) {
  plans_[room] = std::move(plan);
}

media::LegOpened FakeEngine::opened(media::LegId leg) {
  legs_.at(leg).opened = true;
  const std::string n = std::to_string(leg.value);
  std::string fingerprint = "AA";  // as long as SHA-256 makes it, so that another focus takes it
  for (int i = 1; i < 32; ++i) fingerprint += ":BB";
  return {.leg = leg,
          .ice = {"ufrag" + n, "passwordpasswordpassword" + n},
          .candidates = {{.component = 1,
                          .foundation = "1",
                          .ip = "192.0.2.1",
                          .port = static_cast<std::uint16_t>(20000 + leg.value % 10000),
                          .priority = 2130706431,
                          .type = media::CandidateType::host,
                          .rel_addr = {},
                          .rel_port = 0}},
          .fingerprint = {"sha-256", fingerprint},
          .ssrc = static_cast<std::uint32_t>(0x10000 + leg.value)};
}

media::IceRestarted FakeEngine::restarted(media::LegId leg) {
  auto session = opened(leg);
  const auto n = legs_.at(leg).restarts;
  session.ice.ufrag += "r" + std::to_string(n);
  session.ice.pwd += "r" + std::to_string(n);
  session.candidates[0].port = static_cast<std::uint16_t>(session.candidates[0].port + n);
  const auto& remote = legs_.at(leg).begun_with;
  return {leg, session.ice, session.candidates, remote};
}

media::IceRestarted FakeEngine::restart_failed(media::LegId leg) {
  auto& at = legs_.at(leg);
  if (!at.restarted_with) at.restarted_with.emplace();
  return {leg, {}, {}, at.begun_with};
}

media::LegConnected FakeEngine::connected(media::LegId leg) {
  legs_.at(leg).connected = true;
  return {leg, "host 192.0.2.1:20000", "host 192.0.2.9:40000"};
}

media::LegClosed FakeEngine::closed(media::LegId leg) {
  legs_.erase(leg);
  return {leg, {.sent = 100, .received = 99, .lost = 1, .jitter_ms = 2.5, .rtt_ms = 30}};
}

}  // namespace test
