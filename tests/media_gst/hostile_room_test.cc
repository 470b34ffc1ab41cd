// What one caller may do to the others in the room: nothing that they hear.
#include <gtest/gtest.h>

#include <thread>

#include "media/audio_frame.h"
#include "media/gst/dtls_srtp.h"
#include "media/gst/transport_limits.h"
#include "media/rtp_header.h"
#include "tests/media_gst/room_of_three.h"
#include "tests/support/sanitized.h"
#include "tests/support/stun.h"

namespace media::gst {
namespace {

using namespace std::chrono_literals;
using support::Bytes;
using support::IceEnd;
using support::Stun;

constexpr LegId kHostile{9};

// A fourth caller made by hand, up to where it wants to be.
class HostileRoom : public testing::Test {
 protected:
  // Our half, as the mixer gets it: the fingerprint may be a lie.
  LegRemote half(const DtlsFingerprint& fingerprint, DtlsRole role_of_mixer = DtlsRole::client) {
    LegRemote half;
    half.ice = {end_.ufrag, end_.pwd};
    auto& candidate = half.candidates.emplace_back();
    candidate.foundation = "f";
    candidate.ip = "127.0.0.1";
    candidate.port = end_.port();
    candidate.priority = 2130706431;
    half.fingerprint = fingerprint;
    half.our_role = role_of_mixer;
    return half;
  }
  void dial_in(const LegRemote& half) {
    room_.mixer.engine->open_leg(leg_for(kHostile, RoomOfThree::kRoom, half));
    opened_ = room_.mixer.log.wait_for<LegOpened>(kHostile).value();
    end_.other = {opened_.ice.ufrag, opened_.ice.pwd, "127.0.0.1", opened_.candidates.at(0).port};
    room_.plan({kHostile});
  }
  // Answers the mixer's checks, sends own ones and hands DTLS to `dtls`, until `done`.
  bool serve(const std::function<bool()>& done) {
    auto next_check = std::chrono::steady_clock::now();
    return eventually(
        [&] {
          if (std::chrono::steady_clock::now() >= next_check) {
            end_.send(end_.check());
            next_check += 200ms;
          }
          while (const auto datagram = end_.receive(5ms)) take(*datagram);
          return done();
        },
        kPatience);
  }
  void take(const Bytes& datagram) {
    if (support::stun_type(datagram) == Stun::kRequest) end_.send(end_.success(datagram));
    if (dtls_ && datagram[0] >= 20 && datagram[0] < 64) dtls_->receive(datagram);
  }
  void start_dtls(DtlsRole role) {
    dtls_ = std::make_unique<DtlsSrtp>(identity_, role, opened_.fingerprint, kSsrc,
                                       [this](auto datagram) { end_.send(datagram); });
  }
  bool connected() const { return room_.mixer.log.count<LegConnected>(kHostile) > 0; }
  void connect() {
    dial_in(half(identity_.fingerprint()));
    start_dtls(DtlsRole::server);
    ASSERT_TRUE(serve([&] { return connected(); })) << dtls_->error();
  }
  // 20 ms of a tone, from us.
  void say(double tone_hz) {
    const auto samples = test_support::tone(tone_hz, 8000, kFrame_samples, said_);
    Bytes packet(kMaxRtpHeaderBytes + 400 + DtlsSrtp::kTrailer);
    const RtpHeader header{.payload_type = 111,
                           .sequence = static_cast<std::uint16_t>(said_ / kFrame_samples),
                           .timestamp = static_cast<std::uint32_t>(said_),
                           .ssrc = kSsrc};
    const auto begin = write_rtp_header(header, {}, 0, packet);
    const auto length =
        opus_encode(encoder_.get(), samples.data(), kFrame_samples, packet.data() + begin, 400);
    said_ += kFrame_samples;
    const auto size = dtls_->protect_rtp(packet, begin + static_cast<std::size_t>(length));
    ASSERT_TRUE(size);
    end_.send(std::span(packet).first(*size));
  }
  void hang_up() {
    room_.mixer.engine->close_leg(kHostile);
    EXPECT_TRUE(room_.mixer.log.wait_for<LegClosed>(kHostile));
  }

  static constexpr std::uint32_t kSsrc = 0x4242;
  RoomOfThree room_;
  IceEnd end_;
  DtlsIdentity identity_;
  LegOpened opened_;
  std::unique_ptr<DtlsSrtp> dtls_;
  std::unique_ptr<OpusEncoder, decltype(&opus_encoder_destroy)> encoder_{
      opus_encoder_create(48000, 1, OPUS_APPLICATION_AUDIO, nullptr), &opus_encoder_destroy};
  std::size_t said_ = 0;  // samples
};

TEST_F(HostileRoom, NobodyHearsAGapWhenACertificateIsNotTheOneAnnounced) {
  const DtlsIdentity other;
  dial_in(half(other.fingerprint()));
  start_dtls(DtlsRole::server);
  EXPECT_TRUE(serve([&] { return room_.mixer.log.count<LegFailed>(kHostile) > 0; }));
  EXPECT_EQ(room_.mixer.log.wait_for<LegFailed>(kHostile)->cause, LegFailure::fingerprint_mismatch);
  hang_up();
  EXPECT_TRUE(room_.listen());
  room_.expect_no_gap();
}

// RFC 5246 §7.2.1. Who hangs up says so in Jingle; the keys that were agreed on stay good.
TEST_F(HostileRoom, CloseNotifyInTheMiddleOfACallEndsNothing) {
  connect();
  dtls_->close();
  for (int i = 0; i < 100; ++i) {
    say(1500);
    while (const auto datagram = end_.receive(15ms)) take(*datagram);
  }
  EXPECT_GT(room_.level_of(1500), -30) << "the tone of who said close_notify is not heard";
  EXPECT_EQ(room_.mixer.log.count<LegFailed>(kHostile), 0U);
  hang_up();
  EXPECT_TRUE(room_.listen());
  room_.expect_no_gap();
}

TEST_F(HostileRoom, NobodyHearsAGapWhenTenThousandChecksASecondComeIn) {
  connect();
  const auto check = end_.check();
  auto next = std::chrono::steady_clock::now();
  const int milliseconds = test_support::kSanitized ? 300 : 3000;
  for (int i = 0; i < milliseconds; ++i) {
    for (int k = 0; k < 10; ++k) end_.send(check);
    while (const auto datagram = end_.receive(0ms)) take(*datagram);
    std::this_thread::sleep_until(next += 1ms);
  }
  EXPECT_EQ(room_.mixer.log.count<LegFailed>(kHostile), 0U);
  hang_up();
  EXPECT_TRUE(room_.listen());
  room_.expect_no_gap();
}

TEST_F(HostileRoom, NobodyHearsAGapWhenAPeerRestartsEverySecondAndNeverConnects) {
  connect();
  for (int i = 0; i < 5; ++i) {
    room_.mixer.engine->restart_ice(
        kHostile, IceCredentials{"restart" + std::to_string(i), std::string(24, 'p')});
    EXPECT_TRUE(room_.listen());  // a second
  }
  hang_up();
  EXPECT_TRUE(room_.listen());
  room_.expect_no_gap();
}

// Before there is a pair: afterwards libnice checks none of them. The first few are checked; the
// one after as many as are allowed stands before all others (RFC 8445 §6.1.2.3), and yet hears
// nothing.
TEST_F(HostileRoom, SixtyFourThousandCandidatesAreSkippedUnheard) {
  dial_in(half(identity_.fingerprint()));
  IceEnd first, skipped;
  std::vector<IceCandidate> many(64);
  for (int i = 0; i < 1000; ++i) {
    for (std::size_t k = 0; k < many.size(); ++k) {
      many[k].foundation = std::to_string(k);
      many[k].ip = "127.0.0." + std::to_string(1 + i % 250);
      many[k].port = static_cast<std::uint16_t>(1024 + 64 * i + static_cast<int>(k));
      many[k].priority = 1;
    }
    if (i == 0) {
      many[0].port = first.port();
      many[0].priority = 2147483646;
      many[limits::kRemoteCandidates].port = skipped.port();
      many[limits::kRemoteCandidates].priority = 2147483647;
    }
    room_.mixer.engine->add_remote_candidates(kHostile, many);
  }
  EXPECT_TRUE(first.receive(kPatience));
  EXPECT_TRUE(room_.listen());
  start_dtls(DtlsRole::server);
  EXPECT_TRUE(serve([&] { return connected(); }));
  hang_up();
  EXPECT_FALSE(skipped.receive(0ms));
  EXPECT_EQ(room_.mixer.log.count<LegFailed>(kHostile), 0U);
  EXPECT_TRUE(room_.listen());
  room_.expect_no_gap();
}

}  // namespace
}  // namespace media::gst
