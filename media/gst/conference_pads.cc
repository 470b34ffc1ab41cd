#include "media/gst/conference_pads.h"

#include "media/gst/conference_room.h"
#include "media/play_source.h"

namespace media::gst {

GstFlowReturn leg_chain(GstPad* pad, GstObject*, GstBuffer* buffer) {
  auto* const leg = static_cast<ConferenceRoom::Leg*>(gst_pad_get_element_private(pad));
  const gsize size = gst_buffer_get_size(buffer);
  const auto slot = leg->packets().reserve(size);
  if (!slot.empty()) {
    gst_buffer_extract(buffer, 0, slot.data(), slot.size());
    leg->packets().commit(ConferenceRoom::samples_of(GST_BUFFER_PTS(buffer)));
  }
  gst_buffer_unref(buffer);
  return GST_FLOW_OK;
}

gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  const GstQueryType type = GST_QUERY_TYPE(query);
  if (type != GST_QUERY_CAPS && type != GST_QUERY_ACCEPT_CAPS) return FALSE;
  return gst_pad_query_default(pad, parent, query);
}

GstFlowReturn play_chain(GstPad* pad, GstObject*, GstBuffer* buffer) {
  auto* const source = static_cast<PlaySource*>(gst_pad_get_element_private(pad));
  GstMapInfo map;
  bool taken = false;
  if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    taken = source->write({reinterpret_cast<const std::int16_t*>(map.data), map.size / 2});
    gst_buffer_unmap(buffer, &map);
  }
  gst_buffer_unref(buffer);
  return taken ? GST_FLOW_OK : GST_FLOW_FLUSHING;
}

gboolean play_event(GstPad* pad, GstObject*, GstEvent* event) {
  auto* const source = static_cast<PlaySource*>(gst_pad_get_element_private(pad));
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      gint channels = 1;
      gst_structure_get_int(gst_caps_get_structure(caps, 0), "channels", &channels);
      source->set_channels(channels == 2 ? 2 : 1);
      break;
    }
    case GST_EVENT_FLUSH_START: source->interrupt(true); break;
    case GST_EVENT_FLUSH_STOP:
      source->discard();
      source->interrupt(false);
      break;
    case GST_EVENT_EOS: source->finish(); break;
    default: break;
  }
  gst_event_unref(event);
  return TRUE;
}

gboolean src_event(GstPad*, GstObject*, GstEvent* event) {
  gst_event_unref(event);  // one listener's QoS or reconfigure is nobody else's
  return TRUE;
}

gboolean src_query(GstPad* pad, GstObject* parent, GstQuery* query) {
  switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_LATENCY:
      gst_query_set_latency(query, TRUE, 20 * GST_MSECOND, GST_CLOCK_TIME_NONE);
      return TRUE;
    case GST_QUERY_CAPS:
    case GST_QUERY_ACCEPT_CAPS: return gst_pad_query_default(pad, parent, query);
    default: return FALSE;
  }
}

}  // namespace media::gst
