#include "media/gst/conference_pads.h"

#include <gtest/gtest.h>

#include <optional>

#include "media/gst/conference_room.h"
#include "media/gst/gst_ptr.h"

namespace media::gst {
namespace {

TEST(ConferencePads, APacketIsTakenWithTheTimeAtWhichItCame) {
  gst_init(nullptr, nullptr);
  const ConferenceLeg spec{.leg = {1}, .contributor_id = 1, .ssrc = 1, .rtp = {}};
  ConferenceRoom::Leg leg(spec);
  const PadPtr pad = PadPtr::sink(gst_pad_new("sink", GST_PAD_SINK));
  gst_pad_set_element_private(pad.get(), &leg);
  const auto age = [&leg, &pad](GstClockTime pts) {
    GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, 20, nullptr);
    GST_BUFFER_PTS(buffer) = pts;
    EXPECT_EQ(leg_chain(pad.get(), nullptr, buffer), GST_FLOW_OK);
    EXPECT_EQ(leg.packets().front().size(), 20U);
    const auto told = leg.packets().front_age(ConferenceRoom::samples_of(2 * GST_SECOND));
    leg.packets().pop();
    return told;
  };
  ASSERT_TRUE(age(1990 * GST_MSECOND));
  EXPECT_NEAR(*age(1990 * GST_MSECOND), 480, 1);
  EXPECT_EQ(age(GST_CLOCK_TIME_NONE), std::nullopt) << "nobody says";
}

}  // namespace
}  // namespace media::gst
