#include "mixer/call_record.h"

#include <cstdio>

#include "mixer/limits.h"
#include "mixer/log.h"

namespace mixer {
namespace {

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string seconds(TimePoint::duration duration) {
  return decimal(std::chrono::duration<double>(duration).count());
}

// Peers may say anything at any length.
std::string_view clipped(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace

std::string to_log(const CallRecord& call, const media::LegStatistics* statistics) {
  std::string line = "call=ended";
  const auto add = [&line](std::string_view key, std::string_view value) {
    line.append(1, ' ').append(field(key, value));
  };
  add("room", call.room);
  add("direction", call.dialled_out ? "out" : "in");
  add("peer", call.peer.str());
  add("sid", call.sid.value);
  add("seconds", seconds(call.ended - call.began));
  if (call.connected) {
    add("connected_after", seconds(*call.connected - call.began));
  } else {
    add("connected", "no");
  }
  const std::string& condition = call.reason.condition;
  add("reason", condition.empty() ? "none" : clipped(condition, limits::kMaxLoggedReasonBytes));
  if (!call.reason.text.empty()) {
    add("text", clipped(call.reason.text, limits::kMaxLoggedTextBytes));
  }
  add("by", call.by_peer ? "peer" : "mixer");
  if (!call.cause.empty()) add("cause", call.cause);
  if (call.rtp) {
    add("codec", "opus/" + std::to_string(call.rtp->opus_payload_type));
    add("bitrate", std::to_string(call.rtp->max_bitrate_bps));
  }
  if (!call.connected) return line;
  add("ice_local", call.local);
  add("ice_remote", call.remote);
  if (!statistics) return line;
  add("sent", std::to_string(statistics->sent));
  add("received", std::to_string(statistics->received));
  add("lost", std::to_string(statistics->lost));
  add("jitter_ms", decimal(statistics->jitter_ms));
  // Of a peer that sends no reports it is unknown (RFC 3550 §6.4.1).
  if (statistics->rtt_ms > 0) add("rtt_ms", decimal(statistics->rtt_ms));
  return line;
}

}  // namespace mixer
