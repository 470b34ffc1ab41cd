#include "media/gst/leg_transport.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <random>
#include <utility>

#include "media/check.h"
#include "media/gst/dtls_srtp.h"
#include "media/gst/ice_paths.h"
#include "media/gst/leg_src.h"
#include "media/gst/signs_of_life.h"
#include "media/gst/srtp_session.h"
#include "media/gst/transport_limits.h"
#include "media/limits.h"
#include "media/rtcp_session.h"
#include "media/rtp_header.h"

namespace media::gst {
namespace {

using TimePoint = LegTransport::TimePoint;
using Clock = std::chrono::steady_clock;

// A peer's flight that beat the events which make us ready for it; the rest it sends again.
constexpr std::size_t kHeldFlight = 4;

// RFC 7983 §7, by the first byte; STUN never gets here.
enum class Kind { dtls, media, junk };
Kind kind_of(std::span<const std::uint8_t> datagram) {
  if (datagram.empty() || datagram.size() > limits::kMaxPacketBytes) return Kind::junk;
  const auto first = datagram[0];
  if (first >= 20 && first <= 63) return Kind::dtls;
  if (first >= 128 && first <= 191) return Kind::media;
  return Kind::junk;
}

std::chrono::nanoseconds wall_offset() {
  return std::chrono::system_clock::now().time_since_epoch() - Clock::now().time_since_epoch();
}

std::string cname_of(const TransportSpec& spec) {
  return spec.cname.empty() ? "mixer-" + std::to_string(spec.ssrc) : spec.cname;
}

}  // namespace

class LegTransport::Impl final : private IcePaths::Observer {
 public:
  Impl(Host& host, TransportSpec spec)
      : host_(host),
        spec_(std::move(spec)),
        rtcp_(spec_.ssrc, cname_of(spec_), wall_offset()),
        random_(spec_.ssrc),
        ice_(host_.context, *host_.ice, spec_.ice_controlling, *this) {}

  void open() {
    if (!ice_.open(spec_.rtcp_mux ? 1 : 2)) {
      fail(LegFailure::no_port, "no local address, or no port left");
    }
  }

  void connect(LegRemote remote) {
    if (state_ != State::opening || remote_) return;
    remote_ = std::move(remote);
    connect_deadline_ = Clock::now() + limits::kConnectTime;
    if (!ice_.begin_checks(remote_->ice)) {
      fail(LegFailure::ice_failed, "unusable ICE credentials");
      return;
    }
    add_remote_candidates(std::exchange(remote_->candidates, {}));
    for (int component = 1; component <= 2; ++component) start_dtls(component);
    reschedule();
  }

  void add_remote_candidates(const std::vector<IceCandidate>& candidates) {
    if (state_ == State::failed) return;
    const auto skipped = ice_.add_remote_candidates(candidates);
    for (std::size_t i = 0; i < skipped; ++i) host_.counters.candidates_skipped++;
  }

  void restart_ice(const IceRestart& restart) {
    if (state_ == State::failed || !remote_) return;
    // Unusable credentials of an answer: as if it had never come.
    if (restart.remote && ice_.awaits_answer()) {
      ice_.begin_checks(*restart.remote);
    } else {
      remote_ufrag_ = restart.remote ? restart.remote->ufrag : "";
      const int components = spec_.rtcp_mux || remote_->rtp.rtcp_mux ? 1 : 2;
      if (ice_.restart(components, restart, Clock::now())) return;
      host_.emit(IceRestarted{spec_.leg, {}, {}, remote_ufrag_});
    }
  }

  // The steps of send().
  void fetch() const {
    constexpr std::size_t kLine_bytes = 64;
    const auto* const first = reinterpret_cast<const std::byte*>(this);
    for (std::size_t at = 0; at < kHot_bytes; at += kLine_bytes) __builtin_prefetch(first + at);
    __builtin_prefetch(&ice_);
  }
  void fetch_way() const {
    if (srtp_) srtp_->fetch();
    ice_.fetch();
  }
  struct Protected {
    RtpPacket header;
    std::size_t size = 0;  // 0: not to be sent
  };
  Protected protect(const Packet& packet) {
    if (state_ != State::connected || packet.size > limits::kMaxPacketBytes) return {};
    const auto header = parse_rtp(packet.buffer.first(packet.size));
    if (!header || header->ssrc != spec_.ssrc) return {};
    if (ssrc_ != spec_.ssrc) write_ssrc(ssrc_, packet.buffer);
    return {*header, srtp_->protect_rtp(packet.buffer, packet.size).value_or(0)};
  }
  void transmit(const Packet& packet, const Protected& it, TimePoint now) {
    if (it.size == 0) {
      host_.counters.unsent++;
      return;
    }
    if (!ice_.send(1, packet.buffer.first(it.size))) {
      host_.counters.refused++;
      return;
    }
    host_.counters.rtp_sent++;
    rtcp_.rtp_sent(it.header, now.time_since_epoch());
  }

  void on_deadline(TimePoint now) {
    scheduled_ = TimePoint::max();
    if (state_ == State::failed) {
      // Not in fail() itself, which a callback of these may have called. ICE checks end here.
      srtp_ = nullptr;
      for (auto& component : components_) component.dtls.reset();
      ice_.close();
      return;
    }
    ice_.on_deadline(now);
    for (int component = 1; component <= 2; ++component) resend_flight(component, now);
    if (state_ == State::opening && now >= connect_deadline_) {
      if (ice_.connected(1)) {
        fail(LegFailure::dtls_failed, "no DTLS handshake in time");
      } else {
        fail(LegFailure::ice_failed, "no candidate pair connected in time");
      }
    }
    if (state_ == State::connected) {
      if (now >= next_report_) report(now);
      if (signs_.on_deadline(now)) host_.emit(LegQuiet{spec_.leg});
    }
    reschedule();
  }

  void say_bye() {
    if (state_ != State::connected) return;
    send_rtcp(rtcp_.bye(Clock::now().time_since_epoch()));
    for (auto& component : components_) {
      if (component.dtls) component.dtls->close();
    }
  }

  LegStatistics statistics() const {
    return {.sent = rtcp_.sent(),
            .received = rtcp_.received(),
            .lost = rtcp_.lost(),
            .jitter_ms = rtcp_.jitter_ms(),
            .rtt_ms = rtcp_.rtt_ms()};
  }

 private:
  enum class State {
    opening,
    connected,
    lost,  // LegFailed{consent_lost}; only a restart can mend it
    failed,
  };
  struct Component {
    std::unique_ptr<DtlsSrtp> dtls;
    TimePoint resend = TimePoint::max();
    std::vector<std::vector<std::uint8_t>> held_flight;
  };

  Component& component_of(int component) { return components_[component == 2 ? 1 : 0]; }
  // RFC 5761 §5.1.1: not multiplexed unless the answer agrees. A component 2 that was not gathered
  // is never connected: then there are no reports.
  int rtcp_component() const { return remote_->rtp.rtcp_mux ? 1 : 2; }

  // IcePaths::Observer.
  void ice_candidates(News news, std::vector<IceCandidate> candidates) override {
    switch (news) {
      case News::opened:
        host_.emit(LegOpened{.leg = spec_.leg,
                             .ice = ice_.credentials(),
                             .candidates = std::move(candidates),
                             .fingerprint = host_.identity->fingerprint(),
                             .ssrc = spec_.ssrc});
        break;
      case News::restarted:
        host_.emit(
            IceRestarted{spec_.leg, ice_.credentials(), std::move(candidates), remote_ufrag_});
        break;
      case News::more: host_.emit(CandidatesGathered{spec_.leg, std::move(candidates)}); break;
    }
  }

  void ice_connected(int component) override { start_dtls(component); }

  void ice_restart_done() override {
    if (state_ == State::opening || state_ == State::failed) return;
    state_ = State::connected;
    tell_connected();
  }

  void ice_lost() override {
    if (state_ == State::opening) {
      fail(LegFailure::ice_failed, "the candidate pair was lost");
    } else {
      fail(LegFailure::consent_lost, "the peer's consent expired or was withdrawn");
    }
  }

  void ice_flooded() override {
    fail(LegFailure::ice_failed, "the peer's checks come from too many addresses");
  }

  void ice_heard() override {
    if (state_ != State::failed && signs_.other(Clock::now())) heard_again();
  }

  void ice_schedule() override { reschedule(); }

  void ice_received(int component, std::span<std::uint8_t> datagram) override {
    if (state_ == State::failed) return;
    switch (kind_of(datagram)) {
      case Kind::dtls: dtls_received(component, datagram); break;
      case Kind::media: media_received(component, datagram); break;
      case Kind::junk: host_.counters.junk++; break;
    }
  }

  void start_dtls(int number) {
    auto& component = component_of(number);
    if (state_ == State::failed || !remote_ || !ice_.connected(number) || component.dtls) return;
    if (number == 2 && rtcp_component() != 2) return;
    component.dtls = std::make_unique<DtlsSrtp>(
        *host_.identity, remote_->our_role, remote_->fingerprint, ssrc_,
        [this, number](std::span<const std::uint8_t> out) { ice_.send(number, out); });
    dtls_changed(number, component.dtls->start());
    for (const auto& datagram : std::exchange(component.held_flight, {})) {
      if (state_ != State::failed) dtls_changed(number, component.dtls->receive(datagram));
    }
  }

  void dtls_received(int number, std::span<const std::uint8_t> datagram) {
    auto& component = component_of(number);
    host_.counters.dtls_received++;
    if (component.dtls) {
      dtls_changed(number, component.dtls->receive(datagram));
    } else if (component.held_flight.size() < kHeldFlight) {
      component.held_flight.emplace_back(datagram.begin(), datagram.end());
    }
  }

  void dtls_changed(int number, DtlsSrtp::State state) {
    auto& component = component_of(number);
    switch (state) {
      case DtlsSrtp::State::handshaking: break;
      case DtlsSrtp::State::connected:
        if (number == 1 && state_ == State::opening) connected();
        break;
      case DtlsSrtp::State::fingerprint_mismatch:
        fail(LegFailure::fingerprint_mismatch, component.dtls->error());
        return;
      case DtlsSrtp::State::failed: fail(LegFailure::dtls_failed, component.dtls->error()); return;
    }
    const auto timeout = component.dtls->timeout();
    component.resend = timeout ? Clock::now() + *timeout : TimePoint::max();
    reschedule();
  }

  void resend_flight(int number, TimePoint now) {
    auto& component = component_of(number);
    if (state_ == State::failed || !component.dtls || now < component.resend) return;
    dtls_changed(number, component.dtls->on_timeout());
  }

  void connected() {
    state_ = State::connected;
    srtp_ = components_[0].dtls->srtp();
    const auto now = Clock::now();
    signs_.other(now);
    next_report_ = now + report_interval(true);
    tell_connected();
  }

  void tell_connected() {
    host_.emit(LegConnected{spec_.leg, ice_.selected_local(), ice_.selected_remote()});
  }

  void media_received(int number, std::span<std::uint8_t> datagram) {
    auto* dtls = component_of(number).dtls.get();
    if (state_ == State::opening || !dtls || dtls->state() != DtlsSrtp::State::connected) {
      host_.counters.early++;
      return;
    }
    const auto now = Clock::now();
    const bool rtcp = looks_like_rtcp(datagram);
    if (!(rtcp ? rtcp_received(*dtls, datagram, now) : rtp_received(*dtls, datagram, now))) {
      host_.counters.srtp_rejected++;
      return;
    }
    if (rtcp ? signs_.other(now) : signs_.rtp(now)) heard_again();
  }

  void heard_again() {
    host_.emit(LegHeard{spec_.leg});
    reschedule();
  }

  bool rtp_received(DtlsSrtp& dtls, std::span<std::uint8_t> datagram, TimePoint now) {
    const auto size = dtls.unprotect_rtp(datagram);
    if (!size) return false;
    const auto header = parse_rtp(datagram.first(*size));
    if (!header) return false;
    host_.counters.rtp_received++;
    rtcp_.rtp_received(*header, now.time_since_epoch(),
                       header->payload_type == remote_->rtp.opus_payload_type);
    if (rtcp_.collided()) renew_ssrc();
    if (spec_.leg_src) {
      BufferPtr buffer(gst_buffer_new_allocate(nullptr, *size, nullptr));
      gst_buffer_fill(buffer.get(), 0, datagram.data(), *size);
      leg_src_push(spec_.leg_src.get(), std::move(buffer));
    }
    return true;
  }

  bool rtcp_received(DtlsSrtp& dtls, std::span<std::uint8_t> datagram, TimePoint now) {
    const auto size = dtls.unprotect_rtcp(datagram);
    if (!size || !rtcp_.rtcp_received(datagram.first(*size), now.time_since_epoch())) return false;
    host_.counters.rtcp_received++;
    if (rtcp_.collided()) renew_ssrc();
    const auto step = rtcp_.listener_loss().step();
    if (step != std::exchange(told_loss_step_, step) && spec_.leg_src) {
      leg_src_tell_loss(spec_.leg_src.get(), step);
    }
    return true;
  }

  // RFC 3550 §8.2. A loop it is not: what we sent ourselves does not pass the peer's keys (RFC 5764
  // §4.2). The room goes on writing the old one, send() puts the new one in its place.
  void renew_ssrc() {
    if (ssrcs_left_ == 0) return;
    --ssrcs_left_;
    send_rtcp(rtcp_.bye(Clock::now().time_since_epoch()));
    // Not random_: both sides may have been seeded with the SSRC that they have in common.
    ssrc_ = std::random_device{}();
    rtcp_.renew(ssrc_);
    for (auto& component : components_) {
      if (component.dtls) component.dtls->set_ssrc(ssrc_);
    }
  }

  void report(TimePoint now) {
    send_rtcp(rtcp_.report(now.time_since_epoch()));
    next_report_ = now + report_interval(false);
  }

  void send_rtcp(const std::vector<std::uint8_t>& packet) {
    const int number = rtcp_component();
    auto* dtls = component_of(number).dtls.get();
    auto& scratch = host_.scratch;
    if (!dtls || packet.size() + DtlsSrtp::kTrailer > scratch.size()) return;
    std::copy(packet.begin(), packet.end(), scratch.begin());
    const auto length = dtls->protect_rtcp(scratch, packet.size());
    if (length && ice_.send(number, std::span(scratch).first(*length))) {
      host_.counters.rtcp_sent++;
    }
  }

  TimePoint::duration report_interval(bool first) {
    return RtcpSession::interval(std::uniform_real_distribution<>(0, 1)(random_), first);
  }

  void fail(LegFailure cause, std::string text) {
    if (state_ == State::failed) return;
    state_ = cause == LegFailure::consent_lost ? State::lost : State::failed;
    host_.emit(LegFailed{spec_.leg, cause, std::move(text)});
    reschedule();
  }

  void reschedule() {
    auto next = ice_.next_deadline();
    switch (state_) {
      case State::opening: next = std::min(next, connect_deadline_); break;
      case State::connected: next = std::min({next, next_report_, signs_.next_deadline()}); break;
      case State::lost: break;
      case State::failed: next = Clock::now(); break;
    }
    if (state_ != State::failed) {
      for (const auto& component : components_) next = std::min(next, component.resend);
    }
    if (next == scheduled_) return;
    scheduled_ = next;
    host_.schedule(spec_.leg, next);
  }

  // What each packet needs that is sent comes first.
  static constexpr std::size_t kHot_bytes = 256;
  Host& host_;
  const TransportSpec spec_;
  State state_ = State::opening;
  std::uint32_t ssrc_ = spec_.ssrc;  // what we send with
  SrtpSession* srtp_ = nullptr;      // of component 1, once connected
  RtcpSession rtcp_;
  int ssrcs_left_ = limits::kSsrcRenewals;
  std::uint8_t told_loss_step_ = 0;
  std::minstd_rand random_;
  SignsOfLife signs_;
  std::optional<LegRemote> remote_;
  std::string remote_ufrag_;  // that the last ICE restart began with; empty: an offer of ours
  TimePoint connect_deadline_ = TimePoint::max(), next_report_{};
  TimePoint scheduled_ = TimePoint::max();
  // The agents first to be destroyed: their last packets must not find half an object.
  std::array<Component, 2> components_;
  IcePaths ice_;
};

LegTransport::LegTransport(Host& host, TransportSpec spec)
    : impl_(std::make_unique<Impl>(host, std::move(spec))) {}
LegTransport::~LegTransport() = default;

void LegTransport::open() { impl_->open(); }
void LegTransport::connect(LegRemote remote) { impl_->connect(std::move(remote)); }
void LegTransport::add_remote_candidates(const std::vector<IceCandidate>& candidates) {
  impl_->add_remote_candidates(candidates);
}
void LegTransport::restart_ice(const IceRestart& restart) { impl_->restart_ice(restart); }
void LegTransport::send(std::span<const Packet> packets) {
  CHECK(packets.size() <= kAtOnce);
  std::array<Impl::Protected, kAtOnce> sealed;
  for (const Packet& packet : packets) packet.leg->impl_->fetch();
  for (const Packet& packet : packets) packet.leg->impl_->fetch_way();
  for (std::size_t i = 0; i < packets.size(); ++i) {
    sealed[i] = packets[i].leg->impl_->protect(packets[i]);
  }
  const auto now = Clock::now();
  for (std::size_t i = 0; i < packets.size(); ++i) {
    packets[i].leg->impl_->transmit(packets[i], sealed[i], now);
  }
}
void LegTransport::on_deadline(TimePoint now) { impl_->on_deadline(now); }
void LegTransport::say_bye() { impl_->say_bye(); }
LegStatistics LegTransport::statistics() const { return impl_->statistics(); }

}  // namespace media::gst
