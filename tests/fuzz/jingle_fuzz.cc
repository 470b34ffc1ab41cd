// Any bytes as a stanza: read, routed, and what is understood stays itself when written and read
// again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "signaling/external_services.h"
#include "signaling/iq_router.h"
#include "signaling/jingle_message.h"
#include "signaling/stanza.h"

namespace {

void require(bool law, const char* name, const std::string& text) {
  if (law) return;
  std::fprintf(stderr, "broken: %s\n%s\n", name, text.c_str());
  std::abort();
}

// The one thing that is read and never written (XEP-0176 §5.7).
void drop_remote_candidates(jingle::Payload& payload) {
  std::visit(
      [](auto& actual) {
        if constexpr (requires { actual.contents; }) {
          for (auto& content : actual.contents) {
            if (auto* ice = std::get_if<jingle::IceUdpTransport>(&content.transport)) {
              ice->remote_candidate = false;
            }
          }
        }
      },
      payload);
}

void check_request(jingle::Request request) {
  drop_remote_candidates(request.payload);
  const std::string text = jingle::write_jingle(request);
  const auto xml = jingle::Xml::parse(text);
  if (!xml && text.size() > 64 * 1024) return;  // explicit namespaces made it too long
  require(xml.has_value(), "what is written is well-formed", text);
  const auto again = jingle::parse_jingle(xml->root());
  require(again && *again == request, "parse(write(x)) == x", text);
}

void check_services(const jingle::ExternalServices& list) {
  for (const auto& service : list.services) {
    const std::string text = jingle::credentials_query(service);
    const auto xml = jingle::Xml::parse(text);
    require(xml.has_value(), "a query is well-formed", text);
    const auto again = jingle::ExternalServices::parse(xml->root());
    require(again && again->services.size() == 1 && again->services[0].host == service.host &&
                again->services[0].port == service.port,
            "a query names its service", text);
  }
}

void check(const jingle::Iq& iq) {
  if (const auto list = jingle::ExternalServices::parse(jingle::first_element(iq.xml.root()))) {
    check_services(*list);
  }
  if (iq.type != jingle::Iq::Type::get && iq.type != jingle::Iq::Type::set) {
    const auto error = jingle::StanzaError::parse(iq.xml.root());
    require(jingle::Xml::parse(error.xml()).has_value(), "an error is well-formed", error.xml());
    return;
  }
  const auto request = jingle::route(iq);
  if (!request) {
    const std::string text = request.error().xml();
    require(jingle::Xml::parse(text).has_value(), "an error is well-formed", text);
  } else if (const auto* known = std::get_if<jingle::Request>(&*request)) {
    check_request(*known);
  }
}

void check(const jingle::Message& message) {
  const auto event = jingle::jmi::parse(message);
  if (!event) return;
  const std::string text = "<message>" + jingle::jmi::write(*event) + "</message>";
  auto xml = jingle::Xml::parse(text);
  if (!xml && text.size() > 64 * 1024) return;
  require(xml.has_value(), "a message is well-formed", text);
  const auto stanza = jingle::read_stanza(std::move(*xml));
  require(stanza && jingle::jmi::parse(std::get<jingle::Message>(*stanza)) == event,
          "parse(write(x)) == x", text);
}

void check(const jingle::Presence& presence) {
  require(presence.from.empty() || jingle::Jid::parse(presence.from.str()) == presence.from,
          "a JID is its own normal form", presence.from.str());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto xml = jingle::Xml::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!xml) return 0;
  const std::string text = xml->str();
  if (const auto again = jingle::Xml::parse(text)) {
    require(*again == *xml, "an element is itself when read again", text);
    require(again->str() == text, "writing is canonical", text);
  } else {
    require(text.size() > 64 * 1024, "an element can be read again", text);
  }
  if (auto stanza = jingle::read_stanza(std::move(*xml))) {
    std::visit([](const auto& actual) { check(actual); }, *stanza);
  }
  return 0;
}
