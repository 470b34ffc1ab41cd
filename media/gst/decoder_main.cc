#include "media/gst/decoder_main.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "media/audio_frame.h"
#include "media/cut_file.h"
#include "media/gst/child_sandbox.h"
#include "media/gst/decoder_messages.h"
#include "media/gst/fetched_body.h"
#include "media/gst/gst_ptr.h"
#include "media/gst/piece_loudness.h"
#include "media/gst/piece_tags.h"
#include "media/limits.h"

namespace media::gst {
namespace {

using Kind = DecoderKind;

// The plugins that read files with sound in them. All others are forgotten before anything is read:
// none of these opens a file, a device or a connection.
constexpr std::string_view kPlugins[] = {
    "staticelements", "coreelements", "typefindfunctions", "playback", "app", "audioconvert",
    "audioresample",
    // what sound is wrapped in
    "ogg", "matroska", "isomp4", "avi", "flv", "wavparse", "aiff", "auparse", "id3demux", "apetag",
    "icydemux", "mpegtsdemux", "mpegpsdemux", "asf", "audioparsers", "opusparse", "subparse",
    // what sound is
    "vorbis", "opus", "flac", "mpg123", "speex", "wavpack", "musepack", "alaw", "mulaw", "adpcmdec",
    "faad", "fdkaac", "libav", "a52dec", "dtsdec", "gsm", "amrnb", "amrwbdec"};

// How long a piece is measured before it is heard; what is longer is known well enough by then.
constexpr auto kMeasureFor = std::chrono::seconds(2);
// So much, and a hundredth of it, may be missing at the end of a piece that is whole.
constexpr std::int64_t kEarly_ms = 2000;
constexpr int kTries = 5;  // the first misses one in a hundred where the machine is busy
constexpr GstClockTime kWait = 50 * GST_MSECOND;  // for sound, between looks at seeks and the bus

void say(Kind kind, const void* data = nullptr, std::size_t bytes = 0) {
  say_to_parent(static_cast<std::uint32_t>(kind), data, bytes);
}

[[noreturn]] void fail(std::string_view text) {
  say(Kind::error, text.data(), text.size());
  _exit(1);
}

// Loads what may be needed, for nothing can be loaded later, and forgets the rest.
void keep_plugins() {
  GstRegistry* const registry = gst_registry_get();
  GList* const plugins = gst_registry_get_plugin_list(registry);
  for (GList* at = plugins; at; at = at->next) {
    auto* const plugin = static_cast<GstPlugin*>(at->data);
    const bool keep = std::ranges::find(kPlugins, std::string_view(gst_plugin_get_name(plugin))) !=
                      std::end(kPlugins);
    if (GstPlugin* const loaded = keep ? gst_plugin_load(plugin) : nullptr) {
      gst_object_unref(loaded);
    } else {
      gst_registry_remove_plugin(registry, plugin);
    }
  }
  gst_plugin_list_free(plugins);
  // Pictures stay as they are: nobody sees them.
  GList* const features = gst_registry_get_feature_list(registry, GST_TYPE_ELEMENT_FACTORY);
  for (GList* at = features; at; at = at->next) {
    const gchar* const kind =
        gst_element_factory_get_metadata(GST_ELEMENT_FACTORY(at->data), GST_ELEMENT_METADATA_KLASS);
    const std::string_view klass = kind ? kind : "";
    const bool seen = klass.find("Video") != klass.npos || klass.find("Subtitle") != klass.npos ||
                      klass.find("Image") != klass.npos;
    if (seen && klass.find("Demux") == klass.npos) {
      gst_registry_remove_feature(registry, GST_PLUGIN_FEATURE(at->data));
    }
  }
  gst_plugin_feature_list_free(features);
}

std::string clock_time(std::int64_t ms) {
  const std::int64_t seconds = ms / 1000 % 60;
  return std::to_string(ms / 60000) + (seconds < 10 ? ":0" : ":") + std::to_string(seconds);
}

class Decoder {
 public:
  explicit Decoder(double target_lufs) : loudness_(target_lufs) {}

  [[noreturn]] void run() {
    look_at_input();
    begin();
    const bool seekable = wait_for_sound() && !stream_;
    if (seekable && !fetched_) {
      measure();
      seek(0);
    } else {
      loudness_.follow(tags_.gain_db(loudness_.target_lufs()));
    }
    const DecoderStarted started{
        .duration_ms = duration_ms(), .seekable = seekable, .has_video = has_video_};
    std::vector<char> message(sizeof started);
    std::memcpy(message.data(), &started, sizeof started);
    said_tags_ = tags_.lines();
    message.insert(message.end(), said_tags_.begin(), said_tags_.end());
    say(Kind::started, message.data(), message.size());
    for (;;) {
      play();
      if (breaks_off()) fail("It breaks off after " + clock_time(played_to_ms_) + ".");
      say(Kind::finished);
      wait_for_seek();
    }
  }

 private:
  void look_at_input() {
    size_ = lseek(kChildInput_fd, 0, SEEK_END);
    if (size_ < 0) size_ = fetched_.emplace(kChildInput_fd).size();
    // It is read from wherever the demuxer wants to; only so it can seek to the sample, and at
    // once. AU's says that it can, and there is nothing then.
    std::array<char, 4> magic{};
    stream_ = size_ < 0 || (read_at(0, magic) == 4 && std::memcmp(magic.data(), ".snd", 4) == 0);
    // Now: at its end, whoever it is fetched from may be gone.
    cut_ = size_ > 0 &&
           is_cut(static_cast<std::uint64_t>(size_),
                  [this](std::uint64_t at, std::span<char> bytes) { return read_at(at, bytes); });
  }

  void begin() {
    const std::string kind = stream_ ? "stream" : "random-access size=" + std::to_string(size_);
    GError* error = nullptr;
    pipeline_ = ElementPtr::sink(
        gst_parse_launch(("appsrc name=source format=bytes stream-type=" + kind +
                          " ! decodebin name=decode  audioconvert name=convert ! audioresample ! "
                          "appsink name=sound sync=false max-buffers=8 "
                          "caps=audio/x-raw,format=F32LE,channels=2,rate=48000,layout=interleaved")
                             .c_str(),
                         &error));
    if (error) fail("The decoder lacks what it needs.");
    const auto part = [this](const char* name) {
      return ElementPtr::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
    };
    decode_ = part("decode");
    convert_ = part("convert");
    sound_ = part("sound");
    const auto in = part("source");
    g_signal_connect(in.get(), "need-data", G_CALLBACK(&Decoder::on_need), this);
    g_signal_connect(in.get(), "seek-data", G_CALLBACK(&Decoder::on_place), this);
    g_signal_connect(decode_.get(), "pad-added", G_CALLBACK(&Decoder::on_pad), this);
    g_signal_connect(decode_.get(), "no-more-pads", G_CALLBACK(&Decoder::on_no_more), this);
    g_signal_connect(decode_.get(), "unknown-type", G_CALLBACK(&Decoder::on_unknown), this);
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }

  void begin_again() {
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    has_sound_ = has_none_ = missed_ = ended_ = false;
    hold_ = std::max(2 * hold_.load(), std::chrono::milliseconds(10));
    place_ = 0;
    begin();
  }

  // Streaming threads.
  static void on_need(GstElement* in, guint length, gpointer self) {
    auto* const decoder = static_cast<Decoder*>(self);
    if (!decoder->has_sound_) std::this_thread::sleep_for(decoder->hold_.load());
    GstBuffer* const buffer = decoder->next(length);
    if (buffer) {
      gst_app_src_push_buffer(GST_APP_SRC(in), buffer);
    } else {
      gst_app_src_end_of_stream(GST_APP_SRC(in));
    }
  }
  // nullptr: the end. A demuxer takes fewer than it wants for the end, too.
  GstBuffer* next(guint length) {
    if (fetched_ && fetched_->size() < 0) {
      const auto bytes = fetched_->next();
      if (bytes.empty()) return nullptr;
      GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, bytes.size(), nullptr);
      gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
      return buffer;
    }
    constexpr guint kMost = 32U << 20;  // a demuxer's index of hours
    GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, std::min(length, kMost), nullptr);
    GstMapInfo map;
    std::size_t got = 0;
    if (gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
      got = read_at(static_cast<std::uint64_t>(place_.load()),
                    std::span(reinterpret_cast<char*>(map.data), map.size));
      gst_buffer_unmap(buffer, &map);
    }
    if (got == 0) {
      gst_buffer_unref(buffer);
      return nullptr;
    }
    gst_buffer_set_size(buffer, static_cast<gssize>(got));
    place_ += static_cast<off_t>(got);
    return buffer;
  }
  std::size_t read_at(std::uint64_t at, std::span<char> bytes) {
    if (fetched_) return fetched_->read(at, bytes);
    std::size_t had = 0;
    while (had < bytes.size()) {
      const ssize_t got = pread(kChildInput_fd, bytes.data() + had, bytes.size() - had,
                                static_cast<off_t>(at + had));
      if (got <= 0) break;
      had += static_cast<std::size_t>(got);
    }
    return had;
  }
  static gboolean on_place(GstElement*, guint64 place, gpointer self) {
    static_cast<Decoder*>(self)->place_ = static_cast<off_t>(place);
    return TRUE;
  }
  static void on_pad(GstElement*, GstPad* pad, gpointer self) {
    auto* const decoder = static_cast<Decoder*>(self);
    const CapsPtr caps(gst_pad_query_caps(pad, nullptr));
    const gchar* const name = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
    if (!g_str_has_prefix(name, "audio/x-raw")) return;
    const auto sink = PadPtr::adopt(gst_element_get_static_pad(decoder->convert_.get(), "sink"));
    if (gst_pad_is_linked(sink.get())) return;  // another language
    if (gst_pad_link(pad, sink.get()) != GST_PAD_LINK_OK) return;
    decoder->has_sound_ = true;
    if (GstEvent* const over = gst_pad_get_sticky_event(pad, GST_EVENT_EOS, 0)) {
      decoder->missed_ = true;
      gst_event_unref(over);
    }
  }
  static void on_no_more(GstElement*, gpointer self) {
    auto* const decoder = static_cast<Decoder*>(self);
    if (!decoder->has_sound_) decoder->has_none_ = true;
  }
  static void on_unknown(GstElement*, GstPad* pad, GstCaps* caps, gpointer self) {
    auto* const decoder = static_cast<Decoder*>(self);
    const std::string_view name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
    if (name.starts_with("video/") || name.starts_with("image/")) {
      decoder->has_video_ = true;
      gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, &Decoder::on_picture, self, nullptr);
    }
    for (const std::string_view list :
         {"text/uri-list", "application/x-hls", "application/dash+xml", "application/sdp",
          "application/xspf+xml", "application/vnd.ms-sstr+xml", "application/smil",
          "text/plain"}) {
      if (name == list) decoder->is_list_ = true;
    }
  }

  static GstPadProbeReturn on_picture(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
    GstEvent* const segment = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
    if (segment) {
      const GstSegment* in = nullptr;
      gst_event_parse_segment(segment, &in);
      std::atomic<std::int64_t>& seen = static_cast<Decoder*>(self)->seen_to_ms_;
      seen = std::max(seen.load(), end_ms(*in, GST_PAD_PROBE_INFO_BUFFER(info)));
      gst_event_unref(segment);
    }
    return GST_PAD_PROBE_OK;
  }

  void look_at_bus() {
    const auto bus = ObjectPtr<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
    while (GstMessage* const message = gst_bus_pop(bus.get())) {
      if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_TAG) {
        tags_.add(message);
      } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        GError* error = nullptr;
        gst_message_parse_error(message, &error, nullptr);
        if (heard_ || !is_not_linked(message)) complain(*error);
        missed_ = true;
        g_error_free(error);
      }
      gst_message_unref(message);
    }
    if (has_none_) fail(is_list_ ? kList : kNoSound);
  }

  static bool is_not_linked(GstMessage* error) {
    const GstStructure* details = nullptr;
    gst_message_parse_error_details(error, &details);
    gint flow = GST_FLOW_OK;
    return details && gst_structure_get_int(details, "flow-return", &flow) &&
           flow == GST_FLOW_NOT_LINKED;
  }

  [[noreturn]] void complain(const GError& error) const {
    if (is_list_) fail(kList);
    const bool unknown =
        g_error_matches(&error, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND) ||
        g_error_matches(&error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND) ||
        g_error_matches(&error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
        g_error_matches(&error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE);
    if (unknown) fail(has_video_ ? kNoSound : "What kind of sound this is is not known here.");
    fail(kBroken);
  }

  // nullptr: none yet, or the end (ended_).
  GstSample* pull(GstClockTime wait) {
    GstAppSink* const sink = GST_APP_SINK(sound_.get());
    GstSample* const sample = gst_app_sink_try_pull_sample(sink, wait);
    look_at_bus();
    ended_ = !sample && gst_app_sink_is_eos(sink);
    return sample;
  }

  // Whether one can go to any place in it.
  bool wait_for_sound() {
    for (int tries = 1; !first_;) {
      first_ = pull(kWait);
      if (first_ || (!ended_ && !missed_)) continue;
      if (stream_ || tries++ == kTries) fail(missed_ ? kBroken : "There is no sound in it.");
      begin_again();
    }
    heard_ = true;
    GstQuery* const query = gst_query_new_seeking(GST_FORMAT_TIME);
    gboolean seekable = FALSE;
    if (gst_element_query(pipeline_.get(), query)) {
      gst_query_parse_seeking(query, nullptr, &seekable, nullptr, nullptr);
    }
    gst_query_unref(query);
    return seekable;
  }

  std::int64_t duration_ms() {
    gint64 duration = -1;
    const bool known =
        gst_element_query_duration(pipeline_.get(), GST_FORMAT_TIME, &duration) && duration > 0;
    return known ? duration / GST_MSECOND : -1;
  }

  template <class Use>
  void with_samples(GstSample* sample, Use use) {
    GstMapInfo map;
    GstBuffer* const buffer = gst_sample_get_buffer(sample);
    if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
      use(std::span(reinterpret_cast<const float*>(map.data), map.size / sizeof(float)));
      gst_buffer_unmap(buffer, &map);
    }
    gst_sample_unref(sample);
  }

  std::uint64_t measure() {
    std::uint64_t measured = 0;
    const auto until = std::chrono::steady_clock::now() + kMeasureFor;
    while (!ended_ && std::chrono::steady_clock::now() < until) {
      GstSample* const sample = first_ ? std::exchange(first_, nullptr) : pull(kWait);
      if (!sample) continue;
      with_samples(sample, [&](std::span<const float> sound) {
        loudness_.measure(sound);
        measured += sound.size();
      });
    }
    loudness_.settle();
    return measured;
  }

  void seek(std::int64_t to_ms) {
    if (first_) gst_sample_unref(std::exchange(first_, nullptr));
    ended_ = false;
    played_to_ms_ = 0;
    const auto flags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE);
    if (!gst_element_seek_simple(pipeline_.get(), GST_FORMAT_TIME, flags, to_ms * GST_MSECOND)) {
      ended_ = true;  // beyond the end
    }
  }

  void take_seeks() {
    pollfd waiting{.fd = kChildExtra_fd, .events = POLLIN, .revents = 0};
    std::int64_t to_ms = 0;
    while (poll(&waiting, 1, 0) > 0 && read(kChildExtra_fd, &to_ms, sizeof to_ms) == sizeof to_ms) {
      seek(to_ms);
      say(Kind::sought);
    }
  }

  // The player may still go back.
  void wait_for_seek() {
    pollfd waiting{.fd = kChildExtra_fd, .events = POLLIN, .revents = 0};
    while (poll(&waiting, 1, -1) < 0 && errno == EINTR) {
    }
    if ((waiting.revents & POLLIN) == 0) _exit(0);
    take_seeks();
  }

  void play() {
    std::vector<std::int16_t> sound;
    while (!ended_) {
      take_seeks();
      GstSample* const sample = first_ ? std::exchange(first_, nullptr) : pull(kWait);
      if (tags_.lines() != said_tags_) {
        said_tags_ = tags_.lines();
        say(Kind::tags, said_tags_.data(), said_tags_.size());
      }
      if (!sample) continue;
      played_to_ms_ = end_ms(*gst_sample_get_segment(sample), gst_sample_get_buffer(sample));
      with_samples(sample, [&](std::span<const float> samples) {
        while (!samples.empty()) {
          const auto part =
              samples.first(std::min<std::size_t>(samples.size(), 2 * kFrame_samples));
          loudness_.play(part, sound);
          say(Kind::sound, sound.data(), sound.size() * sizeof sound[0]);
          samples = samples.subspan(part.size());
        }
      });
    }
  }

  // 0: not known.
  static std::int64_t end_ms(const GstSegment& segment, const GstBuffer* buffer) {
    if (!GST_BUFFER_PTS_IS_VALID(buffer)) return 0;
    const auto begin =
        gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (begin == GST_CLOCK_TIME_NONE) return 0;
    const GstClockTime length =
        GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0;
    return static_cast<std::int64_t>((begin + length) / GST_MSECOND);
  }
  // What is over ended before it should: demuxers take what they cannot read for the end. Now the
  // length is known best, it may be estimated by what has been read. A film's sound may end before
  // its pictures do; some demuxers end with it, and some do not tell when those are seen.
  bool breaks_off() {
    const std::int64_t last_ms = std::max(played_to_ms_, seen_to_ms_.load());
    const std::int64_t length_ms = duration_ms();
    const bool early = played_to_ms_ > 0 && length_ms - last_ms > kEarly_ms + length_ms / 100;
    const bool all_read = size_ < 0 || place_.load() >= size_;
    const bool seen = all_read && seen_to_ms_ >= played_to_ms_ - kEarly_ms;
    return cut_ || (early && (seen || !has_video_));
  }

  static constexpr std::string_view kList = "A list of other things is not played.";
  static constexpr std::string_view kBroken = "It is broken, and cannot be decoded.";
  static constexpr std::string_view kNoSound = "There is no sound in it that is known here.";

  PieceLoudness loudness_;
  ElementPtr pipeline_, decode_, convert_, sound_;
  PieceTags tags_;
  GstSample* first_ = nullptr;
  std::string said_tags_;
  bool ended_ = false;
  std::int64_t played_to_ms_ = 0;            // since the last seek; 0: not known
  std::atomic<std::int64_t> seen_to_ms_{0};  // where the last picture ends, of a film
  std::optional<BodyReader> fetched_;        // else it is a file
  std::int64_t size_ = -1;                   // of it, in bytes; -1: not known
  bool stream_ = false;                      // one cannot go to another place in it
  bool cut_ = false;                         // it says of itself that it is longer
  std::atomic<off_t> place_{0};              // in it
  // A demuxer whose sound is as it is may give it before decodebin has made it wait for somebody
  // who takes it: then it stops for good, with an error that decodebin may keep. At the next try
  // it reads more slowly.
  std::atomic<bool> missed_{false};
  std::atomic<std::chrono::milliseconds> hold_{std::chrono::milliseconds(0)};
  bool heard_ = false;
  std::atomic<bool> has_sound_{false}, has_none_{false}, has_video_{false}, is_list_{false};
};

}  // namespace

std::optional<int> decoder_main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], kDecoderArgument) != 0) return std::nullopt;
  limit_resources();
  std::signal(SIGPIPE, SIG_IGN);  // a fetcher that is gone
  GError* error = nullptr;
  if (!gst_init_check(nullptr, nullptr, &error)) fail("GStreamer does not start.");
  keep_plugins();
  if (!enter_decoder_sandbox()) fail("The decoder cannot be locked in.");
  Decoder(std::strtod(argv[2], nullptr)).run();
}

}  // namespace media::gst
