// media/gst/conference_pads.h: what the pads of `opusconference` do that needs nothing of the
// element: each pad's private data is the leg or the PlaySource behind it.
#pragma once

#include <gst/gst.h>

namespace media::gst {

// Sink pads of legs; the chain function on the leg's I/O thread.
GstFlowReturn leg_chain(GstPad* pad, GstObject*, GstBuffer* buffer);
gboolean sink_query(GstPad* pad, GstObject* parent, GstQuery* query);

// Sink pads of play. On its streaming thread.
GstFlowReturn play_chain(GstPad* pad, GstObject*, GstBuffer* buffer);
gboolean play_event(GstPad* pad, GstObject*, GstEvent* event);

gboolean src_event(GstPad*, GstObject*, GstEvent* event);
gboolean src_query(GstPad* pad, GstObject* parent, GstQuery* query);

}  // namespace media::gst
