// What comes to the room from outside: what listeners lose, and how late its ticks are.
#include <gtest/gtest.h>

#include <vector>

#include "media/gst/leg_src.h"
#include "media/limits.h"
#include "tests/media_gst/conference_fixture.h"

namespace media::gst {
namespace {

class ConferenceLoadTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

// As the leg's transport tells it, through the element that brings its packets.
TEST_F(ConferenceLoadTest, WhatAListenerLosesComesWithItsPackets) {
  Conference conference(3, {.use_fec = true});
  conference_set_leg(conference.element.get(), 9,
                     {.leg = {10}, .contributor_id = 9, .ssrc = 9, .rtp = {.use_fec = true}});
  const auto sink =
      PadPtr::adopt(gst_element_request_pad_simple(conference.element.get(), "sink_9"));
  const auto src = PadPtr::adopt(gst_element_request_pad_simple(conference.element.get(), "src_9"));
  const ElementPtr leg_src = make_leg_src();
  const auto from = PadPtr::adopt(gst_element_get_static_pad(leg_src.get(), "src"));
  ASSERT_EQ(gst_pad_link(from.get(), sink.get()), GST_PAD_LINK_OK);
  leg_src_tell_loss(leg_src.get(), 2);  // not playing yet: lost
  gst_element_set_state(leg_src.get(), GST_STATE_PLAYING);
  conference.run(40);
  EXPECT_EQ(conference.property("encodes"), 1U);
  leg_src_tell_loss(leg_src.get(), 2);
  conference.run(40);
  EXPECT_EQ(conference.property("encodes"), 2U) << "he has FEC, the others none";
  leg_src_tell_loss(leg_src.get(), 0);
  conference.run(60);
  EXPECT_EQ(conference.property("encodes"), 1U);
  gst_element_set_state(leg_src.get(), GST_STATE_NULL);
  gst_element_release_request_pad(conference.element.get(), sink.get());
  gst_element_release_request_pad(conference.element.get(), src.get());
}

void tick(Conference& conference, GstClockTime late) {
  GstTestClock* const clock = conference.clock.get();
  GstClockID next = nullptr;
  ASSERT_TRUE(gst_test_clock_peek_next_pending_id(clock, &next));
  gst_test_clock_set_time(clock, gst_clock_id_get_time(next) + late);
  gst_clock_id_unref(next);
  gst_clock_id_unref(gst_test_clock_process_next_clock_id(clock));
}

// A CPU that was stolen once is no load that comes again.
TEST_F(ConferenceLoadTest, WhatMakesTwoTicksLateIsCountedOnce) {
  Conference conference(2);
  conference.legs[0]->listening = true;
  for (int i = 0; i < 5; ++i) tick(conference, 0);
  tick(conference, 35 * GST_MSECOND);
  EXPECT_EQ(conference.property("ticks"), 7U);
  EXPECT_EQ(conference.property("late"), 1U);
}

TEST_F(ConferenceLoadTest, LateTicksAreCountedAndLowerTheComplexity) {
  std::vector<ConferenceLoad> told;
  ConferenceHooks hooks;
  hooks.on_complexity = [&told](const ConferenceLoad& load) { told.push_back(load); };
  Conference conference(3, {}, nullptr, hooks);
  EXPECT_EQ(conference.property("complexity"), 9U);
  for (int i = 0; i < 55; ++i) tick(conference, 15 * GST_MSECOND);
  EXPECT_EQ(conference.property("complexity"), 5U);
  EXPECT_EQ(conference.property("late"), 55U);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].complexity, 5);
  EXPECT_GE(told[0].worst_late, std::chrono::milliseconds(15));
  for (int i = 0; i < 600; ++i) tick(conference, 0);
  EXPECT_EQ(conference.property("complexity"), 9U);
  EXPECT_EQ(told.size(), 2U);
  const ConferenceLoad load = conference_load(conference.element.get());
  EXPECT_EQ(load.ticks, 655U);
  EXPECT_EQ(load.encodes, 655U);
  EXPECT_EQ(load.encodes_saved, 2 * 655U);
  EXPECT_EQ(conference.property("encodes-saved"), 2U);
  EXPECT_EQ(to_string({.ticks = 3,
                       .late = 2,
                       .skipped = 1,
                       .worst_late = std::chrono::milliseconds(15),
                       .encodes = 7,
                       .encodes_saved = 9,
                       .complexity = 5,
                       .dropped = 4}),
            "ticks=3 late=2 worst_late_ms=15.0 skipped=1 encodes=7 encodes_saved=9 complexity=5 "
            "dropped=4");
}

TEST_F(ConferenceLoadTest, WhatIsTooMuchForATickIsCountedOnce) {
  Conference conference(2);
  for (std::size_t i = 0; i < limits::kPacketRing + 7; ++i) {
    for (auto& leg : conference.legs) leg->send_bytes(std::vector<std::uint8_t>(20));
  }
  conference.run(5);
  EXPECT_EQ(conference_load(conference.element.get()).dropped, 14U);
}

}  // namespace
}  // namespace media::gst
