// media/gst/start.h: what GStreamer and the heap need in this process before the first pipeline.
#pragma once

namespace media::gst {

// Makes `opusconference` known, too. Any thread, again and again. Throws std::runtime_error.
void start_gstreamer();

}  // namespace media::gst
