// The raw pads of `opusconference`: what is played into the mix, and the full mix itself.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "media/play_source.h"
#include "tests/media_gst/conference_fixture.h"

namespace media::gst {
namespace {

constexpr char kRawCaps[] = "audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved";

class ConferenceElementRaw : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  static std::unique_ptr<GstHarness, HarnessFree> player(Conference& conference,
                                                         const char* caps = kRawCaps) {
    std::unique_ptr<GstHarness, HarnessFree> harness(
        gst_harness_new_with_element(conference.element.get(), "play_0", nullptr));
    gst_harness_set_src_caps_str(harness.get(), caps);
    return harness;
  }
  static GstFlowReturn play(GstHarness* harness, const test_support::Samples& samples) {
    GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, samples.size() * 2, nullptr);
    gst_buffer_fill(buffer, 0, samples.data(), samples.size() * 2);
    return gst_harness_push(harness, buffer);
  }
};

TEST_F(ConferenceElementRaw, WhatIsPlayedIsHeardByEverybody) {
  Conference conference(2);
  const auto harness = player(conference);
  for (auto& leg : conference.legs) leg->listening = true;
  for (std::size_t t = 0; t < 100; ++t) {
    ASSERT_EQ(play(harness.get(), test_support::tone(610, 6000, 960, t * 960)), GST_FLOW_OK);
    conference.run(1);
  }
  for (auto& leg : conference.legs) {
    EXPECT_NEAR(test_support::tone_dbfs(std::span(leg->heard).last(48000), 610), -14.7, 1.5);
  }
  EXPECT_EQ(conference.property("encodes"), 1U);
}

TEST_F(ConferenceElementRaw, StereoIsTakenAndInTheMiddleForWhoHearsMono) {
  Conference conference(1);
  const auto harness =
      player(conference,
             "audio/x-raw,format=S16LE,rate=48000,channels=2,channel-mask=(bitmask)3,"
             "layout=interleaved");
  conference.legs[0]->listening = true;
  for (std::size_t t = 0; t < 100; ++t) {
    test_support::Samples left_only(2 * 960);
    const auto tone = test_support::tone(610, 12000, 960, t * 960);
    for (std::size_t i = 0; i < tone.size(); ++i) left_only[2 * i] = tone[i];
    ASSERT_EQ(play(harness.get(), left_only), GST_FLOW_OK);
    conference.run(1);
  }
  const auto& heard = conference.legs[0]->heard;
  EXPECT_NEAR(test_support::tone_dbfs(std::span(heard).last(48000), 610), -14.7, 1.5);
}

TEST_F(ConferenceElementRaw, APlayerWaitsWhenTheMixHasEnoughAndWakesOnFlush) {
  Conference conference(1);
  const auto harness = player(conference);
  std::atomic<int> result{1};
  std::thread streaming(
      [&] { result = play(harness.get(), test_support::Samples(2 * PlaySource::kCapacity)); });
  GstPad* const pad = gst_element_get_static_pad(conference.element.get(), "play_0");
  gst_pad_send_event(pad, gst_event_new_flush_start());
  streaming.join();
  EXPECT_EQ(result, GST_FLOW_FLUSHING);
  gst_pad_send_event(pad, gst_event_new_flush_stop(TRUE));
  gst_object_unref(pad);
  conference.run(1);  // the tick lets go of what was flushed
  gst_harness_push_event(harness.get(), gst_event_new_stream_start("again"));
  gst_harness_set_src_caps_str(harness.get(), kRawCaps);
  EXPECT_EQ(play(harness.get(), test_support::Samples(960, 99)), GST_FLOW_OK);
}

TEST_F(ConferenceElementRaw, APlayerThatWaitsIsWokenByItsRelease) {
  Conference conference(1);
  ObjectPtr<GstPad> pad =
      ObjectPtr<GstPad>::adopt(gst_element_request_pad_simple(conference.element.get(), "play_%u"));
  PadPtr source = PadPtr::sink(gst_pad_new("source", GST_PAD_SRC));
  gst_pad_set_active(source.get(), TRUE);
  ASSERT_EQ(gst_pad_link(source.get(), pad.get()), GST_PAD_LINK_OK);
  gst_pad_push_event(source.get(), gst_event_new_stream_start("s"));
  const CapsPtr caps(gst_caps_from_string(kRawCaps));
  gst_pad_push_event(source.get(), gst_event_new_caps(caps.get()));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(source.get(), gst_event_new_segment(&segment));
  std::thread streaming([&source] {
    GstFlowReturn flow = GST_FLOW_OK;
    while (flow == GST_FLOW_OK) {
      flow = gst_pad_push(source.get(), gst_buffer_new_allocate(nullptr, 4000, nullptr));
    }
  });
  gst_element_release_request_pad(conference.element.get(), pad.get());
  streaming.join();
  conference.run(2);
}

TEST_F(ConferenceElementRaw, TheMixPadGivesTheWholeMix) {
  Conference conference(3);
  std::unique_ptr<GstHarness, HarnessFree> mix(
      gst_harness_new_with_element(conference.element.get(), nullptr, "mix"));
  const double tones_hz[] = {440, 610, 970};
  for (std::size_t i = 0; i < 3; ++i) {
    conference.legs[i]->tone_hz = tones_hz[i];
    conference.legs[i]->amplitude = 6000;
  }
  conference.run(100);
  test_support::Samples heard;
  while (GstBuffer* const buffer = gst_harness_try_pull(mix.get())) {
    EXPECT_EQ(gst_buffer_get_size(buffer), 1920U);
    test_support::Samples samples(960);
    gst_buffer_extract(buffer, 0, samples.data(), 1920);
    heard.insert(heard.end(), samples.begin(), samples.end());
    gst_buffer_unref(buffer);
  }
  ASSERT_EQ(heard.size(), 100U * 960);
  for (const double tone_hz : tones_hz) {
    EXPECT_NEAR(test_support::tone_dbfs(std::span(heard).last(48000), tone_hz), -14.7, 1);
  }
}

}  // namespace
}  // namespace media::gst
