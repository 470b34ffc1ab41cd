#include "media/gst/leg_sink.h"

#include "media/gst/io_thread.h"

namespace media::gst {
namespace {

struct LegSink {
  GstElement element;
  GstPad* pad;
  // Constant after make_leg_sink().
  IoThread* io;
  LegId leg;
  LegSinkWake wake;
};
struct LegSinkClass {
  GstElementClass parent;
};

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                             GST_STATIC_CAPS("application/x-rtp"));

GType leg_sink_get_type();
G_DEFINE_TYPE(LegSink, leg_sink, GST_TYPE_ELEMENT)

GstFlowReturn chain(GstPad*, GstObject* parent, GstBuffer* buffer) noexcept {
  auto* self = reinterpret_cast<LegSink*>(parent);
  self->io->enqueue(self->leg, BufferPtr(buffer));
  if (self->wake == LegSinkWake::each_buffer) self->io->flush();
  return GST_FLOW_OK;
}

gboolean event(GstPad* pad, GstObject* parent, GstEvent* event) noexcept {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    GstMessage* message = gst_message_new_eos(parent);
    gst_message_set_seqnum(message, gst_event_get_seqnum(event));
    gst_element_post_message(GST_ELEMENT(parent), message);
  }
  return gst_pad_event_default(pad, parent, event);
}

void leg_sink_class_init(LegSinkClass* klass) {
  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_set_static_metadata(element_class, "Conference leg sink", "Sink/Network/RTP",
                                        "RTP of one leg, handed to its I/O thread", "jingle-mixer");
}

void leg_sink_init(LegSink* self) {
  self->pad = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(self->pad, &chain);
  gst_pad_set_event_function(self->pad, &event);
  gst_element_add_pad(&self->element, self->pad);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
}

}  // namespace

ElementPtr make_leg_sink(IoThread& io, LegId leg, LegSinkWake wake) {
  auto element = ElementPtr::sink(GST_ELEMENT(g_object_new(leg_sink_get_type(), nullptr)));
  auto* self = reinterpret_cast<LegSink*>(element.get());
  self->io = &io;
  self->leg = leg;
  self->wake = wake;
  return element;
}

LegRoute leg_sink_route(GstPad* pad) {
  const auto parent = ElementPtr::adopt(gst_pad_get_parent_element(pad));
  if (!parent || !G_TYPE_CHECK_INSTANCE_TYPE(parent.get(), leg_sink_get_type())) return {};
  const auto* self = reinterpret_cast<const LegSink*>(parent.get());
  return self->wake == LegSinkWake::by_flush ? LegRoute{self->io, self->leg} : LegRoute{};
}

}  // namespace media::gst
