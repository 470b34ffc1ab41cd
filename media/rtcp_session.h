// media/rtcp_session.h: what one leg counts and reports (RFC 3550 §6.4, appendix A.1, A.3, A.8).
// Pure: time is a parameter; one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/listener_loss.h"
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
  // `timestamp`: nullopt for what does not follow the 48 kHz clock: it has no part in the jitter.
  bool update(std::uint16_t sequence, std::optional<std::uint32_t> timestamp, Duration arrival);
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
  // `audio`: Opus, its timestamps at 48 kHz. Other packets of the transport (keys, a bundle's
  // video) are reported too, but have no jitter here and are none of lost() and received().
  void rtp_received(const RtpPacket& packet, Duration now, bool audio = true);
  // False: malformed; nothing has changed. Blocks about other SSRCs than ours change nothing. A BYE
  // ends its sources: they are not reported any more.
  bool rtcp_received(std::span<const std::uint8_t> datagram, Duration now);

  // SR when we sent since the last report, else RR, with a block for each source heard since then;
  // SDES with CNAME.
  std::vector<std::uint8_t> report(Duration now);
  // The same with BYE.
  std::vector<std::uint8_t> bye(Duration now);
  // §6.2, §6.3: from one report to the next, a half to one and a half of five seconds, so that legs
  // do not report in step; a fifth of that to the first one, which tells the peer our CNAME and
  // both the round trip. `uniform`: 0 to 1. With two members there is nothing to reconsider.
  static Duration interval(double uniform, bool first);

  // §8.2: the peer uses our SSRC. Then: bye(), and renew() with another one.
  bool collided() const { return collided_; }
  void renew(std::uint32_t ssrc);

  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }
  std::int64_t lost() const;  // of what the peer sent
  double jitter_ms() const;
  double rtt_ms() const { return rtt_ms_; }  // 0: not known yet
  // What the peer last reported about us: fraction lost, 0 to 1.
  double peer_loss() const { return peer_loss_; }
  // What it lets one expect.
  const ListenerLoss& listener_loss() const { return listener_loss_; }

  // Sources of one peer that are told apart: a bundle's audio, video and their successors. Above it
  // the one heard longest ago goes.
  static constexpr std::size_t kSources = 8;

 private:
  struct Source {
    ReceptionStatistics statistics;
    bool audio = false;  // at least once
    bool heard = false;  // since the last report
    std::uint32_t last_sr = 0;
    Duration last_sr_arrival{};
  };

  std::uint64_t ntp(Duration now) const;
  std::vector<rtcp::Packet> packets(Duration now);
  Source& source_of(const RtpPacket& packet);
  void forget(std::vector<Source>::iterator source);
  void take(const rtcp::SenderReport& report, Duration now);
  void take(const rtcp::Bye& bye);
  void take_block(const rtcp::ReportBlock& block, Duration now);

  std::uint32_t ssrc_;
  std::string cname_;
  Duration wall_offset_;
  bool collided_ = false;
  // Out.
  std::uint64_t sent_ = 0, sent_at_last_report_ = 0;
  std::uint32_t packets_ = 0, octets_ = 0, last_timestamp_ = 0;  // of this SSRC
  Duration last_sent_{};
  // In.
  std::vector<Source> sources_;  // the last one heard first
  std::uint64_t received_ = 0;
  std::int64_t lost_before_ = 0;  // by sources that are forgotten
  double jitter_ = 0;             // of the last audio
  // A sender report may overtake the first packet of its source.
  std::uint32_t early_sr_ = 0, early_sr_ssrc_ = 0;
  Duration early_sr_arrival_{};
  double rtt_ms_ = 0, peer_loss_ = 0;
  std::uint64_t sent_at_peers_report_ = 0;
  ListenerLoss listener_loss_;
};

}  // namespace media
