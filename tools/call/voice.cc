#include "tools/call/voice.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>

#include "media/audio_frame.h"
#include "media/gst/gst_ptr.h"
#include "media/loudness.h"

namespace call {
namespace {

using media::gst::CapsPtr;
using media::gst::ElementPtr;

constexpr std::size_t kFrame_samples = media::kFrame_samples;
constexpr char kRaw[] = "audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved";
// A lost or late frame of silence is not missed; Opus' own DTX sends one in 20 (RFC 6716 §2.1.9).
constexpr std::uint64_t kSilenceEvery = 20;

struct SampleUnref {
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
};
using SamplePtr = std::unique_ptr<GstSample, SampleUnref>;

ElementPtr launch(const std::string& description) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(description.c_str(), &error);
  if (error != nullptr) {
    const std::string text = error->message;
    g_error_free(error);
    throw std::runtime_error(text);
  }
  return ElementPtr::sink(pipeline);
}

ElementPtr child(const ElementPtr& pipeline, const char* name) {
  return ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
}

std::string error_on_bus(const ElementPtr& pipeline) {
  GstBus* bus = gst_element_get_bus(pipeline.get());
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (message == nullptr) return {};
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  std::string text = error->message;
  g_error_free(error);
  gst_message_unref(message);
  return text;
}

// Runs the pipeline to its end; every buffer that reaches the appsink "out" goes to `take`.
void drain(const ElementPtr& pipeline,
           const std::function<void(std::span<const std::uint8_t>)>& take) {
  const ElementPtr out = child(pipeline, "out");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  while (const SamplePtr sample{gst_app_sink_pull_sample(GST_APP_SINK(out.get()))}) {
    GstMapInfo map;
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    if (gst_buffer_map(buffer, &map, GST_MAP_READ) == FALSE) continue;
    take({map.data, map.size});
    gst_buffer_unmap(buffer, &map);
  }
  const std::string error = error_on_bus(pipeline);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  if (!error.empty()) throw std::runtime_error(error);
}

std::vector<std::int16_t> decode(const std::string& file) {
  const ElementPtr pipeline =
      launch("filesrc name=in ! decodebin ! audioconvert ! audioresample ! " + std::string(kRaw) +
             " ! appsink name=out sync=false");
  g_object_set(child(pipeline, "in").get(), "location", file.c_str(), nullptr);
  std::vector<std::int16_t> samples;
  drain(pipeline, [&](std::span<const std::uint8_t> bytes) {
    const std::size_t at = samples.size();
    samples.resize(at + bytes.size() / 2);
    std::memcpy(&samples[at], bytes.data(), bytes.size() / 2 * 2);
  });
  return samples;
}

// One frame for each 960 samples. 48 kbit/s: well above what the mixer sends, so that what is lost
// on the way is the mixer's loss and not ours.
std::vector<OpusFrame> encode(const std::vector<std::int16_t>& samples) {
  const ElementPtr pipeline = launch(
      "appsrc name=in format=time max-bytes=0 ! opusenc bitrate=48000 frame-size=20 "
      "inband-fec=true complexity=5 ! appsink name=out sync=false");
  const ElementPtr in = child(pipeline, "in");
  const CapsPtr caps(gst_caps_from_string(kRaw));
  gst_app_src_set_caps(GST_APP_SRC(in.get()), caps.get());
  GstBuffer* buffer = gst_buffer_new_memdup(samples.data(), samples.size() * 2);
  GST_BUFFER_PTS(buffer) = 0;
  gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
  gst_app_src_push_buffer(GST_APP_SRC(in.get()), buffer);
  gst_app_src_end_of_stream(GST_APP_SRC(in.get()));
  std::vector<OpusFrame> frames;
  drain(pipeline, [&](std::span<const std::uint8_t> bytes) {
    frames.push_back({{bytes.begin(), bytes.end()}, 127});
  });
  frames.resize(samples.size() / kFrame_samples);  // less what the encoder's look-ahead added
  for (std::size_t i = 0; i < frames.size(); ++i) {
    media::Frame frame;
    std::copy_n(samples.begin() + static_cast<std::ptrdiff_t>(i * kFrame_samples), kFrame_samples,
                frame.begin());
    frames[i].level_dbov = media::frame_level_dbov(frame);
  }
  return frames;
}

}  // namespace

Voice::Voice()
    : frames_(encode(std::vector<std::int16_t>(kFrame_samples))), every_(kSilenceEvery) {}

Voice::Voice(const std::string& file, bool loop) : loop_(loop) {
  auto samples = decode(file);
  if (samples.empty()) throw std::runtime_error(file + " holds no sound");
  samples.resize((samples.size() + kFrame_samples - 1) / kFrame_samples * kFrame_samples);
  const std::size_t round = samples.size() / kFrame_samples;
  // A loop is encoded twice and the second round kept: its first frame was made by an encoder that
  // had just heard the end, as the decoder has, and the seam is none.
  if (loop) {
    samples.resize(2 * samples.size());
    std::copy_n(samples.begin(), round * kFrame_samples,
                samples.begin() + static_cast<std::ptrdiff_t>(round * kFrame_samples));
  }
  frames_ = encode(samples);
  if (loop) frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(round));
}

const OpusFrame* Voice::frame(std::uint64_t tick) const {
  if (tick % every_ != 0) return nullptr;
  if (!loop_ && tick >= frames_.size()) return nullptr;
  return &frames_[tick % frames_.size()];
}

}  // namespace call
