// tests/support/made_file.h: files of sound and pictures for tests, made by GStreamer's encoders.
#pragma once

#include <gst/gst.h>

#include <string>

#include "media/gst/gst_ptr.h"

namespace support {

// Why such a test is skipped with test_support::kThreadsSanitized.
inline constexpr char kEncodersUnseen[] =
    "TSan does not see how GStreamer's encoders, which make the files, are locked";

// A file as GStreamer's own elements write it; false: an element is not there.
inline bool make_file(const std::string& pipeline) {
  GError* error = nullptr;
  const auto made = media::gst::ElementPtr::sink(gst_parse_launch(pipeline.c_str(), &error));
  if (error) {
    g_error_free(error);
    return false;
  }
  gst_element_set_state(made.get(), GST_STATE_PLAYING);
  const auto bus = media::gst::ObjectPtr<GstBus>::adopt(gst_element_get_bus(made.get()));
  GstMessage* const end = gst_bus_timed_pop_filtered(
      bus.get(), 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  const bool good = end && GST_MESSAGE_TYPE(end) == GST_MESSAGE_EOS;
  if (end) gst_message_unref(end);
  gst_element_set_state(made.get(), GST_STATE_NULL);
  return good;
}

}  // namespace support
