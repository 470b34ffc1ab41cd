// tools/call/recording.h: what one caller hears, into a WAV file (48 kHz, mono or stereo, S16), by
// GStreamer's own elements: leg_src ! rtpopusdepay ! opusdec ! audioconvert. No thread of its own:
// all of it runs on the I/O thread that pushes. What was not sent or was lost is silence of the
// same length, by RTP timestamp, so that the recording is as long as the call.
#pragma once

#include <memory>
#include <string>

#include "media/gst/gst_ptr.h"

namespace call {

class Recording {
 public:
  // Control thread. Throws std::runtime_error: the file cannot be written, GStreamer lacks an
  // element.
  Recording(const std::string& file, std::uint8_t opus_payload_type, unsigned channels = 1);
  // Control thread. Waits for a push under way; what was pushed is in the file.
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  const media::gst::ElementPtr& leg_src() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace call
