#include "media/rtcp_session.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "media/audio_frame.h"

namespace media {
namespace {

// RFC 3550 A.1.
constexpr std::uint16_t kMaxDropout = 3000, kMaxMisorder = 100;
constexpr std::uint32_t kSequenceModulus = 1U << 16, kNoBadSequence = kSequenceModulus + 1;
// Seconds from 1900 (NTP) to 1970.
constexpr std::uint64_t kNtpEpoch = 2208988800U;

std::int64_t rtp_units(ReceptionStatistics::Duration time) {
  // 48 units per millisecond; in two steps so that it never overflows.
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time);
  return ms.count() * (kSampleRate_hz / 1000) + (time - ms).count() * 6 / 125000;
}

constexpr auto ssrc_of = [](const auto& source) { return source.statistics.ssrc(); };

}  // namespace

ReceptionStatistics::ReceptionStatistics(std::uint32_t ssrc, std::uint16_t first_sequence)
    : ssrc_(ssrc) {
  restart(first_sequence);
}

void ReceptionStatistics::restart(std::uint16_t sequence) {
  base_sequence_ = max_sequence_ = sequence;
  bad_sequence_ = kNoBadSequence;
  cycles_ = 0;
  received_ = received_prior_ = expected_prior_ = 0;
  transit_.reset();
}

bool ReceptionStatistics::update(std::uint16_t sequence, std::optional<std::uint32_t> timestamp,
                                 Duration arrival) {
  const auto ahead = static_cast<std::uint16_t>(sequence - max_sequence_);
  if (ahead < kMaxDropout) {
    if (sequence < max_sequence_) cycles_ += kSequenceModulus;
    max_sequence_ = sequence;
  } else if (ahead <= kSequenceModulus - kMaxMisorder) {
    if (sequence != bad_sequence_) {
      bad_sequence_ = (sequence + 1U) & (kSequenceModulus - 1U);
      return false;
    }
    const auto lost_so_far = lost();
    restart(sequence);
    lost_before_restart_ = lost_so_far;
  }  // else: duplicate or reordered
  received_++;

  if (!timestamp) return true;
  const std::int64_t transit =
      static_cast<std::int64_t>(static_cast<std::uint32_t>(rtp_units(arrival)) - *timestamp);
  if (transit_) {
    const auto difference =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(transit - *transit_));
    jitter_ += (std::abs(static_cast<double>(difference)) - jitter_) / 16;
  }
  transit_ = transit;
  return true;
}

std::int64_t ReceptionStatistics::expected() const {
  return static_cast<std::int64_t>(cycles_) + max_sequence_ - base_sequence_ + 1;
}

std::int64_t ReceptionStatistics::lost() const {
  return lost_before_restart_ + expected() - received_;
}

rtcp::ReportBlock ReceptionStatistics::report() {
  const auto expected_interval = expected() - std::exchange(expected_prior_, expected());
  const auto received_interval = received_ - std::exchange(received_prior_, received_);
  const auto lost_interval = expected_interval - received_interval;
  rtcp::ReportBlock block;
  block.ssrc = ssrc_;
  if (expected_interval > 0 && lost_interval > 0) {
    block.fraction_lost = static_cast<std::uint8_t>(
        std::min<std::int64_t>(255, (lost_interval << 8) / expected_interval));
  }
  block.cumulative_lost =
      static_cast<std::int32_t>(std::clamp<std::int64_t>(lost(), -0x800000, 0x7fffff));
  block.highest_sequence = cycles_ + max_sequence_;
  block.jitter = static_cast<std::uint32_t>(jitter_);
  return block;
}

RtcpSession::RtcpSession(std::uint32_t ssrc, std::string cname, Duration wall_offset)
    : ssrc_(ssrc), cname_(std::move(cname)), wall_offset_(wall_offset) {}

void RtcpSession::rtp_sent(const RtpPacket& packet, Duration now) {
  sent_++;
  packets_++;
  octets_ += static_cast<std::uint32_t>(packet.payload.size());
  last_timestamp_ = packet.timestamp;
  last_sent_ = now;
}

void RtcpSession::rtp_received(const RtpPacket& packet, Duration now, bool audio) {
  Source& source = source_of(packet);
  source.heard = true;
  source.audio = source.audio || audio;
  source.statistics.update(packet.sequence, audio ? std::optional(packet.timestamp) : std::nullopt,
                           now);
  if (!audio) return;
  received_++;
  jitter_ = source.statistics.jitter();
}

// The peer may have several at once and choose anew at any time (RFC 3550 §8.2).
RtcpSession::Source& RtcpSession::source_of(const RtpPacket& packet) {
  collided_ = collided_ || packet.ssrc == ssrc_;
  const auto found = std::ranges::find(sources_, packet.ssrc, ssrc_of);
  if (found != sources_.end()) {
    std::rotate(sources_.begin(), found, found + 1);
    return sources_.front();
  }
  if (sources_.size() == kSources) forget(sources_.end() - 1);
  Source fresh{.statistics = {packet.ssrc, packet.sequence}};
  if (early_sr_ != 0 && early_sr_ssrc_ == packet.ssrc) {
    fresh.last_sr = std::exchange(early_sr_, 0);
    fresh.last_sr_arrival = early_sr_arrival_;
  }
  return *sources_.insert(sources_.begin(), fresh);
}

void RtcpSession::forget(std::vector<Source>::iterator source) {
  if (source->audio) lost_before_ += source->statistics.lost();
  sources_.erase(source);
}

bool RtcpSession::rtcp_received(std::span<const std::uint8_t> datagram, Duration now) {
  const auto packets = rtcp::parse(datagram);
  if (!packets) return false;
  const bool collided_before = collided_;
  bool given_up = false;
  for (const auto& packet : *packets) {
    if (const auto* sender = std::get_if<rtcp::SenderReport>(&packet)) {
      take(*sender, now);
      for (const auto& block : sender->blocks) take_block(block, now);
    } else if (const auto* receiver = std::get_if<rtcp::ReceiverReport>(&packet)) {
      collided_ = collided_ || receiver->ssrc == ssrc_;
      for (const auto& block : receiver->blocks) take_block(block, now);
    } else if (const auto* bye = std::get_if<rtcp::Bye>(&packet)) {
      take(*bye);
      given_up = given_up || std::ranges::find(bye->ssrcs, ssrc_) != bye->ssrcs.end();
    }
  }
  if (given_up) collided_ = collided_before;  // the peer was first to find out
  return true;
}

void RtcpSession::take(const rtcp::SenderReport& report, Duration now) {
  collided_ = collided_ || report.ssrc == ssrc_;
  const auto middle = static_cast<std::uint32_t>(report.ntp >> 16);
  const auto found = std::ranges::find(sources_, report.ssrc, ssrc_of);
  if (found != sources_.end()) {
    found->last_sr = middle;
    found->last_sr_arrival = now;
  } else {
    early_sr_ = middle;
    early_sr_ssrc_ = report.ssrc;
    early_sr_arrival_ = now;
  }
}

// RFC 3550 §6.6. What comes of them nevertheless was overtaken, and makes them new sources.
void RtcpSession::take(const rtcp::Bye& bye) {
  for (const std::uint32_t ssrc : bye.ssrcs) {
    const auto found = std::ranges::find(sources_, ssrc, ssrc_of);
    if (found != sources_.end()) forget(found);
  }
}

void RtcpSession::take_block(const rtcp::ReportBlock& block, Duration now) {
  if (block.ssrc != ssrc_) return;
  peer_loss_ = block.fraction_lost / 256.0;
  // By our own count, which nobody can make up.
  const auto packets = sent_ - std::exchange(sent_at_peers_report_, sent_);
  listener_loss_.report(peer_loss_, packets);
  if (block.last_sr == 0) return;
  // RFC 3550 §6.4.1: A - LSR - DLSR, in 1/65536 s. A peer's lie may make it anything: keep what a
  // network can be.
  const auto arrival = static_cast<std::uint32_t>(ntp(now) >> 16);
  const auto round_trip =
      static_cast<std::int32_t>(arrival - block.last_sr - block.delay_since_last_sr);
  const double ms = std::max(0.0, round_trip * 1000.0 / 65536);
  if (ms < 60000) rtt_ms_ = ms;
}

std::uint64_t RtcpSession::ntp(Duration now) const {
  const auto wall = now + wall_offset_;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wall);
  const auto fraction = static_cast<std::uint64_t>((wall - seconds).count());
  return (static_cast<std::uint64_t>(seconds.count()) + kNtpEpoch) << 32 |
         (fraction << 32) / 1000000000U;
}

std::vector<rtcp::Packet> RtcpSession::packets(Duration now) {
  std::vector<rtcp::ReportBlock> blocks;
  for (Source& source : sources_) {
    if (!std::exchange(source.heard, false)) continue;
    auto block = source.statistics.report();
    if (source.last_sr != 0) {
      block.last_sr = source.last_sr;
      const auto delay = std::max(Duration::zero(), now - source.last_sr_arrival);
      block.delay_since_last_sr =
          static_cast<std::uint32_t>(std::chrono::duration<double>(delay).count() * 65536);
    }
    blocks.push_back(block);
  }
  std::vector<rtcp::Packet> out;
  if (sent_ != sent_at_last_report_) {
    sent_at_last_report_ = sent_;
    out.emplace_back(rtcp::SenderReport{
        .ssrc = ssrc_,
        .ntp = ntp(now),
        .rtp_timestamp = last_timestamp_ + static_cast<std::uint32_t>(rtp_units(now - last_sent_)),
        .packets = packets_,
        .octets = octets_,
        .blocks = std::move(blocks)});
  } else {
    out.emplace_back(rtcp::ReceiverReport{.ssrc = ssrc_, .blocks = std::move(blocks)});
  }
  out.emplace_back(rtcp::SourceDescription{.ssrc = ssrc_, .cname = cname_});
  return out;
}

std::vector<std::uint8_t> RtcpSession::report(Duration now) { return rtcp::write(packets(now)); }

std::vector<std::uint8_t> RtcpSession::bye(Duration now) {
  auto out = packets(now);
  out.emplace_back(rtcp::Bye{.ssrcs = {ssrc_}, .reason = {}});
  return rtcp::write(out);
}

RtcpSession::Duration RtcpSession::interval(double uniform, bool first) {
  constexpr std::chrono::duration<double> kInterval{5};
  const auto chosen = kInterval * (0.5 + uniform);
  return std::chrono::duration_cast<Duration>(first ? chosen / 5 : chosen);
}

void RtcpSession::renew(std::uint32_t ssrc) {
  ssrc_ = ssrc;
  packets_ = octets_ = 0;
  sent_at_last_report_ = sent_at_peers_report_ = sent_;
  collided_ = std::ranges::find(sources_, ssrc, ssrc_of) != sources_.end();
}

std::int64_t RtcpSession::lost() const {
  std::int64_t lost = lost_before_;
  for (const Source& source : sources_) {
    if (source.audio) lost += source.statistics.lost();
  }
  return lost;
}

double RtcpSession::jitter_ms() const { return jitter_ * 1000 / kSampleRate_hz; }

}  // namespace media
