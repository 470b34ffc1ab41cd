// media/gst/webrtc_dsp.h: a VoiceFilter by GStreamer's `webrtcdsp` (WebRTC's audio processing).
#pragma once

#include <memory>

#include "media/voice_filter.h"

namespace media::gst {

// Whether the plugin is installed (gst-plugins-bad). After gst_init; any thread.
bool has_webrtc_dsp();
// nullptr: nothing is to be done to the voice, or there is no plugin. Made and destroyed on the
// control thread. Each keeps some 110 kB and needs some 150 µs for a frame; process() allocates.
std::unique_ptr<VoiceFilter> make_webrtc_dsp(const VoiceProcessing& wanted);

}  // namespace media::gst
