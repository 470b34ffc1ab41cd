#include "media/gst/webrtc_dsp.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "media/gst/gst_ptr.h"

namespace media::gst {
namespace {

constexpr const char* kElement = "webrtcdsp";
constexpr auto kFrame_duration = GST_SECOND * kFrame_samples / kSampleRate_hz;

// The element alone between two pads, in no pipeline: what is pushed into the one has come out of
// the other when the push returns.
class WebrtcDsp final : public VoiceFilter {
 public:
  WebrtcDsp(ElementPtr element, const VoiceProcessing& wanted)
      : element_(std::move(element)),
        in_(PadPtr::sink(gst_pad_new("in", GST_PAD_SRC))),
        out_(PadPtr::sink(gst_pad_new("out", GST_PAD_SINK))) {
    g_object_set(element_.get(), "echo-cancel", FALSE, "noise-suppression", wanted.denoise,
                 "high-pass-filter", wanted.denoise, "gain-control", wanted.automatic_gain,
                 nullptr);
    gst_pad_set_chain_function_full(out_.get(), &on_processed, this, nullptr);
    gst_pad_set_active(in_.get(), TRUE);
    gst_pad_set_active(out_.get(), TRUE);
    link(in_, PadPtr::adopt(gst_element_get_static_pad(element_.get(), "sink")));
    link(PadPtr::adopt(gst_element_get_static_pad(element_.get(), "src")), out_);
    gst_element_set_state(element_.get(), GST_STATE_PLAYING);
    begin();
  }
  ~WebrtcDsp() override {
    gst_element_set_state(element_.get(), GST_STATE_NULL);
    gst_pad_set_active(in_.get(), FALSE);
    gst_pad_set_active(out_.get(), FALSE);
  }

  void process(Frame& frame) noexcept override {
    GstBuffer* const buffer = gst_buffer_new_memdup(frame.data(), sizeof frame);
    GST_BUFFER_PTS(buffer) = frames_ * kFrame_duration;
    GST_BUFFER_DURATION(buffer) = kFrame_duration;
    ++frames_;
    processed_ = 0;
    gst_pad_push(in_.get(), buffer);
    if (processed_ == sizeof frame) frame = frame_;  // else it goes as it came
  }

 private:
  static void link(const PadPtr& from, const PadPtr& to) {
    gst_pad_link_full(from.get(), to.get(), GST_PAD_LINK_CHECK_NOTHING);
  }
  void begin() {
    gst_pad_push_event(in_.get(), gst_event_new_stream_start("voice"));
    const CapsPtr caps(gst_caps_new_simple(
        "audio/x-raw", "format", G_TYPE_STRING, "S16LE", "layout", G_TYPE_STRING, "interleaved",
        "rate", G_TYPE_INT, kSampleRate_hz, "channels", G_TYPE_INT, 1, nullptr));
    gst_pad_push_event(in_.get(), gst_event_new_caps(caps.get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(in_.get(), gst_event_new_segment(&segment));
  }
  // Twice a frame: 10 ms each.
  static GstFlowReturn on_processed(GstPad* pad, GstObject*, GstBuffer* buffer) noexcept {
    auto& self = *static_cast<WebrtcDsp*>(pad->chaindata);
    const gsize room = sizeof self.frame_ - self.processed_;
    self.processed_ += gst_buffer_extract(
        buffer, 0, reinterpret_cast<char*>(self.frame_.data()) + self.processed_, room);
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
  }

  const ElementPtr element_;
  const PadPtr in_, out_;
  guint64 frames_ = 0;
  Frame frame_{};
  gsize processed_ = 0;  // bytes of it
};

}  // namespace

bool has_webrtc_dsp() {
  const auto factory = ObjectPtr<GstElementFactory>::adopt(gst_element_factory_find(kElement));
  return static_cast<bool>(factory);
}

std::unique_ptr<VoiceFilter> make_webrtc_dsp(const VoiceProcessing& wanted) {
  if (wanted == VoiceProcessing{}) return nullptr;
  auto element = ElementPtr::sink(gst_element_factory_make(kElement, nullptr));
  if (!element) return nullptr;
  return std::make_unique<WebrtcDsp>(std::move(element), wanted);
}

}  // namespace media::gst
