#include "media/gst/conference_element.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "media/gst/conference_pads.h"
#include "media/gst/conference_room.h"
#include "media/gst/leg_sink.h"
#include "media/gst/leg_src.h"

namespace media::gst {
namespace {

// What control knows: which pads there are, and whose. The lock makes control one thread at a time
// even where an application requests pads from a streaming thread; the tick never takes it.
struct Control {
  struct Entry {
    std::unique_ptr<ConferenceRoom::Leg> leg;
    ConferenceLeg spec;
    bool announced = false;
    GstPad* sink = nullptr;
    GstPad* src = nullptr;
  };
  struct Play {
    std::shared_ptr<PlaySource> source;
    GstPad* pad = nullptr;
  };

  Mutex mutex;
  std::map<guint, Entry> legs ABSL_GUARDED_BY(mutex);
  std::map<guint, Play> plays ABSL_GUARDED_BY(mutex);
  GstPad* mix ABSL_GUARDED_BY(mutex) = nullptr;
  ConferenceRoom room;  // edited under the lock
};

}  // namespace
}  // namespace media::gst

// GObject wants plain structs.
struct OpusConference {
  GstElement parent;
  media::gst::Control* control;
};
struct OpusConferenceClass {
  GstElementClass parent;
};

G_DEFINE_TYPE(OpusConference, opus_conference_object, GST_TYPE_ELEMENT)

namespace media::gst {
namespace {

constexpr char kRtpCaps[] = "application/x-rtp, media=audio, encoding-name=OPUS, clock-rate=48000";
constexpr char kRawCaps[] = "audio/x-raw, format=S16LE, rate=48000, channels=1, layout=interleaved";
constexpr char kPlayCaps[] =
    "audio/x-raw, format=S16LE, rate=48000, channels=[1, 2], layout=interleaved";

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS("application/x-rtp"));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src_%u", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS(kRtpCaps));
GstStaticPadTemplate play_template =
    GST_STATIC_PAD_TEMPLATE("play_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS(kPlayCaps));
GstStaticPadTemplate mix_template =
    GST_STATIC_PAD_TEMPLATE("mix", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS(kRawCaps));

enum Property { kEncodes = 1, kDecodes, kPushes, kTicks, kLegs, kEncodesSaved, kComplexity, kLate };

Control& control_of(gpointer element) {
  return *reinterpret_cast<OpusConference*>(element)->control;
}

// The default forwards one leg's caps, segment, EOS and flush to *every* source pad.
gboolean leg_event(GstPad* pad, GstObject* parent, GstEvent* event) {
  if (const auto step = told_loss(event)) {
    static_cast<ConferenceRoom::Leg*>(gst_pad_get_element_private(pad))->tell_loss(*step);
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    gint payload_type = -1;
    if (gst_structure_get_int(gst_caps_get_structure(caps, 0), "payload", &payload_type)) {
      Control& control = control_of(parent);
      MutexLock lock(control.mutex);
      for (auto& [index, entry] : control.legs) {
        // Nobody announced it (gst-launch): the caps know its payload type.
        if (entry.sink != pad || entry.announced) continue;
        entry.spec.rtp.opus_payload_type = static_cast<std::uint8_t>(payload_type & 0x7F);
        control.room.update(*entry.leg, entry.spec);
      }
    }
  }
  gst_event_unref(event);
  return TRUE;
}

// Packets for a leg_sink go there without the pad from then on, until the pad is released.
GstPadLinkReturn src_link(GstPad* pad, GstObject* parent, GstPad* peer) {
  Control& control = control_of(parent);
  auto* const leg = static_cast<ConferenceRoom::Leg*>(gst_pad_get_element_private(pad));
  MutexLock lock(control.mutex);
  control.room.attach(*leg, PadPtr::share(pad), leg_sink_route(peer));
  return GST_PAD_LINK_OK;
}

ConferenceLeg default_leg(guint index) {
  return {.leg = {index + 1}, .contributor_id = index + 1, .ssrc = index + 1, .rtp = {}};
}

Control::Entry& entry_of(Control& control, guint index)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(control.mutex) {
  const auto [found, fresh] = control.legs.try_emplace(index);
  if (fresh) found->second.spec = default_leg(index);
  return found->second;
}

void need_leg(Control& control, Control::Entry& entry)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(control.mutex) {
  if (entry.leg) return;
  entry.leg = std::make_unique<ConferenceRoom::Leg>(entry.spec);
  control.room.add(*entry.leg);
}

CapsPtr caps_of(const ConferenceLeg& leg) {
  CapsPtr caps(gst_caps_from_string(kRtpCaps));
  gst_caps_set_simple(caps.get(), "payload", G_TYPE_INT, int{leg.rtp.opus_payload_type}, "ssrc",
                      G_TYPE_UINT, leg.ssrc, nullptr);
  return caps;
}

// Every source pad opens its own stream: nothing is forwarded to it.
void open_stream(GstElement* element, GstPad* pad, GstCaps* caps) {
  if (GstEvent* const open = gst_pad_get_sticky_event(pad, GST_EVENT_STREAM_START, 0)) {
    gst_event_unref(open);
    return;
  }
  gchar* const id = g_strdup_printf("%s/%s", GST_ELEMENT_NAME(element), GST_PAD_NAME(pad));
  gst_pad_push_event(pad, gst_event_new_stream_start(id));
  g_free(id);
  gst_pad_push_event(pad, gst_event_new_caps(caps));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(pad, gst_event_new_segment(&segment));
}

// Active, with its functions, but in nobody's hands yet.
GstPad* make_pad(GstElement* element, GstPadTemplate* pad_template, const std::string& name,
                 gpointer owner) {
  GstPad* const pad = gst_pad_new_from_template(pad_template, name.c_str());
  gst_pad_set_element_private(pad, owner);
  if (GST_PAD_IS_SINK(pad)) {
    const bool play = name.starts_with("play");
    gst_pad_set_chain_function(pad, play ? play_chain : leg_chain);
    gst_pad_set_event_function(pad, play ? play_event : leg_event);
    gst_pad_set_query_function(pad, sink_query);
  } else {
    gst_pad_set_event_function(pad, src_event);
    gst_pad_set_query_function(pad, src_query);
    if (owner) gst_pad_set_link_function(pad, src_link);  // the mix is no leg's
  }
  gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element, pad);
  return pad;
}

template <class Map, class Taken>
guint index_for(const Map& map, const gchar* name, Taken taken) {
  const char* const underscore = name ? std::strrchr(name, '_') : nullptr;
  guint index = 0;
  if (underscore && std::sscanf(underscore + 1, "%u", &index) == 1) return index;
  for (auto found = map.find(index); found != map.end() && taken(found->second);
       found = map.find(++index)) {
  }
  return index;
}

GstPad* request_sink(GstElement* element, GstPadTemplate* pad_template, const gchar* name) {
  Control& control = control_of(element);
  guint index = 0;
  gpointer leg = nullptr;
  {
    MutexLock lock(control.mutex);
    index =
        index_for(control.legs, name, [](const Control::Entry& e) { return e.sink != nullptr; });
    Control::Entry& entry = entry_of(control, index);
    if (entry.sink) return nullptr;
    need_leg(control, entry);
    leg = entry.leg.get();
  }
  GstPad* const pad = make_pad(element, pad_template, "sink_" + std::to_string(index), leg);
  MutexLock lock(control.mutex);
  control.legs[index].sink = pad;
  return pad;
}

GstPad* request_src(GstElement* element, GstPadTemplate* pad_template, const gchar* name) {
  Control& control = control_of(element);
  guint index = 0;
  gpointer leg = nullptr;
  ConferenceLeg spec;
  {
    MutexLock lock(control.mutex);
    index = index_for(control.legs, name, [](const Control::Entry& e) { return e.src != nullptr; });
    Control::Entry& entry = entry_of(control, index);
    if (entry.src) return nullptr;
    need_leg(control, entry);
    leg = entry.leg.get();
    spec = entry.spec;
  }
  GstPad* const pad = make_pad(element, pad_template, "src_" + std::to_string(index), leg);
  open_stream(element, pad, caps_of(spec).get());
  MutexLock lock(control.mutex);
  Control::Entry& entry = control.legs[index];
  entry.src = pad;
  control.room.attach(*entry.leg, PadPtr::share(pad), {});
  return pad;
}

GstPad* request_play(GstElement* element, GstPadTemplate* pad_template, const gchar* name) {
  Control& control = control_of(element);
  guint index = 0;
  gpointer source = nullptr;
  {
    MutexLock lock(control.mutex);
    index = index_for(control.plays, name, [](const Control::Play&) { return true; });
    if (control.plays.contains(index)) return nullptr;
    Control::Play& play = control.plays[index];
    play.source = std::make_shared<PlaySource>();
    source = play.source.get();
    control.room.add(*play.source);
  }
  GstPad* const pad = make_pad(element, pad_template, "play_" + std::to_string(index), source);
  MutexLock lock(control.mutex);
  control.plays[index].pad = pad;
  return pad;
}

GstPad* request_mix(GstElement* element, GstPadTemplate* pad_template) {
  Control& control = control_of(element);
  {
    MutexLock lock(control.mutex);
    if (control.mix) return nullptr;
  }
  GstPad* const pad = make_pad(element, pad_template, "mix", nullptr);
  const CapsPtr caps(gst_caps_from_string(kRawCaps));
  open_stream(element, pad, caps.get());
  MutexLock lock(control.mutex);
  control.mix = pad;
  control.room.attach_mix(PadPtr::share(pad));
  return pad;
}

GstPad* request_new_pad(GstElement* element, GstPadTemplate* pad_template, const gchar* name,
                        const GstCaps*) {
  const std::string kind = GST_PAD_TEMPLATE_NAME_TEMPLATE(pad_template);
  if (kind == "sink_%u") return request_sink(element, pad_template, name);
  if (kind == "src_%u") return request_src(element, pad_template, name);
  if (kind == "play_%u") return request_play(element, pad_template, name);
  return request_mix(element, pad_template);
}

// Forgets the pad. Its functions have ended: it is inactive.
void forget(Control& control, GstPad* pad) {
  MutexLock lock(control.mutex);
  if (control.mix == pad) control.mix = nullptr;
  for (auto play = control.plays.begin(); play != control.plays.end(); ++play) {
    if (play->second.pad != pad) continue;
    control.room.remove(std::move(play->second.source));
    control.plays.erase(play);
    return;
  }
  for (auto leg = control.legs.begin(); leg != control.legs.end(); ++leg) {
    Control::Entry& entry = leg->second;
    if (entry.sink != pad && entry.src != pad) continue;
    (entry.sink == pad ? entry.sink : entry.src) = nullptr;
    if (entry.sink || entry.src) return;
    control.room.remove(std::move(entry.leg));
    control.legs.erase(leg);
    return;
  }
}

void release_pad(GstElement* element, GstPad* pad) {
  Control& control = control_of(element);
  {
    MutexLock lock(control.mutex);
    if (control.mix == pad) control.room.attach_mix({});
    for (auto& [index, play] : control.plays) {
      if (play.pad == pad) play.source->interrupt(true);
    }
    for (auto& [index, entry] : control.legs) {
      if (entry.src == pad) control.room.attach(*entry.leg, {}, {});
    }
  }
  // Waits for a buffer or a serialized event that is under way, and for no other event.
  gst_pad_set_active(pad, FALSE);
  forget(control, pad);
  gst_element_remove_pad(element, pad);
}

void interrupt_plays(Control& control, bool on) {
  MutexLock lock(control.mutex);
  for (auto& [index, play] : control.plays) play.source->interrupt(on);
}

// Pads that have been through READY have forgotten their streams.
void reopen_streams(GstElement* element) {
  Control& control = control_of(element);
  MutexLock lock(control.mutex);
  for (auto& [index, entry] : control.legs) {
    if (entry.src) open_stream(element, entry.src, caps_of(entry.spec).get());
  }
  if (control.mix) open_stream(element, control.mix, CapsPtr(gst_caps_from_string(kRawCaps)).get());
}

void start(GstElement* element) {
  Control& control = control_of(element);
  auto clock = ObjectPtr<GstClock>::adopt(gst_element_get_clock(element));
  if (!clock) clock = ObjectPtr<GstClock>::adopt(gst_system_clock_obtain());
  MutexLock lock(control.mutex);
  control.room.start(clock.get(), gst_element_get_base_time(element));
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  Control& control = control_of(element);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) interrupt_plays(control, false);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) interrupt_plays(control, true);
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
    MutexLock lock(control.mutex);
    control.room.stop();
  }
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(opus_conference_object_parent_class)->change_state(element, transition);
  if (result == GST_STATE_CHANGE_FAILURE) return result;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) reopen_streams(element);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) start(element);
  // Live: there is nothing to show while paused.
  const bool live = transition == GST_STATE_CHANGE_READY_TO_PAUSED ||
                    transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
  return live ? GST_STATE_CHANGE_NO_PREROLL : result;
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const ConferenceRoom::Counters& counters = control_of(object).room.counters();
  switch (id) {
    case kEncodes: g_value_set_uint(value, counters.encodes); break;
    case kDecodes: g_value_set_uint(value, counters.decodes); break;
    case kPushes: g_value_set_uint(value, counters.pushes); break;
    case kLegs: g_value_set_uint(value, counters.legs); break;
    case kTicks: g_value_set_uint64(value, counters.ticks); break;
    case kEncodesSaved: g_value_set_uint(value, counters.encodes_saved); break;
    case kComplexity:
      g_value_set_uint(value, static_cast<guint>(control_of(object).room.load().complexity));
      break;
    case kLate: g_value_set_uint64(value, control_of(object).room.load().late); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete reinterpret_cast<OpusConference*>(object)->control;
  G_OBJECT_CLASS(opus_conference_object_parent_class)->finalize(object);
}

void install_properties(GObjectClass* object_class) {
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto install = [&](guint id, const char* name, const char* text) {
    g_object_class_install_property(object_class, id,
                                    g_param_spec_uint(name, name, text, 0, G_MAXUINT, 0, readable));
  };
  install(kEncodes, "encodes", "Opus encodes in the last tick");
  install(kEncodesSaved, "encodes-saved", "Less than one for each listener, in the last tick");
  install(kComplexity, "complexity", "Of the encodes, 0 to 10; lower when ticks are late");
  install(kDecodes, "decodes", "Opus packets decoded in the last tick");
  install(kPushes, "pushes", "RTP packets pushed in the last tick");
  install(kLegs, "legs", "Legs in the mixer, as of the last tick");
  const auto install_total = [&](guint id, const char* name, const char* text) {
    g_object_class_install_property(
        object_class, id, g_param_spec_uint64(name, name, text, 0, G_MAXUINT64, 0, readable));
  };
  install_total(kTicks, "ticks", "Ticks since PLAYING");
  install_total(kLate, "late", "Ticks that began late by half of one or more");
}

}  // namespace
}  // namespace media::gst

static void opus_conference_object_init(OpusConference* self) {
  self->control = new media::gst::Control;
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_REQUIRE_CLOCK);
}

static void opus_conference_object_class_init(OpusConferenceClass* klass) {
  auto* const object_class = G_OBJECT_CLASS(klass);
  object_class->get_property = media::gst::get_property;
  object_class->finalize = media::gst::finalize;
  media::gst::install_properties(object_class);
  auto* const element_class = GST_ELEMENT_CLASS(klass);
  element_class->request_new_pad = media::gst::request_new_pad;
  element_class->release_pad = media::gst::release_pad;
  element_class->change_state = media::gst::change_state;
  for (GstStaticPadTemplate* pad_template :
       {&media::gst::sink_template, &media::gst::src_template, &media::gst::play_template,
        &media::gst::mix_template}) {
    gst_element_class_add_static_pad_template(element_class, pad_template);
  }
  gst_element_class_set_static_metadata(element_class, "Opus conference", "Mixer/Audio/RTP",
                                        "Mixes Opus over RTP: each hears all others",
                                        "jingle-mixer");
}

namespace media::gst {

GType opus_conference_get_type() { return opus_conference_object_get_type(); }

void register_opus_conference() {
  gst_element_register(nullptr, "opusconference", GST_RANK_NONE, opus_conference_get_type());
}

void conference_configure(GstElement* conference, TickPool* pool, ConferenceHooks hooks) {
  MutexLock lock(control_of(conference).mutex);
  control_of(conference).room.configure(pool, std::move(hooks));
}

void conference_set_leg(GstElement* conference, guint index, const ConferenceLeg& leg) {
  Control& control = control_of(conference);
  MutexLock lock(control.mutex);
  Control::Entry& entry = entry_of(control, index);
  entry.spec = leg;
  entry.announced = true;
  if (entry.leg) control.room.update(*entry.leg, leg);
}

ConferenceLoad conference_load(GstElement* conference) {
  return control_of(conference).room.load();
}

void conference_set_plan(GstElement* conference, MixPlan plan) {
  MutexLock lock(control_of(conference).mutex);
  control_of(conference).room.set_plan(std::move(plan));
}

void conference_record(GstElement* conference, std::shared_ptr<RecordTap> tap) {
  MutexLock lock(control_of(conference).mutex);
  control_of(conference).room.record(std::move(tap));
}

std::shared_ptr<PlaySource> conference_play_source(GstElement* conference, GstPad* play_pad) {
  MutexLock lock(control_of(conference).mutex);
  for (const auto& [index, play] : control_of(conference).plays) {
    if (play.pad == play_pad) return play.source;
  }
  return nullptr;
}

}  // namespace media::gst
