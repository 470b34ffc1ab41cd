#include "media/gst/leg_src.h"

#include <atomic>
#include <string>

namespace media::gst {
namespace {

constexpr char kLossEvent[] = "mixer-listener-loss";

struct LegSrc {
  GstElement element;
  GstPad* pad;
  std::atomic<guint> payload_type;
  // Set by control with each activation, cleared by the I/O thread: a pad forgets its sticky events
  // when it is deactivated.
  std::atomic<bool> needs_events;
};
struct LegSrcClass {
  GstElementClass parent;
};

GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("application/x-rtp, media=(string)audio, "
                                            "clock-rate=(int)48000, encoding-name=(string)OPUS"));

GType leg_src_get_type();
G_DEFINE_TYPE(LegSrc, leg_src, GST_TYPE_ELEMENT)

LegSrc* self_of(gpointer element) { return static_cast<LegSrc*>(element); }

// Live, and without latency of its own; the element behind it decides what it buffers.
gboolean query(GstPad* pad, GstObject* parent, GstQuery* query) noexcept {
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
    gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return gst_pad_query_default(pad, parent, query);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) noexcept {
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) self_of(element)->needs_events = true;
  const auto result = GST_ELEMENT_CLASS(leg_src_parent_class)->change_state(element, transition);
  const bool live = transition == GST_STATE_CHANGE_READY_TO_PAUSED ||
                    transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
  return live && result == GST_STATE_CHANGE_SUCCESS ? GST_STATE_CHANGE_NO_PREROLL : result;
}

void push_events(LegSrc* self) {
  gchar* id = gst_pad_create_stream_id(self->pad, &self->element, nullptr);
  gst_pad_push_event(self->pad, gst_event_new_stream_start(id));
  g_free(id);
  const CapsPtr caps(gst_caps_new_simple("application/x-rtp", "media", G_TYPE_STRING, "audio",
                                         "clock-rate", G_TYPE_INT, 48000, "encoding-name",
                                         G_TYPE_STRING, "OPUS", "payload", G_TYPE_INT,
                                         static_cast<gint>(self->payload_type.load()), nullptr));
  gst_pad_push_event(self->pad, gst_event_new_caps(caps.get()));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(self->pad, gst_event_new_segment(&segment));
}

void leg_src_class_init(LegSrcClass* klass) {
  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = &change_state;
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "Conference leg source", "Source/Network/RTP",
      "RTP of one leg, decrypted on its I/O thread", "jingle-mixer");
}

void leg_src_init(LegSrc* self) {
  new (&self->payload_type) std::atomic<guint>(111);
  new (&self->needs_events) std::atomic<bool>(true);
  self->pad = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_query_function(self->pad, &query);
  gst_element_add_pad(&self->element, self->pad);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

}  // namespace

ElementPtr make_leg_src(std::uint8_t opus_payload_type) {
  auto element = ElementPtr::sink(GST_ELEMENT(g_object_new(leg_src_get_type(), nullptr)));
  leg_src_set_payload_type(element.get(), opus_payload_type);
  return element;
}

void leg_src_set_payload_type(GstElement* leg_src, std::uint8_t opus_payload_type) {
  self_of(leg_src)->payload_type = opus_payload_type;
}

void leg_src_push(GstElement* leg_src, BufferPtr rtp) {
  auto* self = self_of(leg_src);
  if (!gst_pad_is_active(self->pad)) return;
  // 1. control deactivates the pad here: the events and the buffer are refused ("flushing");
  // 2. control activates it again: needs_events is true, the next buffer brings new events.
  if (self->needs_events.exchange(false)) push_events(self);
  const GstClockTime now = gst_element_get_current_running_time(leg_src);
  GST_BUFFER_PTS(rtp.get()) = now;
  GST_BUFFER_DTS(rtp.get()) = now;
  gst_pad_push(self->pad, rtp.release());
}

void leg_src_tell_loss(GstElement* leg_src, std::uint8_t step) {
  auto* self = self_of(leg_src);
  if (!gst_pad_is_active(self->pad)) return;
  GstStructure* const loss =
      gst_structure_new(kLossEvent, "step", G_TYPE_UINT, guint{step}, nullptr);
  gst_pad_push_event(self->pad, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, loss));
}

std::optional<std::uint8_t> told_loss(GstEvent* event) {
  guint step = 0;
  if (!gst_event_has_name(event, kLossEvent) ||
      !gst_structure_get_uint(gst_event_get_structure(event), "step", &step)) {
    return std::nullopt;
  }
  return static_cast<std::uint8_t>(step);
}

}  // namespace media::gst
