#include "media/gst/conference_element.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "media/gst/webrtc_dsp.h"
#include "tests/media_gst/conference_fixture.h"
#include "tests/support/seed.h"

namespace media::gst {
namespace {

using test_support::tone_dbfs;
using ::testing::ElementsAre;

constexpr double kTones_hz[] = {440, 610, 970};
constexpr double kAmplitude = 6000;  // -14.7 dBFS

class ConferenceElement : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

void let_three_speak(Conference& conference) {
  for (std::size_t i = 0; i < 3; ++i) {
    conference.legs[i]->tone_hz = kTones_hz[i];
    conference.legs[i]->amplitude = kAmplitude;
  }
}

MixPlan everybody(guint legs) {
  MixPlan plan;
  for (guint i = 0; i < legs; ++i) plan.legs.push_back({.leg = {i + 1}});
  return plan;
}

TEST_F(ConferenceElement, EachHearsAllOthersAndNotHimself) {
  Conference conference(4);
  let_three_speak(conference);
  for (auto& leg : conference.legs) leg->listening = true;
  conference.run(300);
  for (std::size_t listener = 0; listener < 4; ++listener) {
    const auto heard = std::span(conference.legs[listener]->heard).last(5 * 48000);
    double quietest = 0;
    for (std::size_t speaker = 0; speaker < 3; ++speaker) {
      if (speaker == listener) continue;
      const double level = tone_dbfs(heard, kTones_hz[speaker]);
      EXPECT_NEAR(level, -14.7, 1.5) << listener << " hears " << speaker;
      quietest = std::min(quietest, level);
    }
    if (listener < 3) {
      EXPECT_LT(tone_dbfs(heard, kTones_hz[listener]), quietest - 50)
          << listener << " hears himself";
    }
  }
}

TEST_F(ConferenceElement, WhoIsToBeLiftedIsLiftedForTheOthers) {
  if (!has_webrtc_dsp()) GTEST_SKIP() << "GStreamer's webrtcdsp is not installed";
  double heard_dbfs[2];
  for (const bool lifts : {false, true}) {
    Conference conference(0);
    conference.add(0, {}, {.automatic_gain = lifts});
    conference.add(1);
    conference.legs[0]->amplitude = 500;
    conference.legs[1]->listening = true;
    conference.run(300);
    heard_dbfs[lifts] =
        test_support::rms_dbfs(std::span(conference.legs[1]->heard).last(2 * 48000));
  }
  EXPECT_GT(heard_dbfs[1], heard_dbfs[0] + 6);
}

TEST_F(ConferenceElement, FiftyLegsCostOneEncodeAndOneForEachWhoSpeaksAndShareOneMemory) {
  for (const std::size_t speakers : {0U, 1U, 3U}) {
    Conference conference(50);
    for (std::size_t i = 0; i < speakers; ++i) {
      conference.legs[i]->tone_hz = kTones_hz[i];
      conference.legs[i]->amplitude = kAmplitude;
    }
    const auto buffers = conference.run(30);
    EXPECT_EQ(conference.property("encodes"), speakers + 1);
    EXPECT_EQ(conference.property("decodes"), speakers);
    EXPECT_EQ(conference.property("pushes"), 50U);
    EXPECT_EQ(conference.property("legs"), 50U);
    EXPECT_EQ(conference.property("ticks"), 30U);
    std::set<GstMemory*> common, personal;
    for (std::size_t i = 0; i < 50; ++i) {
      ASSERT_EQ(buffers[i].size(), 1U);
      GstBuffer* const buffer = buffers[i][0].get();
      ASSERT_EQ(gst_buffer_n_memory(buffer), 2U) << "an own header, a payload";
      (i < speakers ? personal : common).insert(gst_buffer_peek_memory(buffer, 1));
    }
    EXPECT_EQ(common.size(), 1U);
    EXPECT_EQ(personal.size(), speakers);
  }
}

TEST_F(ConferenceElement, AnyOpusPayloadTypeAndItsOwnForEachLeg) {
  Conference conference(0);
  conference.add(0, {.opus_payload_type = 96});
  conference.add(1, {.opus_payload_type = 34});
  conference.legs[0]->amplitude = conference.legs[1]->amplitude = kAmplitude;
  const auto buffers = conference.run(10);
  EXPECT_EQ(conference.property("decodes"), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    std::array<std::uint8_t, 12> header;
    gst_buffer_extract(buffers[i][0].get(), 0, header.data(), header.size());
    EXPECT_EQ(header[1] & 0x7F, i == 0 ? 96 : 34);
    EXPECT_EQ(header[11], 77 + i) << "its SSRC";
  }
}

TEST_F(ConferenceElement, AnUnannouncedLegTakesItsPayloadTypeFromItsCaps) {
  Conference conference(1);
  HarnessLeg leg(conference.element.get(), 9, 96);
  gst_harness_set_src_caps_str(leg.get(),
                               "application/x-rtp,media=audio,encoding-name=OPUS,payload=96");
  leg.amplitude = kAmplitude;
  for (int t = 0; t < 10; ++t) {
    leg.speak();
    conference.tick();
  }
  EXPECT_EQ(conference.property("decodes"), 1U);
}

TEST_F(ConferenceElement, AKeyIsToldOnceAndReachesNeitherDecoderNorMix) {
  std::vector<Event> events;
  Conference conference(2, {.telephone_event = 101}, nullptr,
                        {.after_tick = {}, .on_event = [&events](Event event) {
                           events.push_back(std::move(event));
                         }});
  for (int t = 0; t < 10; ++t) {
    const std::uint8_t key[] = {9, static_cast<std::uint8_t>(t > 4 ? 0x8A : 0x0A), 0x0F, 0x00};
    conference.legs[0]->send(key, 101);
    gst_test_clock_crank(conference.clock.get());
    EXPECT_EQ(conference.property("decodes"), 0U);
  }
  // Timestamp 1 throughout: one key.
  EXPECT_THAT(events, ElementsAre(Event(DigitPressed{
                          .leg = {1}, .digit = '9', .duration = std::chrono::milliseconds(80)})));
}

TEST_F(ConferenceElement, ThePlanMutesHoldsAndGains) {
  Conference conference(3);
  let_three_speak(conference);
  conference.legs[2]->listening = true;
  conference.run(30);
  MixPlan plan = everybody(3);
  plan.legs[0].in_mix = false;
  plan.legs[1].gain = 0.5F;
  plan.legs[1].receives = false;
  std::reverse(plan.legs.begin(), plan.legs.end());  // its order does not matter
  conference_set_plan(conference.element.get(), plan);
  const auto buffers = conference.run(150);
  EXPECT_EQ(buffers[1].size(), 0U) << "on hold";
  EXPECT_EQ(buffers[0].size(), 1U) << "muted only";
  const auto heard = std::span(conference.legs[2]->heard).last(48000);
  EXPECT_LT(tone_dbfs(heard, kTones_hz[0]), -65);
  EXPECT_NEAR(tone_dbfs(heard, kTones_hz[1]), -20.7, 1.5);
  EXPECT_LE(conference.property("decodes"), 2U);
}

TEST_F(ConferenceElement, LegsComeAndGoBetweenTicks) {
  Conference conference(3);
  let_three_speak(conference);
  conference.run(20);
  conference.add(7).listening = true;
  conference.run(60);
  EXPECT_EQ(conference.property("legs"), 4U);
  EXPECT_NEAR(tone_dbfs(std::span(conference.legs[3]->heard).last(38400), 440), -14.7, 1.5);
  conference.legs.erase(conference.legs.begin() + 1);
  const auto buffers = conference.run(60);
  EXPECT_EQ(conference.property("legs"), 3U);
  EXPECT_EQ(buffers[2].size(), 1U);
  EXPECT_LT(tone_dbfs(std::span(conference.legs[2]->heard).last(38400), 610), -60);
  conference.add(1).amplitude = kAmplitude;  // the same index again
  conference.run(10);
  EXPECT_EQ(conference.property("legs"), 4U);
  EXPECT_EQ(conference.property("decodes"), 3U);
}

TEST_F(ConferenceElement, EventsOfOneLegReachNoOther) {
  Conference conference(3);
  let_three_speak(conference);
  conference.run(10);
  for (auto& leg : conference.legs) {
    while (GstEvent* const event = gst_harness_try_pull_event(leg->get())) {
      EXPECT_NE(GST_EVENT_TYPE(event), GST_EVENT_EOS);
      gst_event_unref(event);
    }
  }
  GstHarness* const first = conference.legs[0]->get();
  gst_harness_push_event(first, gst_event_new_flush_start());
  gst_harness_push_event(first, gst_event_new_flush_stop(TRUE));
  gst_harness_push_event(first, gst_event_new_eos());
  const auto buffers = conference.run(10);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(gst_harness_try_pull_event(conference.legs[i]->get()), nullptr);
    EXPECT_EQ(buffers[i].size(), 1U);
  }
}

TEST_F(ConferenceElement, EverySourcePadOpensItsOwnStream) {
  Conference conference(2);
  conference.run(1);
  for (auto& leg : conference.legs) {
    std::vector<GstEventType> types;
    while (GstEvent* const event = gst_harness_try_pull_event(leg->get())) {
      types.push_back(GST_EVENT_TYPE(event));
      gst_event_unref(event);
    }
    EXPECT_THAT(types, ElementsAre(GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT));
  }
}

TEST_F(ConferenceElement, BadPacketsAndFloodsOfOneLegChangeNothingForTheOthers) {
  const unsigned seed = test_support::test_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Conference clean(4), troubled(4);
  let_three_speak(clean);
  let_three_speak(troubled);
  for (int t = 0; t < 60; ++t) {
    for (int i = 0; i < 200; ++i) {  // more than its queue takes
      std::vector<std::uint8_t> junk(random() % 3000);
      for (auto& b : junk) b = static_cast<std::uint8_t>(random());
      if (junk.size() > 1) junk[1] = static_cast<std::uint8_t>(random() % 111);
      troubled.legs[3]->send_bytes(junk);
    }
    const auto a = clean.run(1), b = troubled.run(1);
    for (std::size_t i = 0; i < 3; ++i) {
      ASSERT_EQ(a[i].size(), 1U);
      ASSERT_EQ(b[i].size(), 1U);
      const gsize size = gst_buffer_get_size(a[i][0].get());
      std::vector<std::uint8_t> bytes(size);
      gst_buffer_extract(a[i][0].get(), 0, bytes.data(), size);
      ASSERT_EQ(gst_buffer_get_size(b[i][0].get()), size);
      ASSERT_EQ(gst_buffer_memcmp(b[i][0].get(), 0, bytes.data(), size), 0) << "tick " << t;
    }
  }
}

TEST_F(ConferenceElement, AStallIsSkippedNotMadeUpForInABurst) {
  Conference conference(2);
  const auto timestamp = [](const BufferPtr& buffer) {
    std::array<std::uint8_t, 12> header;
    gst_buffer_extract(buffer.get(), 0, header.data(), header.size());
    return parse_rtp(header)->timestamp;
  };
  const auto before = timestamp(conference.run(5)[0][0]);
  gst_test_clock_advance_time(conference.clock.get(), GST_SECOND);
  std::size_t packets = 0;
  std::uint32_t last = before;
  for (int t = 0; t < 51; ++t) {
    const auto buffers = conference.run(1);
    packets += buffers[0].size();
    if (!buffers[0].empty()) last = timestamp(buffers[0].back());
  }
  EXPECT_LE(packets, 4U) << "the callbacks of that second come, but nothing is made up for";
  EXPECT_EQ(last - before, 51U * 960) << "the time that went by is in the timestamps";
}

TEST_F(ConferenceElement, OutsidePlayingThereIsNoTimer) {
  Conference conference(2);
  conference.run(3);
  EXPECT_EQ(gst_test_clock_peek_id_count(conference.clock.get()), 1U);
  gst_element_set_state(conference.element.get(), GST_STATE_PAUSED);
  EXPECT_EQ(gst_test_clock_peek_id_count(conference.clock.get()), 0U);
  EXPECT_EQ(gst_element_set_state(conference.element.get(), GST_STATE_READY),
            GST_STATE_CHANGE_SUCCESS);
  EXPECT_EQ(gst_element_set_state(conference.element.get(), GST_STATE_PAUSED),
            GST_STATE_CHANGE_NO_PREROLL);
  gst_element_set_state(conference.element.get(), GST_STATE_PLAYING);
  conference.run(3);
  EXPECT_EQ(conference.property("ticks"), 3U);
}

}  // namespace
}  // namespace media::gst
