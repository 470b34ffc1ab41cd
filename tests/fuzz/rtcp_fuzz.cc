// Fuzz target: a peer's RTCP after SRTP, among its RTP, and what one reports of it. The input is a
// row of datagrams, each behind two bytes: its length, and in the highest bits how much later it
// comes.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <variant>
#include <vector>

#include "media/limits.h"
#include "media/rtcp.h"
#include "media/rtcp_session.h"
#include "media/rtp_header.h"

namespace {

using Bytes = std::span<const std::uint8_t>;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_packets(const std::vector<media::rtcp::Packet>& packets) {
  const auto written = media::rtcp::write(packets);
  if (packets.empty()) return require(written.empty());
  require(media::rtcp::parse(written) == packets);
}

// What a session says of it is well-formed, bounded, and about those it heard.
void check_session(media::RtcpSession& session, std::chrono::nanoseconds now) {
  require(session.peer_loss() >= 0 && session.peer_loss() <= 1);
  require(session.rtt_ms() >= 0 && session.rtt_ms() < 60000);
  require(session.listener_loss().step() < media::ListenerLoss::kSteps);
  const auto packets = media::rtcp::parse(session.report(now));
  require(packets && packets->size() == 2);
  const auto* sender = std::get_if<media::rtcp::SenderReport>(&packets->front());
  const auto* receiver = std::get_if<media::rtcp::ReceiverReport>(&packets->front());
  require(sender || receiver);
  require((sender ? sender->blocks : receiver->blocks).size() <= media::RtcpSession::kSources);
  check_packets(*packets);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint32_t kOurs = 0x11111111;
  Bytes rest(data, size);
  std::chrono::nanoseconds now = std::chrono::hours(1);
  media::RtcpSession session(kOurs, "ours", std::chrono::hours(24 * 365 * 50));
  while (rest.size() >= 2) {
    const std::size_t head = std::size_t{rest[0]} << 8 | rest[1];
    rest = rest.subspan(2);
    const Bytes bytes = rest.first(std::min(head % 2048, rest.size()));
    rest = rest.subspan(bytes.size());
    now += std::chrono::milliseconds(100 * (head / 2048));
    if (media::looks_like_rtcp(bytes)) {
      const auto packets = media::rtcp::parse(bytes);
      require(session.rtcp_received(bytes, now) == packets.has_value());
      if (packets) check_packets(*packets);
    } else if (const auto packet = media::parse_rtp(bytes)) {
      session.rtp_received(*packet, now, packet->payload_type == 111);
      if (packet->marker) session.rtp_sent(*packet, now);
    }
    check_session(session, now);
    if (session.collided()) session.renew(kOurs + static_cast<std::uint32_t>(head));
  }
  require(media::rtcp::parse(session.bye(now)).has_value());
  return 0;
}
