// Fuzz target: whatever somebody publishes (XEP-0060, XEP-0163) or asks of a room's nodes. The
// input is an element: a payload at each node, a request, a notification's content.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "signaling/limits.h"
#include "signaling/pep.h"
#include "signaling/pubsub.h"

namespace {

namespace pep = jingle::pep;
namespace pubsub = jingle::pubsub;

void require(bool law, const char* name, const std::string& text) {
  if (law) return;
  std::fprintf(stderr, "broken: %s\n%s\n", name, text.c_str());
  std::abort();
}

void check_payload(pep::Node node, const jingle::Xml& xml) {
  // The id of an image is its hash; whoever publishes it may say so.
  const std::string id = pep::avatar_id("");
  const auto payload = pep::parse(node, xml.root(), id);
  if (!payload) {
    const std::string text = payload.error().xml();
    require(jingle::Xml::parse(text).has_value(), "an error is well-formed", text);
    return;
  }
  require(node_of(*payload) == node, "a payload is its node's", xml.str());
  const std::string text = pep::write(*payload);
  const auto again = jingle::Xml::parse(text);
  require(again.has_value(), "what is written is well-formed", text);
  require(pep::parse(node, again->root(), id) == payload, "parse(write(x)) == x", text);
}

// pugixml tells a payload's namespace only where it has one.
bool has_namespaces(const pubsub::Request& request) {
  const auto* publish = std::get_if<pubsub::Publish>(&request);
  return !publish || !jingle::effective_ns(publish->item.payload.root()).empty();
}

void check_request(const jingle::Xml& xml) {
  const auto request = pubsub::parse(xml.root());
  if (!request) {
    const std::string text = request.error().xml();
    require(jingle::Xml::parse(text).has_value(), "an error is well-formed", text);
    return;
  }
  const std::string text = pubsub::write(*request);
  const auto again = jingle::Xml::parse(text);
  if (!again) {
    require(text.size() > jingle::limits::kMaxPayloadBytes, "what is written is well-formed", text);
    return;
  }
  if (!has_namespaces(*request)) return;
  const auto read = pubsub::parse(again->root());
  require(read && read->index() == request->index(), "a request stays one of its kind", text);
}

void check_event(const std::string& text) {
  auto xml = jingle::Xml::parse("<message xmlns='jabber:client'>" + text + "</message>");
  if (!xml) return;
  const auto event = pubsub::parse_event(
      {.type = "headline", .id = {}, .from = {}, .to = {}, .xml = std::move(*xml)});
  if (!event) return;
  require(event->items.size() <= jingle::limits::kMaxEventItems &&
              event->retracted.size() <= jingle::limits::kMaxEventItems,
          "a notification is bounded", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto xml = jingle::Xml::parse(text);
  if (!xml) return 0;
  for (std::size_t i = 0; i < pep::kNodes; ++i) check_payload(static_cast<pep::Node>(i), *xml);
  check_request(*xml);
  check_event(std::string(text));
  return 0;
}
