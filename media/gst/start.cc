#include "media/gst/start.h"

#include <gst/gst.h>

#include <mutex>
#include <stdexcept>
#include <string>

#include "media/gst/conference_element.h"
#include "media/gst/heap.h"

namespace media::gst {

void start_gstreamer() {
  GError* error = nullptr;
  if (!gst_init_check(nullptr, nullptr, &error)) {
    const std::string text = error ? error->message : "unknown error";
    g_clear_error(&error);
    throw std::runtime_error("GStreamer does not start: " + text);
  }
  static std::once_flag registered;
  std::call_once(registered, [] {
    map_large_blocks();
    register_opus_conference();
  });
}

}  // namespace media::gst
