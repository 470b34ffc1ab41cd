#include "tools/call/voice.h"

#include <gst/gst.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "media/audio_frame.h"
#include "media/gst/gst_ptr.h"
#include "media/loudness.h"
#include "tools/call/wav.h"

namespace call {
namespace {

using media::gst::CapsPtr;
using media::gst::ElementPtr;
using media::gst::ObjectPtr;
using media::gst::PadPtr;

constexpr std::size_t kFrame_samples = media::kFrame_samples;
// A lost or late frame of silence is not missed; Opus' own DTX sends one in 20 (RFC 6716 §2.1.9).
constexpr std::uint64_t kSilenceEvery = 20;

std::string raw_caps(int rate_hz) {
  return "audio/x-raw,format=S16LE,channels=1,layout=interleaved,rate=" + std::to_string(rate_hz);
}

ElementPtr make(const std::string& description) {
  GError* error = nullptr;
  GstElement* element = gst_parse_launch(description.c_str(), &error);
  if (error != nullptr) {
    const std::string text = error->message;
    g_error_free(error);
    throw std::runtime_error(text);
  }
  return ElementPtr::sink(element);
}

using Buffers = std::vector<std::vector<std::uint8_t>>;

GstFlowReturn collect(GstPad* pad, GstObject*, GstBuffer* buffer) noexcept {
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READ) != FALSE) {
    static_cast<Buffers*>(gst_pad_get_element_private(pad))
        ->emplace_back(map.data, map.data + map.size);
    gst_buffer_unmap(buffer, &map);
  }
  gst_buffer_unref(buffer);
  return GST_FLOW_OK;
}

PadPtr pad_of(GstPadDirection direction, const std::string& caps_text) {
  const CapsPtr caps(gst_caps_from_string(caps_text.c_str()));
  const auto pad_template = ObjectPtr<GstPadTemplate>::sink(
      gst_pad_template_new("end", direction, GST_PAD_ALWAYS, caps.get()));
  return PadPtr::sink(gst_pad_new_from_template(pad_template.get(), "end"));
}

// What an element makes of the samples, all on this thread: no pipeline, no task.
Buffers run(const ElementPtr& element, const std::vector<std::int16_t>& samples, int rate_hz,
            const std::string& out_caps) {
  Buffers buffers;
  const PadPtr in = pad_of(GST_PAD_SRC, raw_caps(rate_hz));
  const PadPtr out = pad_of(GST_PAD_SINK, out_caps);
  gst_pad_set_element_private(out.get(), &buffers);
  gst_pad_set_chain_function(out.get(), collect);
  const auto sink = PadPtr::adopt(gst_element_get_static_pad(element.get(), "sink"));
  const auto src = PadPtr::adopt(gst_element_get_static_pad(element.get(), "src"));
  gst_pad_link(in.get(), sink.get());
  gst_pad_link(src.get(), out.get());
  gst_pad_set_active(out.get(), TRUE);
  gst_pad_set_active(in.get(), TRUE);
  gst_element_set_state(element.get(), GST_STATE_PLAYING);

  gst_pad_push_event(in.get(), gst_event_new_stream_start("voice"));
  const CapsPtr caps(gst_caps_from_string(raw_caps(rate_hz).c_str()));
  gst_pad_push_event(in.get(), gst_event_new_caps(caps.get()));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(in.get(), gst_event_new_segment(&segment));
  GstBuffer* buffer = gst_buffer_new_memdup(samples.data(), samples.size() * 2);
  GST_BUFFER_PTS(buffer) = 0;
  const GstFlowReturn flow = gst_pad_push(in.get(), buffer);
  gst_pad_push_event(in.get(), gst_event_new_eos());

  gst_element_set_state(element.get(), GST_STATE_NULL);
  gst_pad_set_active(in.get(), FALSE);
  gst_pad_set_active(out.get(), FALSE);
  gst_pad_unlink(in.get(), sink.get());
  gst_pad_unlink(src.get(), out.get());
  if (flow != GST_FLOW_OK) throw std::runtime_error(gst_flow_get_name(flow));
  return buffers;
}

// One frame for each 960 samples. 48 kbit/s: well above what the mixer sends, so that what is lost
// on the way is the mixer's loss and not ours.
std::vector<OpusFrame> encode(const std::vector<std::int16_t>& samples) {
  const auto encoder = make("opusenc bitrate=48000 frame-size=20 inband-fec=true complexity=5");
  std::vector<OpusFrame> frames;
  for (auto& bytes : run(encoder, samples, media::kSampleRate_hz, "audio/x-opus")) {
    frames.push_back({std::move(bytes), media::kSilence_dbov});
  }
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

Voice::Voice(const std::string& file, bool loop) : Voice(read_sound(file), loop) {}

Voice::Voice(std::vector<std::int16_t> samples, bool loop) : loop_(loop) {
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

std::vector<std::int16_t> read_sound(const std::string& file) {
  auto sound = read_wav(file);
  if (!sound) throw std::runtime_error(file + " is no WAV file of 16 bits");
  if (sound->samples.empty()) throw std::runtime_error(file + " holds no sound");
  if (sound->rate_hz == media::kSampleRate_hz) return std::move(sound->samples);
  std::vector<std::int16_t> samples;
  for (const auto& bytes : run(make("audioresample"), sound->samples, sound->rate_hz,
                               raw_caps(media::kSampleRate_hz))) {
    const std::size_t at = samples.size();
    samples.resize(at + bytes.size() / 2);
    std::memcpy(&samples[at], bytes.data(), bytes.size() / 2 * 2);
  }
  return samples;
}

}  // namespace call
