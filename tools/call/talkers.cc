#include "tools/call/talkers.h"

#include <gst/gst.h>

#include <stdexcept>

#include "media/gst/leg_src.h"
#include "media/rtp_header.h"

namespace call {
namespace {

using namespace std::chrono_literals;
using media::gst::ElementPtr;

constexpr auto kHangOver = 500ms;

}  // namespace

Talkers::Talkers()
    : pipeline_(ElementPtr::sink(gst_pipeline_new(nullptr))), leg_src_(media::gst::make_leg_src()) {
  GstElement* made = gst_element_factory_make("fakesink", nullptr);
  if (made == nullptr) throw std::runtime_error("GStreamer lacks fakesink");
  const ElementPtr sink = ElementPtr::sink(made);
  g_object_set(sink.get(), "sync", FALSE, "async", FALSE, "signal-handoffs", TRUE, nullptr);
  const auto on_packet = +[](GstElement*, GstBuffer* buffer, GstPad*, gpointer self) noexcept {
    static_cast<Talkers*>(self)->heard(buffer);
  };
  g_signal_connect(sink.get(), "handoff", G_CALLBACK(on_packet), this);
  gst_bin_add_many(GST_BIN(pipeline_.get()), leg_src_.get(), sink.get(), nullptr);
  if (gst_element_link(leg_src_.get(), sink.get()) == FALSE) {
    throw std::runtime_error("cannot link a leg's source to fakesink");
  }
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
}

Talkers::~Talkers() {
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  const media::MutexLock lock(mutex_);  // shows ThreadSanitizer what the stream lock ordered
  last_.clear();
}

std::set<std::uint32_t> Talkers::talking() const {
  const auto since = Clock::now() - kHangOver;
  std::set<std::uint32_t> talking;
  const media::MutexLock lock(mutex_);
  for (const auto& [csrc, at] : last_) {
    if (at >= since) talking.insert(csrc);
  }
  return talking;
}

void Talkers::heard(GstBuffer* buffer) {
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READ) == FALSE) return;
  if (const auto packet = media::parse_rtp({map.data, map.size})) {
    const auto now = Clock::now();
    const media::MutexLock lock(mutex_);
    std::erase_if(last_, [&](const auto& entry) { return entry.second < now - kHangOver; });
    for (std::size_t i = 0; i < packet->csrc_count(); ++i) last_[packet->csrc(i)] = now;
  }
  gst_buffer_unmap(buffer, &map);
}

}  // namespace call
