#include "tools/call/rtp_sender.h"

#include <string_view>
#include <utility>

namespace call {
namespace {

constexpr std::uint32_t kTick_samples = 960;
// A key is held for 160 ms: well over the 40 ms that Q.24 asks receivers to accept.
constexpr int kKey_ticks = 8;
// RFC 4733 §2.5.1.4: the final packet is sent three times.
constexpr int kEndPackets = 3;
constexpr std::uint8_t kKeyVolume = 10;  // -10 dBm0
constexpr std::uint8_t kSpeechLevel_dbov = 60;

void put(std::vector<std::uint8_t>& bytes, std::uint32_t value, int count) {
  for (int i = count - 1; i >= 0; --i) {
    bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

}  // namespace

std::optional<std::uint8_t> dtmf_event(char digit) {
  constexpr std::string_view kKeys = "0123456789*#ABCD";
  const auto at = kKeys.find(digit);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint8_t>(at);
}

RtpSender::RtpSender(std::uint32_t ssrc, media::RtpParameters rtp, std::uint32_t seed)
    : ssrc_(ssrc),
      rtp_(std::move(rtp)),
      sequence_(static_cast<std::uint16_t>(seed)),
      timestamp_(seed * 2654435761U) {}

void RtpSender::press(char digit) {
  const auto event = dtmf_event(digit);
  if (event && rtp_.telephone_event) keys_.push_back(*event);
}

std::vector<std::vector<std::uint8_t>> RtpSender::tick(const OpusFrame* frame) {
  std::vector<std::vector<std::uint8_t>> packets;
  if (!key_ && !keys_.empty()) {
    key_ = Key{keys_.front(), timestamp_, 0};
    keys_.pop_front();
  }
  if (key_) {
    packets = key_tick();
    silent_ = true;
  } else if (frame != nullptr) {
    auto packet = header(rtp_.opus_payload_type, silent_, timestamp_, frame->level_dbov);
    packet.insert(packet.end(), frame->payload.begin(), frame->payload.end());
    packets.push_back(std::move(packet));
    silent_ = false;
  } else {
    silent_ = true;
  }
  timestamp_ += kTick_samples;
  return packets;
}

std::vector<std::vector<std::uint8_t>> RtpSender::key_tick() {
  const int tick = ++key_->ticks;
  const bool last = tick == kKey_ticks;
  std::vector<std::vector<std::uint8_t>> packets;
  for (int i = 0; i < (last ? kEndPackets : 1); ++i) {
    auto packet = header(*rtp_.telephone_event, tick == 1, key_->timestamp, std::nullopt);
    packet.push_back(key_->event);
    packet.push_back(static_cast<std::uint8_t>((last ? 0x80 : 0) | kKeyVolume));
    put(packet, static_cast<std::uint32_t>(tick) * kTick_samples, 2);
    packets.push_back(std::move(packet));
  }
  if (last) key_.reset();
  return packets;
}

std::vector<std::uint8_t> RtpSender::header(std::uint8_t payload_type, bool marker,
                                            std::uint32_t timestamp,
                                            std::optional<std::uint8_t> level) {
  const bool extended = level && rtp_.ssrc_audio_level != 0;
  std::vector<std::uint8_t> bytes;
  bytes.push_back(static_cast<std::uint8_t>(0x80 | (extended ? 0x10 : 0)));
  bytes.push_back(static_cast<std::uint8_t>((marker ? 0x80 : 0) | payload_type));
  put(bytes, sequence_++, 2);
  put(bytes, timestamp, 4);
  put(bytes, ssrc_, 4);
  if (extended) {  // RFC 8285 §4.2, one byte form; RFC 6464 §3
    put(bytes, 0xBEDE0001, 4);
    bytes.push_back(static_cast<std::uint8_t>(rtp_.ssrc_audio_level << 4));
    bytes.push_back(static_cast<std::uint8_t>((*level < kSpeechLevel_dbov ? 0x80 : 0) | *level));
    put(bytes, 0, 2);
  }
  return bytes;
}

}  // namespace call
