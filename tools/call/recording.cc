#include "tools/call/recording.h"

#include <gst/rtp/gstrtpbuffer.h>

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

#include "media/gst/leg_src.h"
#include "media/thread_role.h"
#include "tools/call/wav.h"

namespace call {
namespace {

using media::gst::ElementPtr;
using media::gst::PadPtr;

constexpr std::int64_t kRate_hz = 48000;
// A timestamp further ahead than this is a new stream (a mixer that restarted), not a pause.
constexpr std::int64_t kLongestPause_samples = 600 * kRate_hz;

ElementPtr make(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (element == nullptr) throw std::runtime_error(std::string("GStreamer lacks ") + factory);
  return ElementPtr::sink(element);
}

}  // namespace

class Recording::Impl {
 public:
  Impl(const std::string& file, std::uint8_t opus_payload_type, unsigned channels)
      : wav_(std::make_unique<WavWriter>(file, channels)),
        pipeline_(ElementPtr::sink(gst_pipeline_new(nullptr))),
        leg_src_(media::gst::make_leg_src(opus_payload_type)) {
    const ElementPtr depay = make("rtpopusdepay");
    const ElementPtr decoder = make("opusdec");
    const ElementPtr convert = make("audioconvert");
    const ElementPtr filter = make("capsfilter");
    const ElementPtr sink = make("fakesink");
    const std::string sound = "audio/x-raw,format=S16LE,rate=48000,channels=";
    const media::gst::CapsPtr caps(
        gst_caps_from_string((sound + std::to_string(channels)).c_str()));
    g_object_set(filter.get(), "caps", caps.get(), nullptr);
    g_object_set(sink.get(), "sync", FALSE, "async", FALSE, "signal-handoffs", TRUE, nullptr);
    g_signal_connect(sink.get(), "handoff", G_CALLBACK(&Impl::on_sound), this);
    gst_bin_add_many(GST_BIN(pipeline_.get()), leg_src_.get(), depay.get(), decoder.get(),
                     convert.get(), filter.get(), sink.get(), nullptr);
    if (gst_element_link_many(leg_src_.get(), depay.get(), decoder.get(), convert.get(),
                              filter.get(), sink.get(), nullptr) == FALSE) {
      throw std::runtime_error("cannot link the recording's pipeline");
    }
    // On a sink pad, so that it runs under the stream lock, which stopping waits for.
    const PadPtr pad = PadPtr::adopt(gst_element_get_static_pad(depay.get(), "sink"));
    gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, &Impl::on_packet, this, nullptr);
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }
  ~Impl() {
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    const media::MutexLock lock(mutex_);
    wav_.reset();
  }

  const ElementPtr& leg_src() const { return leg_src_; }

 private:
  // Arrival times become positions by RTP timestamp; packets that come too late are dropped.
  static GstPadProbeReturn on_packet(GstPad*, GstPadProbeInfo* info, gpointer self) noexcept {
    return static_cast<Impl*>(self)->place(info) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
  }
  bool place(GstPadProbeInfo* info) {
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    if (gst_rtp_buffer_map(GST_PAD_PROBE_INFO_BUFFER(info), GST_MAP_READ, &rtp) == FALSE) {
      return false;
    }
    const std::uint32_t timestamp = gst_rtp_buffer_get_timestamp(&rtp);
    gst_rtp_buffer_unmap(&rtp);
    const media::MutexLock lock(mutex_);
    if (last_) {
      const auto step = static_cast<std::int32_t>(timestamp - *last_);
      if (step <= 0) return false;
      position_ += step <= kLongestPause_samples ? step : 960;
    }
    last_ = timestamp;
    GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(static_cast<guint64>(position_), GST_SECOND,
                                                   static_cast<guint64>(kRate_hz));
    return true;
  }

  static void on_sound(GstElement*, GstBuffer* buffer, GstPad*, gpointer self) noexcept {
    static_cast<Impl*>(self)->write(buffer);
  }
  void write(GstBuffer* buffer) {
    const media::MutexLock lock(mutex_);
    if (GST_BUFFER_PTS_IS_VALID(buffer)) {
      const auto position = static_cast<std::int64_t>(
          gst_util_uint64_scale_round(GST_BUFFER_PTS(buffer), kRate_hz, GST_SECOND));
      const auto written = static_cast<std::int64_t>(wav_->samples());
      // Less than a packet is rounding of the decoder's clock, no gap.
      if (position > written + 120)
        wav_->write_silence(static_cast<std::size_t>(position - written));
    }
    GstMapInfo map;
    if (gst_buffer_map(buffer, &map, GST_MAP_READ) == FALSE) return;
    wav_->write({reinterpret_cast<const std::int16_t*>(map.data), map.size / 2});
    gst_buffer_unmap(buffer, &map);
  }

  // The I/O thread's while the pipeline plays, then the control thread's. Never contended: the
  // pads' stream locks order the two already, but ThreadSanitizer cannot see those.
  media::Mutex mutex_;
  std::unique_ptr<WavWriter> wav_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::uint32_t> last_ ABSL_GUARDED_BY(mutex_);
  std::int64_t position_ ABSL_GUARDED_BY(mutex_) = 0;

  // The control thread's
  ElementPtr pipeline_, leg_src_;
};

Recording::Recording(const std::string& file, std::uint8_t opus_payload_type, unsigned channels)
    : impl_(std::make_unique<Impl>(file, opus_payload_type, channels)) {}
Recording::~Recording() = default;
const ElementPtr& Recording::leg_src() const { return impl_->leg_src(); }

}  // namespace call
