// media/rtcp_session.h: what one leg counts and reports (RFC 3550 §6.4, appendix A.1, A.3, A.8).
// Pure: time is a parameter; one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/rtcp.h"
#include "media/rtp_header.h"

namespace media {

// One source as it arrives here.
class ReceptionStatistics {
 public:
  using Duration = std::chrono::nanoseconds;  // since any fixed moment

  ReceptionStatistics(std::uint32_t ssrc, std::uint16_t first_sequence);

  // A.1 (no probation: the packet was authenticated) and A.8. False: a jump; the second packet of a
  // new run is believed and counting starts afresh, what was lost so far being kept.
  bool update(std::uint16_t sequence, std::uint32_t timestamp, Duration arrival);
  // A.3; a later call covers what came since.
  rtcp::ReportBlock report();

  std::uint32_t ssrc() const { return ssrc_; }
  std::int64_t lost() const;                 // may be negative: duplicates
  double jitter() const { return jitter_; }  // in RTP clock units (48 kHz)

 private:
  void restart(std::uint16_t sequence);
  std::int64_t expected() const;

  std::uint32_t ssrc_;
  std::uint16_t max_sequence_ = 0;
  std::uint32_t cycles_ = 0, base_sequence_ = 0, bad_sequence_ = 0;
  std::int64_t received_ = 0, expected_prior_ = 0, received_prior_ = 0, lost_before_restart_ = 0;
  std::optional<std::int64_t> transit_;
  double jitter_ = 0;
};

class RtcpSession {
 public:
  using Duration = ReceptionStatistics::Duration;

  // `wall_offset`: Unix time less the clock of the `now` parameters.
  RtcpSession(std::uint32_t ssrc, std::string cname, Duration wall_offset);

  void rtp_sent(const RtpPacket& packet, Duration now);
  void rtp_received(const RtpPacket& packet, Duration now);
  // False: malformed; nothing has changed. Blocks about other SSRCs than ours change nothing.
  bool rtcp_received(std::span<const std::uint8_t> datagram, Duration now);

  // SR when we sent since the last report, else RR; SDES with CNAME.
  std::vector<std::uint8_t> report(Duration now);
  // The same with BYE.
  std::vector<std::uint8_t> bye(Duration now);

  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }
  std::int64_t lost() const;  // of what the peer sent
  double jitter_ms() const;
  double rtt_ms() const { return rtt_ms_; }  // 0: not known yet
  // What the peer last reported about us: fraction lost, 0 to 1.
  double peer_loss() const { return peer_loss_; }

 private:
  std::uint64_t ntp(Duration now) const;
  std::vector<rtcp::Packet> packets(Duration now);
  void take_block(const rtcp::ReportBlock& block, Duration now);

  std::uint32_t ssrc_;
  std::string cname_;
  Duration wall_offset_;
  // Out.
  std::uint64_t sent_ = 0, sent_at_last_report_ = 0;
  std::uint32_t octets_ = 0, last_timestamp_ = 0;
  Duration last_sent_{};
  // In.
  std::optional<ReceptionStatistics> source_;
  std::uint64_t received_ = 0;
  std::int64_t lost_before_ = 0;  // by sources the peer used earlier
  std::uint32_t last_sr_ = 0, last_sr_ssrc_ = 0;
  Duration last_sr_arrival_{};
  double rtt_ms_ = 0, peer_loss_ = 0;
};

}  // namespace media
