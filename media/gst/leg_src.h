// media/gst/leg_src.h: `mixerlegsrc`, where a leg's decrypted RTP enters a pipeline: one always pad
// "src", application/x-rtp, no thread and no queue of its own. Live (NO_PREROLL, latency 0); each
// buffer is stamped with the running time of its arrival.
#pragma once

#include <cstdint>
#include <optional>

#include "media/gst/gst_ptr.h"

namespace media::gst {

// Control thread. `opus_payload_type` goes into the caps, so that rtpopusdepay can follow.
ElementPtr make_leg_src(std::uint8_t opus_payload_type = 111);
// Control thread, before the first packet: the peer's half came later (dialling out).
void leg_src_set_payload_type(GstElement* leg_src, std::uint8_t opus_payload_type);

// The leg's I/O thread. Pushes downstream on this very thread; dropped when the element is not
// PAUSED or PLAYING, or not linked. The element may be torn down meanwhile (io_thread.h, Lifetime).
void leg_src_push(GstElement* leg_src, BufferPtr rtp);
// The same thread. What the peer's reports let one expect (ListenerLoss::step), as an event of its
// own between the buffers: whoever releases a pad waits for it as for them. Dropped where they
// would be.
void leg_src_tell_loss(GstElement* leg_src, std::uint8_t step);
// The other end of it: nullopt for any other event.
std::optional<std::uint8_t> told_loss(GstEvent* event);

}  // namespace media::gst
