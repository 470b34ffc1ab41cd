#include "signaling/external_services.h"

#include <algorithm>
#include <pugixml.hpp>

#include "signaling/attributes.h"
#include "signaling/date_time.h"
#include "signaling/limits.h"
#include "signaling/namespaces.h"
#include "signaling/stanza.h"

namespace jingle {
namespace {

using Action = ExternalService::Action;

// "delete" is what an example and the schema say where the text says "remove".
constexpr Words<Action, 4> kActions{{{"add", Action::add},
                                     {"modify", Action::modify},
                                     {"remove", Action::remove},
                                     {"delete", Action::remove}}};

Result<ExternalService> parse_service(const pugi::xml_node& node) {
  AttributeReader in(node);
  ExternalService service;
  service.action = in.word("action", kActions, std::optional(Action::add));
  service.type = in.required("type");
  service.host = in.required("host");
  if (service.host.size() > limits::kMaxAddressBytes) in.fail("host", "too long");
  if (in.has("port")) service.port = static_cast<std::uint16_t>(in.number("port", 1, 65535));
  service.transport = in.optional("transport");
  service.username = in.optional("username");
  service.password = in.optional("password");
  if (std::max(service.username.size(), service.password.size()) > limits::kMaxServiceCredential) {
    in.fail("username", "or password too long");
  }
  if (in.has("restricted")) {
    const auto restricted = parse_bool(in.optional("restricted"));
    if (!restricted) in.fail("restricted", "not a boolean");
    service.restricted = restricted.value_or(false);
  }
  if (in.has("expires")) {
    service.expires = parse_date_time(in.optional("expires"));
    if (!service.expires) in.fail("expires", "not a date and time in UTC");
  }
  if (!in.ok()) return in.error();
  return service;
}

}  // namespace

Result<ExternalServices> ExternalServices::parse(const pugi::xml_node& element) {
  if (!is(element, ns::kExtDisco, "services") && !is(element, ns::kExtDisco, "credentials")) {
    return tl::unexpected(bad_request("no services"));
  }
  ExternalServices out;
  for (const auto& node : element.children()) {
    if (!is(node, ns::kExtDisco, "service")) continue;
    if (out.services.size() + out.faults.size() == limits::kMaxExternalServices) {
      return tl::unexpected(bad_request("too many services"));
    }
    auto service = parse_service(node);
    if (service) {
      out.services.push_back(std::move(*service));
    } else {
      out.faults.push_back(std::move(service.error().text));
    }
  }
  return out;
}

std::string services_query(std::string_view type) {
  return std::string("<services xmlns='") + ns::kExtDisco + "' type='" + escape(type) + "'/>";
}

std::string credentials_query(const ExternalService& service) {
  return std::string("<credentials xmlns='") + ns::kExtDisco + "'><service host='" +
         escape(service.host) + "' type='" + escape(service.type) + "'" +
         (service.port ? " port='" + std::to_string(*service.port) + "'" : "") + "/></credentials>";
}

}  // namespace jingle
