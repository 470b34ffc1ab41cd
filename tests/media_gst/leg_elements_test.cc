// leg_src and leg_sink in pipelines of GStreamer's own elements, as a caller uses them.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "media/gst/leg_sink.h"
#include "media/gst/leg_src.h"
#include "tests/media_gst/transport_peer.h"
#include "tests/support/audio.h"

namespace media::gst {
namespace {

// Collects what a fakesink hands off.
struct Recording {
  std::mutex mutex;
  test_support::Samples samples;
  std::size_t size() {
    const std::lock_guard lock(mutex);
    return samples.size();
  }
};
void hand_off(GstElement*, GstBuffer* buffer, GstPad*, gpointer data) {
  auto* recording = static_cast<Recording*>(data);
  test_support::Samples samples(gst_buffer_get_size(buffer) / 2);
  gst_buffer_extract(buffer, 0, samples.data(), samples.size() * 2);
  const std::lock_guard lock(recording->mutex);
  recording->samples.insert(recording->samples.end(), samples.begin(), samples.end());
}

class Pipeline {
 public:
  explicit Pipeline(const std::string& description)
      : pipeline_(ElementPtr::sink(gst_parse_launch(description.c_str(), nullptr))) {}
  ~Pipeline() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  GstElement* get() const { return pipeline_.get(); }
  ElementPtr by_name(const char* name) const {
    return ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
  }
  void add(const ElementPtr& element) { gst_bin_add(GST_BIN(pipeline_.get()), element.get()); }
  void play() { gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING); }
  bool wait_for_eos() {
    const auto bus = ObjectPtr<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
    GstMessage* message = gst_bus_timed_pop_filtered(
        bus.get(), 40 * GST_SECOND,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    const bool eos = message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
    if (message) gst_message_unref(message);
    return eos;
  }

 private:
  ElementPtr pipeline_;
};

TEST(LegElements, CarrySoundBetweenGStreamersOwnEncoderAndDecoder) {
  gst_init(nullptr, nullptr);
  Peer a({.leg = LegId{1}, .ssrc = 0x1111, .controlling = true});
  Recording heard;
  // A parsed pipeline of one element would be that element alone.
  Pipeline listener("identity name=in ! fakesink name=out signal-handoffs=true sync=false");
  const auto decoder = ElementPtr::sink(gst_parse_bin_from_description(
      "rtpopusdepay ! opusdec ! audioconvert ! audioresample ! "
      "capsfilter caps=audio/x-raw,format=S16LE,rate=48000,channels=1",
      TRUE, nullptr));
  const auto leg_src = make_leg_src(111);
  listener.add(leg_src);
  listener.add(decoder);
  const auto in = listener.by_name("in"), out = listener.by_name("out");
  ASSERT_TRUE(gst_element_link_many(leg_src.get(), decoder.get(), in.get(), nullptr));
  g_signal_connect(out.get(), "handoff", G_CALLBACK(hand_off), &heard);
  listener.play();

  const DtlsIdentity identity;
  EventLog log;
  IoThread io({.addresses = {"127.0.0.1"}}, identity,
              [&](Event event) { log.push(std::move(event)); });
  io.open({.leg = LegId{2}, .ssrc = 0x2222, .leg_src = leg_src});
  a.open();
  const auto opened = log.wait_for<LegOpened>(LegId{2});
  ASSERT_TRUE(opened);
  LegRemote half{.ice = opened->ice,
                 .candidates = opened->candidates,
                 .fingerprint = opened->fingerprint,
                 .our_role = DtlsRole::server,
                 .rtp = {}};
  a.io_.connect(a.leg(), half);
  io.connect(LegId{2}, a.as_remote(DtlsRole::client));
  ASSERT_TRUE(a.log_.wait_for<LegConnected>(a.leg()));
  ASSERT_TRUE(log.wait_for<LegConnected>(LegId{2}));

  {
    Pipeline talker(
        "audiotestsrc freq=440 volume=0.25 num-buffers=100 samplesperbuffer=960 ! "
        "audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=32000 ! "
        "rtpopuspay pt=111 ssrc=4369 ! clocksync name=last");
    const auto leg_sink = make_leg_sink(a.io_, a.leg(), LegSinkWake::each_buffer);
    talker.add(leg_sink);
    const auto last = talker.by_name("last");
    ASSERT_TRUE(gst_element_link(last.get(), leg_sink.get()));
    talker.play();
    EXPECT_TRUE(talker.wait_for_eos());
  }
  EXPECT_TRUE(eventually([&] { return heard.size() >= 90U * 960; }));
  io.close(LegId{2});
  const auto closed = log.wait_for<LegClosed>(LegId{2});
  ASSERT_TRUE(closed);
  EXPECT_GE(closed->statistics.received, 100U);  // and what the encoder held back
  const std::lock_guard lock(heard.mutex);
  const auto middle = std::span(heard.samples).subspan(24000, 48000);
  EXPECT_NEAR(test_support::tone_dbfs(middle, 440), -12, 1.5);
  EXPECT_LT(test_support::tone_dbfs(middle, 610), -50);
}

// Control takes the element up and down while the I/O thread pushes into it.
TEST(LegElements, ALegSourceMayBeTornDownWhileItPushes) {
  Peer a({.leg = LegId{1}, .ssrc = 0x1111, .controlling = true});
  Peer b({.leg = LegId{2}, .ssrc = 0x2222});
  join(a, b);
  expect_connected(a, b);
  std::atomic<bool> stop{false};
  std::thread talker([&] {
    for (std::uint16_t i = 0; !stop; ++i) {
      a.send_rtp(1, i);
      std::this_thread::yield();
    }
  });
  const auto element = b.receiver_.leg_src();
  for (int i = 0; i < 200; ++i) {
    gst_element_set_state(element.get(), GST_STATE_NULL);
    gst_element_set_state(element.get(), GST_STATE_PLAYING);
  }
  const auto before = b.receiver_.packets().size();
  EXPECT_TRUE(b.receiver_.wait_for_packets(before + 10));  // it comes back each time
  stop = true;
  talker.join();
}

// A tick pushes while the leg is closed and its id is used no more.
TEST(LegElements, ALegSinkMayPushForALegThatIsClosed) {
  Peer a({.leg = LegId{1}, .ssrc = 0x1111, .controlling = true});
  Peer b({.leg = LegId{2}, .ssrc = 0x2222});
  join(a, b);
  expect_connected(a, b);
  const auto sink = make_leg_sink(a.io_, a.leg(), LegSinkWake::by_flush);
  gst_element_set_state(sink.get(), GST_STATE_PLAYING);
  const auto pad = PadPtr::adopt(gst_element_get_static_pad(sink.get(), "sink"));
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> pushed{0};
  std::thread tick([&] {
    gst_pad_send_event(pad.get(), gst_event_new_stream_start("s"));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_send_event(pad.get(), gst_event_new_segment(&segment));
    for (std::uint16_t i = 0; !stop; ++i) {
      const auto packet = rtp_packet(0x1111, i, 80);
      gst_pad_chain(pad.get(), gst_buffer_new_memdup(packet.data(), packet.size()));
      a.io_.flush();
      pushed++;
    }
  });
  ASSERT_TRUE(b.receiver_.wait_for_packets(10));
  a.io_.close(a.leg());
  ASSERT_TRUE(a.log_.wait_for<LegClosed>(a.leg()));
  const auto then = pushed.load();
  EXPECT_TRUE(eventually([&] { return pushed > then + 100; }));
  stop = true;
  tick.join();
  gst_element_set_state(sink.get(), GST_STATE_NULL);
  EXPECT_EQ(a.log_.count<LegFailed>(a.leg()), 0U);
}

TEST(LegElements, AFullOutboxDropsAndCounts) {
  const DtlsIdentity identity;
  gst_init(nullptr, nullptr);
  IoThread io({.addresses = {"127.0.0.1"}}, identity, [](const Event&) {});
  const auto packet = rtp_packet(1, 1, 10);
  constexpr std::uint64_t kPackets = 20000;
  for (std::uint64_t i = 0; i < kPackets; ++i) {  // never flushed
    io.enqueue(LegId{1}, BufferPtr(gst_buffer_new_memdup(packet.data(), packet.size())));
  }
  const auto full = io.counters().outbox_full;
  EXPECT_GT(full, 0U);
  EXPECT_LE(full, kPackets - limits::kMaxLegs) << "a tick of all fits";
  io.flush();
  EXPECT_TRUE(eventually([&] { return io.counters().unsent == kPackets - full; }));
}

}  // namespace
}  // namespace media::gst
