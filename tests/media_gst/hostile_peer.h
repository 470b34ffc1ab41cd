// tests/media_gst/hostile_peer.h: a caller made by hand, up to where it wants to be: its half may
// lie, its DTLS stop half way, and with its keys it sends what no client would.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "media/audio_frame.h"
#include "media/gst/dtls_srtp.h"
#include "media/rtp_header.h"
#include "tests/media_gst/engine_fixture.h"
#include "tests/support/stun.h"

namespace media::gst {

class HostilePeer {
 public:
  using Bytes = support::Bytes;
  static constexpr LegId kLeg{9};
  static constexpr std::uint32_t kSsrc = 0x4242;

  // `mixer` outlives it.
  HostilePeer(Engine& mixer, RoomId room, LegId leg = kLeg)
      : mixer_(mixer), room_(room), leg_(leg) {}

  // Its half, as the mixer gets it.
  LegRemote half(const DtlsFingerprint& fingerprint) {
    LegRemote half;
    half.ice = {end.ufrag, end.pwd};
    auto& candidate = half.candidates.emplace_back();
    candidate.foundation = "f";
    candidate.ip = "127.0.0.1";
    candidate.port = end.port();
    candidate.priority = 2130706431;
    half.fingerprint = fingerprint;
    half.our_role = DtlsRole::client;
    return half;
  }
  void dial_in(const LegRemote& half) {
    mixer_.engine->open_leg(leg_for(leg_, room_, half));
    opened_ = mixer_.log.wait_for<LegOpened>(leg_).value();
    end.other = {opened_.ice.ufrag, opened_.ice.pwd, "127.0.0.1", opened_.candidates.at(0).port};
  }
  void start_dtls() {
    dtls = std::make_unique<DtlsSrtp>(identity, DtlsRole::server, opened_.fingerprint, kSsrc,
                                      [this](auto datagram) { end.send(datagram); });
  }
  // Answers the mixer's checks, sends own ones and hands DTLS to `dtls`, until `done`.
  bool serve(const std::function<bool()>& done) {
    using namespace std::chrono_literals;
    auto next_check = std::chrono::steady_clock::now();
    return eventually(
        [&] {
          if (std::chrono::steady_clock::now() >= next_check) {
            end.send(end.check());
            next_check += 200ms;
          }
          while (const auto datagram = end.receive(5ms)) take(*datagram);
          return done();
        },
        kPatience);
  }
  void take(const Bytes& datagram) {
    if (support::stun_type(datagram) == support::Stun::kRequest) end.send(end.success(datagram));
    if (dtls && datagram[0] >= 20 && datagram[0] < 64) dtls->receive(datagram);
  }
  std::uint32_t mixers_ssrc() const { return opened_.ssrc; }
  bool connected() const { return mixer_.log.count<LegConnected>(leg_) > 0; }
  void connect() {
    dial_in(half(identity.fingerprint()));
    start_dtls();
    ASSERT_TRUE(serve([&] { return connected(); })) << dtls->error();
  }
  // Returns what the mixer has counted of it.
  LegStatistics hang_up() {
    mixer_.engine->close_leg(leg_);
    const auto closed = mixer_.log.wait_for<LegClosed>(leg_);
    EXPECT_TRUE(closed);
    return closed ? closed->statistics : LegStatistics{};
  }

  // With its keys; nullopt: libsrtp finds that it is none, and so would the mixer's.
  std::optional<Bytes> seal_rtp(Bytes packet) {
    const std::size_t size = packet.size();
    packet.resize(size + DtlsSrtp::kTrailer);
    return sealed(packet, dtls->protect_rtp(packet, size));
  }
  std::optional<Bytes> seal_rtcp(Bytes packet) {
    const std::size_t size = packet.size();
    packet.resize(size + DtlsSrtp::kTrailer);
    return sealed(packet, dtls->protect_rtcp(packet, size));
  }
  // 20 ms of a tone.
  void say(double tone_hz) {
    const auto samples = test_support::tone(tone_hz, 8000, kFrame_samples, said_);
    Bytes packet(kMaxRtpHeaderBytes + 400);
    const RtpHeader header{.payload_type = 111,
                           .sequence = static_cast<std::uint16_t>(said_ / kFrame_samples),
                           .timestamp = static_cast<std::uint32_t>(said_),
                           .ssrc = kSsrc};
    const auto begin = write_rtp_header(header, {}, 0, packet);
    const auto length =
        opus_encode(encoder_.get(), samples.data(), kFrame_samples, packet.data() + begin, 400);
    said_ += kFrame_samples;
    packet.resize(begin + static_cast<std::size_t>(length));
    const auto datagram = seal_rtp(std::move(packet));
    ASSERT_TRUE(datagram);
    end.send(*datagram);
  }

  support::IceEnd end;
  DtlsIdentity identity;
  std::unique_ptr<DtlsSrtp> dtls;

 private:
  static std::optional<Bytes> sealed(Bytes& packet, std::optional<std::size_t> size) {
    if (!size) return std::nullopt;
    packet.resize(*size);
    return std::move(packet);
  }

  Engine& mixer_;
  const RoomId room_;
  const LegId leg_;
  LegOpened opened_;
  std::unique_ptr<OpusEncoder, decltype(&opus_encoder_destroy)> encoder_{
      opus_encoder_create(48000, 1, OPUS_APPLICATION_AUDIO, nullptr), &opus_encoder_destroy};
  std::size_t said_ = 0;  // samples
};

}  // namespace media::gst
