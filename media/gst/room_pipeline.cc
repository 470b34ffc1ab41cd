#include "media/gst/room_pipeline.h"

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "media/gst/leg_sink.h"
#include "media/gst/leg_src.h"

namespace media::gst {
namespace {

// A leg's elements carry its id in their names, so that a message tells whose it is.
constexpr const char* kSrcName = "leg-src-";
constexpr const char* kSinkName = "leg-sink-";

std::optional<LegId> leg_of(const std::string& element) {
  for (const std::string prefix : {kSrcName, kSinkName}) {
    if (element.starts_with(prefix)) {
      return LegId{std::strtoull(element.c_str() + prefix.size(), nullptr, 10)};
    }
  }
  return std::nullopt;
}

PadPtr request(GstElement* conference, const char* kind, guint index) {
  const auto name = kind + std::to_string(index);
  return PadPtr::adopt(gst_element_request_pad_simple(conference, name.c_str()));
}

bool link_pads(GstPad* src, GstPad* sink) {
  return src && sink && gst_pad_link(src, sink) == GST_PAD_LINK_OK;
}

}  // namespace

RoomPipeline::RoomPipeline(TickPool& pool, ConferenceHooks hooks, OnError on_error)
    : on_error_(std::move(on_error)), pipeline_(ElementPtr::sink(gst_pipeline_new(nullptr))) {
  conference_ = GST_ELEMENT(g_object_new(MEDIA_TYPE_OPUS_CONFERENCE, nullptr));
  conference_configure(conference_, &pool, std::move(hooks));
  gst_bin_add(GST_BIN(pipeline_.get()), conference_);
  // The elements offer none; without this the pipeline would look for one with each leg.
  const auto clock = ObjectPtr<GstClock>::adopt(gst_system_clock_obtain());
  gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock.get());
  const auto bus = ObjectPtr<GstBus>::adopt(gst_pipeline_get_bus(GST_PIPELINE(pipeline_.get())));
  gst_bus_set_sync_handler(bus.get(), &RoomPipeline::on_message, this, nullptr);
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    throw std::runtime_error("the room's pipeline does not start");
  }
}

RoomPipeline::~RoomPipeline() {
  control_thread.assert_here();
  while (!legs_.empty()) detach(legs_.begin()->first);
  // 1. NULL stops the ticks: nothing posts to the bus any more;
  // 2. the handler goes before this object does.
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  const auto bus = ObjectPtr<GstBus>::adopt(gst_pipeline_get_bus(GST_PIPELINE(pipeline_.get())));
  gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
}

void RoomPipeline::attach(const ConferenceLeg& spec, ElementPtr leg_src, IoThread& io) {
  Leg leg;
  leg.index = free_index();
  leg.leg_src = std::move(leg_src);
  leg.leg_sink = make_leg_sink(io, spec.leg, LegSinkWake::by_flush);
  const auto id = std::to_string(spec.leg.value);
  gst_object_set_name(GST_OBJECT(leg.leg_src.get()), (kSrcName + id).c_str());
  gst_object_set_name(GST_OBJECT(leg.leg_sink.get()), (kSinkName + id).c_str());
  leg_src_set_payload_type(leg.leg_src.get(), spec.rtp.opus_payload_type);
  gst_bin_add_many(GST_BIN(pipeline_.get()), leg.leg_src.get(), leg.leg_sink.get(), nullptr);
  conference_set_leg(conference_, leg.index, spec);
  if (!link(leg)) {
    release(leg);
    throw std::runtime_error("the leg's elements do not link");
  }
  legs_.emplace(spec.leg, std::move(leg));
}

bool RoomPipeline::link(Leg& leg) {
  leg.sink_pad = request(conference_, "sink_", leg.index);
  leg.src_pad = request(conference_, "src_", leg.index);
  const auto from = PadPtr::adopt(gst_element_get_static_pad(leg.leg_src.get(), "src"));
  const auto to = PadPtr::adopt(gst_element_get_static_pad(leg.leg_sink.get(), "sink"));
  return link_pads(leg.src_pad.get(), to.get()) && link_pads(from.get(), leg.sink_pad.get()) &&
         gst_element_sync_state_with_parent(leg.leg_sink.get()) &&
         gst_element_sync_state_with_parent(leg.leg_src.get());
}

void RoomPipeline::detach(LegId id) {
  auto node = legs_.extract(id);
  if (!node.empty()) release(node.mapped());
}

// 1. leg_src goes to NULL: the I/O thread's further pushes are refused, one may be in the
//    conference's chain or event function;
// 2. releasing sink_%u waits for that one (the pad's stream lock); after releasing src_%u further
//    ticks have nothing for the leg. One under way may, and hands it to the leg's I/O thread, past
//    leg_sink: there it is dropped when the leg has been closed (io_thread.h);
// 3. so nobody is inside the leg's elements when they leave the pipeline.
void RoomPipeline::release(Leg& leg) {
  gst_element_set_state(leg.leg_src.get(), GST_STATE_NULL);
  if (leg.sink_pad) gst_element_release_request_pad(conference_, leg.sink_pad.get());
  if (leg.src_pad) gst_element_release_request_pad(conference_, leg.src_pad.get());
  gst_element_set_state(leg.leg_sink.get(), GST_STATE_NULL);
  gst_bin_remove_many(GST_BIN(pipeline_.get()), leg.leg_src.get(), leg.leg_sink.get(), nullptr);
  free_indices_.push_back(leg.index);
}

void RoomPipeline::set_plan(MixPlan plan) { conference_set_plan(conference_, std::move(plan)); }

std::pair<PadPtr, std::shared_ptr<PlaySource>> RoomPipeline::add_play() {
  auto pad = PadPtr::adopt(gst_element_request_pad_simple(conference_, "play_%u"));
  auto source = conference_play_source(conference_, pad.get());
  return {std::move(pad), std::move(source)};
}

void RoomPipeline::remove_play(PadPtr pad) {
  gst_element_release_request_pad(conference_, pad.get());
}

guint RoomPipeline::free_index() {
  if (free_indices_.empty()) return next_index_++;
  const guint index = free_indices_.back();
  free_indices_.pop_back();
  return index;
}

// Nothing is left on the bus, so it needs no watch and no thread.
GstBusSyncReply RoomPipeline::on_message(GstBus*, GstMessage* message, gpointer self) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    const std::string name = GST_MESSAGE_SRC_NAME(message);
    static_cast<RoomPipeline*>(self)->on_error_(leg_of(name), name + ": " + error->message);
    g_error_free(error);
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

}  // namespace media::gst
