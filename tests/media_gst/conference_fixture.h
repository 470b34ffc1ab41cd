// tests/media_gst/conference_fixture.h: `opusconference` under one GstHarness for each leg, all on
// one GstTestClock: crank() is one tick, in the calling thread.
#pragma once

#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>

#include <memory>
#include <optional>
#include <vector>

#include "media/gst/conference_element.h"
#include "media/gst/gst_ptr.h"
#include "media/rtp_header.h"
#include "tests/support/audio.h"
#include "tests/support/opus_codec.h"

namespace media::gst {

inline constexpr char kLegCaps[] =
    "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111";

struct HarnessFree {
  void operator()(GstHarness* harness) const { gst_harness_teardown(harness); }
};

class HarnessLeg {
 public:
  HarnessLeg(GstElement* element, guint index, std::uint8_t payload_type)
      : payload_type_(payload_type) {
    const std::string sink = "sink_" + std::to_string(index), src = "src_" + std::to_string(index);
    harness_.reset(gst_harness_new_with_element(element, sink.c_str(), src.c_str()));
    gst_harness_set_src_caps_str(harness_.get(), kLegCaps);
  }

  GstHarness* get() { return harness_.get(); }
  void send_bytes(std::span<const std::uint8_t> bytes) {
    GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, bytes.size(), nullptr);
    gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
    gst_harness_push(harness_.get(), buffer);
  }
  void send(std::span<const std::uint8_t> payload, std::uint8_t payload_type) {
    std::array<std::uint8_t, kMaxRtpHeaderBytes> header;
    const std::size_t bytes = write_rtp_header({.payload_type = payload_type,
                                                .sequence = sequence_++,
                                                .timestamp = timestamp_,
                                                .ssrc = 4711},
                                               {}, 0, header);
    std::vector<std::uint8_t> packet(header.begin(), header.begin() + static_cast<int>(bytes));
    packet.insert(packet.end(), payload.begin(), payload.end());
    send_bytes(packet);
  }
  // 20 ms of its tone, if it has one.
  void speak() {
    if (amplitude > 0) {
      send(sender_.encode(test_support::tone(tone_hz, amplitude, 960, said_)), payload_type_);
    }
    said_ += 960;
    timestamp_ += 960;
  }
  // What it was sent since the last call; decoded into `heard` too, if `listening`.
  std::vector<BufferPtr> receive() {
    std::vector<BufferPtr> buffers;
    while (GstBuffer* const buffer = gst_harness_try_pull(harness_.get())) {
      buffers.emplace_back(buffer);
      if (!listening) continue;
      GstMapInfo map;
      gst_buffer_map(buffer, &map, GST_MAP_READ);
      const auto packet = parse_rtp({map.data, map.size});
      const auto samples = receiver_.decode(packet->payload);
      heard.insert(heard.end(), samples.begin(), samples.end());
      gst_buffer_unmap(buffer, &map);
    }
    return buffers;
  }

  double tone_hz = 440, amplitude = 0;
  bool listening = false;
  test_support::Samples heard;

 private:
  std::unique_ptr<GstHarness, HarnessFree> harness_;
  std::uint8_t payload_type_;
  test_support::OpusSender sender_;
  test_support::OpusReceiver receiver_;
  std::size_t said_ = 0;
  std::uint16_t sequence_ = 1;
  std::uint32_t timestamp_ = 1;
};

struct Conference {
  explicit Conference(guint count, const RtpParameters& rtp = {}, TickPool* pool = nullptr,
                      ConferenceHooks hooks = {}) {
    register_opus_conference();
    element = ElementPtr::sink(gst_element_factory_make("opusconference", nullptr));
    conference_configure(element.get(), pool, std::move(hooks));
    for (guint i = 0; i < count; ++i) add(i, rtp);
  }
  ~Conference() {
    legs.clear();
    gst_element_set_state(element.get(), GST_STATE_NULL);
  }
  HarnessLeg& add(guint index, const RtpParameters& rtp = {}, VoiceProcessing voice = {}) {
    conference_set_leg(element.get(), index,
                       {.leg = {index + 1},
                        .contributor_id = contributors + index,
                        .ssrc = 77 + index,
                        .rtp = rtp,
                        .voice = voice});
    legs.push_back(std::make_unique<HarnessLeg>(element.get(), index, rtp.opus_payload_type));
    if (legs.size() == 1) {
      GstClock* const held = gst_element_get_clock(element.get());
      clock = ObjectPtr<GstTestClock>::adopt(GST_TEST_CLOCK(held));
      gst_harness_play(legs[0]->get());
    }
    return *legs.back();
  }
  void tick() {
    for (auto& leg : legs) leg->speak();
    gst_test_clock_crank(clock.get());
  }
  // Ticks, and everybody takes what he is sent; returns the last tick's.
  std::vector<std::vector<BufferPtr>> run(int ticks) {
    std::vector<std::vector<BufferPtr>> last;
    for (int t = 0; t < ticks; ++t) {
      tick();
      last.clear();
      for (auto& leg : legs) last.push_back(leg->receive());
    }
    return last;
  }
  guint64 property(const char* name) const {
    GValue value = G_VALUE_INIT;
    g_object_get_property(G_OBJECT(element.get()), name, &value);
    const guint64 number =
        G_VALUE_HOLDS_UINT64(&value) ? g_value_get_uint64(&value) : g_value_get_uint(&value);
    g_value_unset(&value);
    return number;
  }

  std::uint32_t contributors = 1000;  // of the first leg
  ElementPtr element;
  std::vector<std::unique_ptr<HarnessLeg>> legs;
  ObjectPtr<GstTestClock> clock;
};

}  // namespace media::gst
