// Rooms that hear each other through a leg of each: who speaks in one is named in the other (RFC
// 3550 §7.3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/media_gst/conference_fixture.h"
#include "tests/media_gst/engine_fixture.h"
#include "tests/support/audio.h"

namespace media::gst {
namespace {

using test_support::tone_dbfs;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr double kAmplitude = 6000;  // -14.7 dBFS

std::vector<std::uint8_t> bytes_of(const BufferPtr& buffer) {
  std::vector<std::uint8_t> bytes(gst_buffer_get_size(buffer.get()));
  gst_buffer_extract(buffer.get(), 0, bytes.data(), bytes.size());
  return bytes;
}

std::vector<std::uint32_t> csrcs_of(std::span<const std::uint8_t> bytes) {
  const auto packet = parse_rtp(bytes);
  std::vector<std::uint32_t> csrcs;
  for (std::size_t i = 0; packet && i < packet->csrc_count(); ++i) {
    csrcs.push_back(packet->csrc(i));
  }
  return csrcs;
}

TEST(Cascade, TwoElementsNameEachOthersCallersAndTellNoneOfHimself) {
  gst_init(nullptr, nullptr);
  Conference a(0), b(0);
  b.contributors = 2000;
  for (Conference* each : {&a, &b}) {
    for (guint i = 0; i < 3; ++i) each->add(i, {.csrc_audio_level = 3});
    conference_set_plan(each->element.get(),
                        {{{.leg = {1}, .is_mixer = true}, {.leg = {2}}, {.leg = {3}}}});
  }
  const auto carry = [](const std::vector<BufferPtr>& from, Conference& to) {
    for (const auto& buffer : from) to.legs[0]->send_bytes(bytes_of(buffer));
  };
  a.legs[1]->amplitude = b.legs[1]->amplitude = kAmplitude;
  b.legs[1]->tone_hz = 970;
  for (std::size_t i = 1; i < 3; ++i) a.legs[i]->listening = b.legs[i]->listening = true;
  std::vector<std::vector<BufferPtr>> of_a, of_b;
  for (int t = 0; t < 150; ++t) {
    of_a = a.run(1);
    carry(of_a[0], b);
    of_b = b.run(1);
    carry(of_b[0], a);
  }
  EXPECT_THAT(csrcs_of(bytes_of(of_a[2].at(0))), UnorderedElementsAre(1001, 2001));
  EXPECT_THAT(csrcs_of(bytes_of(of_b[2].at(0))), UnorderedElementsAre(1001, 2001));
  EXPECT_THAT(csrcs_of(bytes_of(of_a[1].at(0))), ElementsAre(2001)) << "not of himself";
  EXPECT_THAT(csrcs_of(bytes_of(of_b[1].at(0))), ElementsAre(1001));
  EXPECT_THAT(csrcs_of(bytes_of(of_a[0].at(0))), ElementsAre(1001)) << "only what A adds";
  EXPECT_THAT(csrcs_of(bytes_of(of_b[0].at(0))), ElementsAre(2001));
  for (Conference* each : {&a, &b}) {
    const auto heard = std::span(each->legs[2]->heard).last(48000);
    EXPECT_NEAR(tone_dbfs(heard, 440), -14.7, 1.5);
    EXPECT_NEAR(tone_dbfs(heard, 970), -14.7, 1.5);
  }
}

// One engine dials the other, as a focus that invites another does.
TEST(Cascade, ACallerOfOneEngineIsNamedToACallerOfAnother) {
  Engine a, b;
  const RoomId room{1};
  const LegId link_of_a{10}, link_of_b{20};
  RtpParameters rtp;
  rtp.csrc_audio_level = 3;
  a.engine->open_leg(dialled_leg(link_of_a, room));
  const auto offer = a.log.wait_for<LegOpened>(link_of_a);
  ASSERT_TRUE(offer);
  auto half_of_a = half_of(*offer, DtlsRole::client);
  half_of_a.rtp = rtp;
  b.engine->open_leg(leg_for(link_of_b, room, half_of_a));
  const auto answer = b.log.wait_for<LegOpened>(link_of_b);
  ASSERT_TRUE(answer);
  auto half_of_b = half_of(*answer, DtlsRole::server);
  half_of_b.rtp = rtp;
  a.engine->connect_leg(link_of_a, half_of_b);
  ASSERT_TRUE(a.log.wait_for<LegConnected>(link_of_a));
  ASSERT_TRUE(b.log.wait_for<LegConnected>(link_of_b));

  CallerThread thread;
  TestCaller ann(thread, LegId{1}, 440), bob(thread, LegId{2}, 970);
  dial(a, ann, room, rtp);
  dial(b, bob, room, rtp);
  ASSERT_TRUE(ann.wait_connected());
  ASSERT_TRUE(bob.wait_connected());
  a.engine->set_mix_plan(room, {{{.leg = ann.leg()}, {.leg = link_of_a, .is_mixer = true}}});
  b.engine->set_mix_plan(room, {{{.leg = bob.leg()}, {.leg = link_of_b, .is_mixer = true}}});
  ann.talk();
  bob.talk();
  for (TestCaller* caller : {&ann, &bob}) {
    const bool is_ann = caller == &ann;
    const auto named = [&] {
      const auto packets = caller->packets();
      return packets.empty() ? std::vector<std::uint32_t>{} : csrcs_of(packets.back());
    };
    const std::uint32_t other = is_ann ? 5002 : 5001;
    EXPECT_TRUE(eventually([&] { return named() == std::vector{other}; }))
        << "the contributor id that the other room gave to the other caller";
    ASSERT_TRUE(caller->wait_for_sound(3 * 48000));
    const auto heard = caller->last_samples(48000);
    EXPECT_NEAR(tone_dbfs(heard, is_ann ? 970 : 440), TestCaller::kLevel_dbfs, 3);
    EXPECT_LT(tone_dbfs(heard, is_ann ? 440 : 970), TestCaller::kLevel_dbfs - 50);
    for (const auto& packet : caller->packets()) {
      const auto csrcs = csrcs_of(packet);
      EXPECT_EQ(std::ranges::count(csrcs, is_ann ? 5001 : 5002), 0) << "himself, from the other";
    }
  }
}

}  // namespace
}  // namespace media::gst
