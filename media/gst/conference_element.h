// media/gst/conference_element.h: `opusconference`, one room's mixer as a GstElement; one pipeline
// per room. Request pads: sink_%u/src_%u carry application/x-rtp Opus of leg %u; play_%u
// takes raw audio (48 kHz S16, mono or stereo) into the mix; mix gives the raw full mix, in mono.
// Every 20 ms of the pipeline clock the element ticks on a TickPool thread: freeze, sum, subtract,
// limit, encode, push. Sink pads copy into a ring per leg and never block. Properties (read-only):
// "encodes", "encodes-saved", "decodes", "pushes", "complexity" of the last tick; "ticks" since
// PLAYING, of these "late" ones (in all, like the other fields of conference_load()); "legs".
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "media/media_engine.h"
#include "media/mix_leg.h"
#include "media/mix_plan.h"

namespace media {
class PlaySource;
class RecordTap;
}  // namespace media

namespace media::gst {

class TickPool;

#define MEDIA_TYPE_OPUS_CONFERENCE (media::gst::opus_conference_get_type())
GType opus_conference_get_type();
// Makes "opusconference" known to gst_element_factory_make. Once per process, after gst_init.
void register_opus_conference();

// What the element must know of the leg behind sink_%u/src_%u before those pads are requested.
using ConferenceLeg = MixLegSpec;

// How the ticks of a room have fared. A value.
struct ConferenceLoad {
  std::uint64_t ticks = 0;
  std::uint64_t late = 0;     // of them, by half a tick or more
  std::uint64_t skipped = 0;  // left out besides: the machine stood still
  std::chrono::nanoseconds worst_late{};
  std::uint64_t encodes = 0;
  std::uint64_t encodes_saved = 0;  // less than one for everybody who was sent something
  int complexity = 0;               // of the encodes, now: 0 to 10
  std::uint64_t dropped = 0;        // packets of the legs: too many waited for a tick
};
// "ticks=… late=…" and so on, for the log.
std::string to_string(const ConferenceLoad& load);

struct ConferenceHooks {
  // Called on the tick thread after the last push of a tick; wakes the I/O threads. Takes no lock.
  std::function<void()> after_tick;
  // Called on the clock's thread, when the next tick is due, for events that come out of the media
  // itself (DigitPressed). Must not block.
  std::function<void(Event)> on_event{};
  // Called there when late ticks have changed the complexity of the encodes. Must not block.
  std::function<void(const ConferenceLoad&)> on_complexity{};
};

// Control thread. `pool` outlives the element; without one the element ticks on the clock's own
// thread.
void conference_configure(GstElement* conference, TickPool* pool, ConferenceHooks hooks);
// Control thread, before requesting the pads sink_`index`, src_`index`; later calls change the leg
// from the next tick on. A leg never announced gets defaults (payload type 111, leg id, contributor
// id and SSRC = index + 1), so that the element works from gst-launch. Forgotten when both pads are
// released.
void conference_set_leg(GstElement* conference, guint index, const ConferenceLeg& leg);
ConferenceLoad conference_load(GstElement* conference);  // any thread
// Control thread. Until the first plan every leg speaks and hears.
void conference_set_plan(GstElement* conference, MixPlan plan);
// Control thread. What the room's tick hands over for a recording goes there; empty: nowhere.
void conference_record(GstElement* conference, std::shared_ptr<RecordTap> tap);
// What is behind a pad play_%u: for those who play without a buffer for each piece of sound, and
// for pausing. Whoever writes to it is the pad's streaming thread; it is interrupted when the pad
// is released, and nobody reads it any more.
std::shared_ptr<PlaySource> conference_play_source(GstElement* conference, GstPad* play_pad);

}  // namespace media::gst
