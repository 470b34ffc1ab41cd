#include "tools/call/caller.h"

#include <utility>

#include "mixer/overloaded.h"
#include "signaling/namespaces.h"

namespace call {
namespace {

using namespace std::chrono_literals;
using mixer::Overloaded;

// An ack, a last RTCP report and a stream's end take milliseconds; nobody waits longer for them.
constexpr auto kClosing = 5s;

std::vector<std::string> addresses_of(const std::string& text) {
  if (text.empty()) return {};
  return {text};
}

std::string reason_of(media::LegFailure cause) {
  switch (cause) {
    case media::LegFailure::no_port: return "failed-transport";
    case media::LegFailure::ice_failed: return "failed-transport";
    case media::LegFailure::consent_lost: return "connectivity-error";
    case media::LegFailure::fingerprint_mismatch: return "security-error";
    case media::LegFailure::dtls_failed: return "security-error";
    case media::LegFailure::media_error: return "media-error";
  }
  return "general-error";
}

}  // namespace

Caller::Caller(CallerSpec spec, TimePoint start)
    : spec_(std::move(spec)),
      out_(start, report_.events),
      peer_(spec_.to),
      documents_(spec_.documents, out_) {
  report_.sid = spec_.sid;
  deadline_ = start + spec_.patience;
  if (spec_.answer) answering_.emplace(*spec_.answer, out_);
}

Commands Caller::handle(const Event& event, TimePoint now) {
  out_.begin(now);
  if (!finished()) std::visit([this](const auto& each) { on(each); }, event);
  return out_.take();
}

std::optional<TimePoint> Caller::next_deadline() const {
  if (stage_ == Stage::waiting) return answering_->deadline();
  return finished() ? std::nullopt : deadline_;
}

void Caller::on(const Online& online) {
  online_ = true;
  self_ = online.jid;
  report_.jid = self_.str();
  out_.tell("online", self_.str());
  send_presence();
  if (stage_ == Stage::connected) documents_.start(peer_, session_->sid());
  if (stage_ != Stage::offline) return;  // back again, the call goes on
  if (answering_) {
    stage_ = Stage::waiting;
  } else if (spec_.jmi) {
    stage_ = Stage::proposing;
    out_.send_jmi(spec_.to.bare(), jingle::Sid{spec_.sid}, jingle::jmi::Propose{{"audio"}});
  } else {
    dial();
  }
}

void Caller::on(const Offline& offline) {
  online_ = false;
  out_.tell("offline", offline.reason);
  terminate_id_.clear();
  if (stage_ == Stage::logging_out) {
    stage_ = Stage::finished;
  } else if (stage_ == Stage::closing) {
    close_when_done();
  } else if (in_call() || stage_ == Stage::waiting) {
    out_.put(Reconnect{});
  } else {
    end("failed", offline.reason, false);
  }
}

void Caller::on(const StanzaReceived& received) {
  std::visit(Overloaded{[this](const jingle::Iq& iq) { on_iq(iq); },
                        [this](const jingle::Message& message) { on_message(message); },
                        [](const jingle::Presence&) {}},
             received.stanza);
}

void Caller::on(const media::Event& event) {
  std::visit(Overloaded{[this](const media::LegOpened& opened) { on_opened(opened); },
                        [this](const media::CandidatesGathered& gathered) {
                          if (!in_session()) return;
                          out_.send_jingle(
                              peer_, session_->sid(),
                              make_transport_info(content_, *local_ice_, gathered.candidates));
                        },
                        [this](const media::IceRestarted& leg) { on_restarted(leg); },
                        [this](const media::LegConnected& leg) { on_connected(leg); },
                        [this](const media::LegFailed& failed) { on_failed(failed); },
                        [this](const media::LegQuiet&) { out_.tell("quiet"); },
                        [this](const media::LegHeard&) { out_.tell("heard"); },
                        [this](const media::LegClosed& closed) {
                          report_.rtp = closed.statistics;
                          leg_open_ = false;
                          close_when_done();
                        },
                        // Keys, and what only a mixer has.
                        [](const auto&) {}},
             event);
}

void Caller::on(const UserAsked& asked) {
  using What = UserAsked::What;
  if (asked.what == What::hang_up) return hang_up();
  if (asked.what == What::document) return documents_.add(asked.text);
  if (!in_call()) return out_.tell("ignored", "not in a call");
  switch (asked.what) {
    case What::mute:
      muted_by_.insert("mute");
      send_info({jingle::RtpInfo(jingle::Mute{"initiator", content_})});
      break;
    case What::unmute:
      muted_by_.erase("mute");
      send_info({jingle::RtpInfo(jingle::Unmute{"initiator", content_})});
      break;
    case What::hold:
      muted_by_.insert("hold");
      send_info({jingle::RtpInfo(jingle::Hold{})});
      break;
    case What::unhold:
      muted_by_.erase("hold");
      send_info({jingle::RtpInfo(jingle::Unhold{})});
      break;
    case What::focus: return send_info({jingle::FocusInfo{true}});
    case What::no_focus: return send_info({jingle::FocusInfo{false}});
    case What::restart:
      restarting_ = true;
      return out_.put(RestartIce{.remote = {}, .moved_to = addresses_of(asked.text)});
    case What::digit: return out_.put(PressKey{asked.digit});
    case What::document:
    case What::hang_up: return;
  }
  out_.put(SetSending{muted_by_.empty()});
}

void Caller::on(const DeadlinePassed&) {
  if (stage_ == Stage::waiting) {
    if (answering_->due()) take_call();
    return;
  }
  if (!deadline_ || out_.now() < *deadline_) return;
  deadline_.reset();
  switch (stage_) {
    case Stage::connected: return end("success", "success", true);
    case Stage::closing:
      terminate_id_.clear();
      leg_open_ = false;
      return close_when_done();
    case Stage::logging_out: stage_ = Stage::finished; return;
    case Stage::finished: return;
    default: return end("failed", "timeout", true);
  }
}

void Caller::dial() {
  stage_ = Stage::gathering;
  content_ = kContentName;
  leg_open_ = true;
  out_.put(OpenLeg{.rtcp_mux = spec_.offer.rtcp_mux,
                   .ice_controlling = true,
                   .opus_payload_type = kOpusPayloadType,
                   .stereo = spec_.offer.stereo});
}

void Caller::take_call() {
  stage_ = Stage::gathering;
  deadline_ = out_.now() + spec_.patience;
  peer_ = session_->peer();
  report_.sid = session_->sid().value;
  proposed_ = answering_->proposed();
  leg_open_ = true;
  const auto& rtp = agreement_->remote.rtp;
  out_.put(OpenLeg{.rtcp_mux = rtp.rtcp_mux,
                   .ice_controlling = false,
                   .opus_payload_type = rtp.opus_payload_type});
}

void Caller::on_opened(const media::LegOpened& opened) {
  if (stage_ != Stage::gathering) return;
  local_ice_ = opened.ice;
  if (agreement_) {
    send_accept(opened);
  } else {
    send_offer(opened);
  }
}

void Caller::on_connected(const media::LegConnected& connected) {
  if (!in_call()) return;
  report_.local = connected.local;
  report_.remote = connected.remote;
  if (stage_ == Stage::connected) {
    return out_.tell("reconnected", connected.local + " - " + connected.remote);
  }
  stage_ = Stage::connected;
  deadline_.reset();
  if (spec_.stay) deadline_ = out_.now() + *spec_.stay;
  out_.tell("connected", connected.local + " - " + connected.remote);
  out_.put(SetSending{muted_by_.empty()});
  documents_.start(peer_, session_->sid());
}

void Caller::on_failed(const media::LegFailed& failed) {
  out_.tell("media failed", failed.text);
  end("failed", reason_of(failed.cause), true);
}

void Caller::hang_up() {
  if (stage_ == Stage::connected) return end("success", "success", true);
  if (stage_ != Stage::waiting) return end("failed", "cancel", true);
  answering_->hang_up();
  if (const auto& refused = answering_->refused()) return end("success", *refused, true);
  end("failed", "decline", true);
}

void Caller::end(std::string result, std::string reason, bool tell_peer) {
  if (stage_ >= Stage::closing) return;
  out_.tell("ended", reason);
  if (tell_peer && online_) {
    if (in_session()) {
      jingle::SessionTerminate terminate;
      terminate.reason.condition = reason;
      terminate_id_ = out_.send_jingle(session_->peer(), session_->sid(), terminate);
      session_->terminate();
    } else if (stage_ == Stage::proposing) {
      jingle::jmi::Retract retract;
      retract.reason.condition = "cancel";
      out_.send_jmi(spec_.to.bare(), jingle::Sid{spec_.sid}, retract);
    }
  }
  if (proposed_ && online_) {  // XEP-0353 §3.7: both sides say so
    jingle::jmi::Finish finish;
    finish.reason.condition = reason;
    out_.send_jmi(peer_, session_->sid(), finish);
  }
  report_.result = std::move(result);
  report_.reason = std::move(reason);
  if (leg_open_) out_.put(CloseLeg{});
  stage_ = Stage::closing;
  deadline_ = out_.now() + kClosing;
  close_when_done();
}

void Caller::close_when_done() {
  if (stage_ != Stage::closing || leg_open_ || !terminate_id_.empty()) return;
  if (!online_) {
    stage_ = Stage::finished;
    return;
  }
  stage_ = Stage::logging_out;
  deadline_ = out_.now() + kClosing;
  out_.put(Disconnect{});
}

}  // namespace call
