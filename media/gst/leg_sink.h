// media/gst/leg_sink.h: `mixerlegsink`, where RTP leaves a pipeline for a leg: one always pad
// "sink", application/x-rtp. Its chain function, on whatever thread pushes (an encoder), only puts
// (leg, buffer) into the I/O thread's outbox; a room's tick does so itself (LegRoute). It does not
// wait for the clock: in a caller's pipeline a `clocksync` stands before it. EOS is posted on the
// bus as a sink does.
#pragma once

#include "media/gst/gst_ptr.h"
#include "media/mix_plan.h"

namespace media::gst {

class IoThread;

enum class LegSinkWake {
  by_flush,     // the room's tick calls IoThread::flush() once for all its legs
  each_buffer,  // a caller's own pipeline
};

// Control thread. `io` outlives the element. Buffers must carry the SSRC of the transport's spec
// (rtpopuspay has a property for it).
ElementPtr make_leg_sink(IoThread& io, LegId leg, LegSinkWake wake);

// Where packets for this pad end. A tick puts them there itself: it takes no lock, and every
// gst_pad_push() takes several.
struct LegRoute {
  IoThread* io = nullptr;  // null: not at a leg_sink, or at one that wakes with each buffer
  LegId leg{};
};
LegRoute leg_sink_route(GstPad* pad);  // control thread

}  // namespace media::gst
