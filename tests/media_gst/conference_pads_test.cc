#include "media/gst/conference_pads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "media/gst/conference_element.h"
#include "media/gst/conference_room.h"
#include "media/gst/gst_ptr.h"
#include "media/gst/leg_src.h"
#include "tests/support/eventually.h"

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

// An I/O thread that is held up while it tells a loss, and control, which releases the leg.
struct Held {
  GstElement* const conference;
  bool alone = true;  // on the pad
  std::thread control{};
  std::atomic<bool> released{false};
  bool released_meanwhile = false;

  static GstPadProbeReturn hold(GstPad* pad, GstPadProbeInfo* info, gpointer data) noexcept {
    auto& self = *static_cast<Held*>(data);
    if (!told_loss(GST_PAD_PROBE_INFO_EVENT(info))) return GST_PAD_PROBE_OK;
    std::thread([&] {
      if (!GST_PAD_STREAM_TRYLOCK(pad)) return;
      GST_PAD_STREAM_UNLOCK(pad);
      self.alone = false;
    }).join();
    self.control = std::thread([&self, pad] {
      gst_element_release_request_pad(self.conference, pad);
      self.released = true;
    });
    EXPECT_TRUE(support::eventually([pad] { return !gst_pad_is_active(pad); }));
    self.released_meanwhile = self.released;
    return GST_PAD_PROBE_OK;
  }
};

// Who has released both pads of a leg has freed it.
TEST(ConferencePads, IsNotReleasedWhileALossIsBeingTold) {
  gst_init(nullptr, nullptr);
  register_opus_conference();
  const auto conference = ElementPtr::sink(gst_element_factory_make("opusconference", nullptr));
  const auto sink = PadPtr::adopt(gst_element_request_pad_simple(conference.get(), "sink_0"));
  const ElementPtr leg_src = make_leg_src();
  const auto from = PadPtr::adopt(gst_element_get_static_pad(leg_src.get(), "src"));
  ASSERT_EQ(gst_pad_link(from.get(), sink.get()), GST_PAD_LINK_OK);
  gst_element_set_state(leg_src.get(), GST_STATE_PLAYING);
  Held held{.conference = conference.get()};
  gst_pad_add_probe(sink.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, &Held::hold, &held, nullptr);
  leg_src_tell_loss(leg_src.get(), 1);
  ASSERT_TRUE(held.control.joinable()) << "nothing was told";
  held.control.join();
  EXPECT_TRUE(held.alone);
  EXPECT_FALSE(held.released_meanwhile);
  gst_element_set_state(leg_src.get(), GST_STATE_NULL);
}

}  // namespace
}  // namespace media::gst
