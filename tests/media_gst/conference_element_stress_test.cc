// Real clock, tick pool, I/O threads: legs come, speak and go while the room ticks.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "media/gst/tick_pool.h"
#include "tests/media_gst/conference_fixture.h"

namespace media::gst {
namespace {

// A leg's ends in the pipeline, and the I/O thread that pushes into it.
class LivePeer {
 public:
  LivePeer(GstElement* conference, guint index, std::atomic<std::uint64_t>& received)
      : conference_(conference) {
    conference_set_leg(
        conference, index,
        {.leg = {index + 1}, .contributor_id = index + 1, .ssrc = index + 1, .rtp = {}});
    const std::string sink = "sink_" + std::to_string(index), src = "src_" + std::to_string(index);
    conference_src_ = PadPtr::adopt(gst_element_request_pad_simple(conference, src.c_str()));
    conference_sink_ = PadPtr::adopt(gst_element_request_pad_simple(conference, sink.c_str()));
    receiving_ = PadPtr::sink(gst_pad_new("receiving", GST_PAD_SINK));
    gst_pad_set_element_private(receiving_.get(), &received);
    gst_pad_set_chain_function(receiving_.get(), [](GstPad* pad, GstObject*, GstBuffer* buffer) {
      static_cast<std::atomic<std::uint64_t>*>(gst_pad_get_element_private(pad))->fetch_add(1);
      gst_buffer_unref(buffer);
      return GST_FLOW_OK;
    });
    sending_ = PadPtr::sink(gst_pad_new("sending", GST_PAD_SRC));
    gst_pad_set_active(receiving_.get(), TRUE);
    gst_pad_set_active(sending_.get(), TRUE);
    EXPECT_EQ(gst_pad_link(conference_src_.get(), receiving_.get()), GST_PAD_LINK_OK);
    EXPECT_EQ(gst_pad_link(sending_.get(), conference_sink_.get()), GST_PAD_LINK_OK);
    io_ = std::thread([this] { run(); });
  }
  ~LivePeer() {
    gst_element_release_request_pad(conference_, conference_sink_.get());
    gst_element_release_request_pad(conference_, conference_src_.get());
    gst_pad_set_active(receiving_.get(), FALSE);
    stop_ = true;
    io_.join();
  }

 private:
  void run() {
    gst_pad_push_event(sending_.get(), gst_event_new_stream_start("peer"));
    const CapsPtr caps(gst_caps_from_string(kLegCaps));
    gst_pad_push_event(sending_.get(), gst_event_new_caps(caps.get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(sending_.get(), gst_event_new_segment(&segment));
    test_support::OpusSender sender;
    const auto payload = sender.encode(test_support::tone(610, 6000, 960));
    std::array<std::uint8_t, kMaxRtpHeaderBytes> header;
    for (std::uint16_t i = 0; !stop_; ++i) {
      const std::size_t bytes = write_rtp_header(
          {.payload_type = 111, .sequence = i, .timestamp = i * 960U, .ssrc = 5}, {}, 0, header);
      GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, bytes + payload.size(), nullptr);
      gst_buffer_fill(buffer, 0, header.data(), bytes);
      gst_buffer_fill(buffer, bytes, payload.data(), payload.size());
      gst_pad_push(sending_.get(), buffer);
      std::this_thread::yield();  // much faster than real: the ring overflows, too
    }
  }

  GstElement* conference_;
  PadPtr conference_src_, conference_sink_, receiving_, sending_;
  std::atomic<bool> stop_{false};
  std::thread io_;
};

TEST(ConferenceElementStress, LegsComeAndGoWhileTheRoomTicks) {
  gst_init(nullptr, nullptr);
  register_opus_conference();
  TickPool pool(2);
  std::atomic<std::uint64_t> received{0}, ticked{0};
  const ElementPtr pipeline = ElementPtr::sink(gst_pipeline_new(nullptr));
  GstElement* const conference = gst_element_factory_make("opusconference", nullptr);
  conference_configure(conference, &pool, {.after_tick = [&ticked] { ++ticked; }, .on_event = {}});
  gst_bin_add(GST_BIN(pipeline.get()), conference);
  GstClock* const clock = gst_system_clock_obtain();
  gst_pipeline_use_clock(GST_PIPELINE(pipeline.get()), clock);
  gst_object_unref(clock);
  EXPECT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  std::vector<std::unique_ptr<LivePeer>> peers;
  guint index = 0;
  const auto wait_for_ticks = [&ticked](std::uint64_t more) {
    const std::uint64_t until = ticked + more;
    while (ticked < until) std::this_thread::yield();
  };
  for (int round = 0; round < 40; ++round) {
    peers.push_back(std::make_unique<LivePeer>(conference, index++, received));
    if (peers.size() > 4) peers.erase(peers.begin() + round % 4);
    MixPlan plan;
    for (guint i = 0; i < index; ++i) {
      plan.legs.push_back({.leg = {i + 1}, .in_mix = (i + static_cast<guint>(round)) % 3 != 0});
    }
    conference_set_plan(conference, plan);
    if (round % 10 == 9) {
      gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
      gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    }
    wait_for_ticks(1);
  }
  const std::uint64_t before = received;
  wait_for_ticks(3);
  EXPECT_GE(received, before + 2 * peers.size());
  peers.clear();
  wait_for_ticks(2);
  guint legs = 1;
  g_object_get(conference, "legs", &legs, nullptr);
  EXPECT_EQ(legs, 0U);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

}  // namespace
}  // namespace media::gst
