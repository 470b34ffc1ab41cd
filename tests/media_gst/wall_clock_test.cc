// The wall clock is set, by hand or by NTP, while people talk: nothing but the reports' NTP
// timestamps (RFC 3550 §4) knows it, and they only when the leg begins.
#include <gtest/gtest.h>

#include <optional>

#include "media/audio_frame.h"
#include "media/gst/gst_engine.h"
#include "media/rtp_header.h"
#include "tests/media_gst/engine_fixture.h"
#include "tests/support/shifted_clock.h"

namespace media::gst {
namespace {

using namespace std::chrono_literals;

TEST(WallClock, StepsOfHoursAreNotHeard) {
  support::ShiftedClock clock;
  Engine mixer;
  CallerThread thread;
  TestCaller talker(thread, LegId{1}, 440), listener(thread, LegId{2}, 610);
  for (auto* each : {&talker, &listener}) {
    dial(mixer, *each, RoomId{1});
    ASSERT_TRUE(each->wait_connected());
  }
  mixer.engine->set_mix_plan(RoomId{1}, {.legs = {{.leg = talker.leg()}, {.leg = listener.leg()}}});
  talker.talk();
  listener.talk();
  std::size_t frames = 50;
  ASSERT_TRUE(listener.wait_for_sound(frames * kFrame_samples));
  for (const auto step : {1h, -2h, 24h}) {
    clock.step_wall_clock(step);
    frames = listener.packets().size() + 50;
    ASSERT_TRUE(listener.wait_for_sound(frames * kFrame_samples)) << step.count() << " h";
  }
  std::optional<RtpPacket> before;
  const auto packets = listener.packets();
  for (const auto& bytes : packets) {
    const auto packet = parse_rtp(bytes);
    ASSERT_TRUE(packet);
    if (before) {
      EXPECT_EQ(static_cast<std::uint16_t>(packet->sequence - before->sequence), 1);
      EXPECT_LT(packet->timestamp - before->timestamp, 60U * kSampleRate_hz) << "no hour passed";
    }
    before = packet;
  }
  for (auto* each : {&talker, &listener}) {
    mixer.engine->close_leg(each->leg());
    const auto closed = mixer.log.wait_for<LegClosed>(each->leg());
    ASSERT_TRUE(closed);
    EXPECT_LT(closed->statistics.rtt_ms, 60'000);
    EXPECT_EQ(mixer.log.count<LegFailed>(each->leg()), 0U);
  }
}

}  // namespace
}  // namespace media::gst
