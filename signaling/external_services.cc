#include "signaling/external_services.h"

#include <algorithm>
#include <pugixml.hpp>

#include "signaling/attributes.h"
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

// Takes `digits` decimal digits from the front of `text`, and `end` behind them unless it is 0.
std::optional<int> take_number(std::string_view& text, std::size_t digits, char end) {
  if (text.size() < digits + (end ? 1 : 0)) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  if (end && text[digits] != end) return std::nullopt;
  text.remove_prefix(digits + (end ? 1 : 0));
  return value;
}

// XEP-0082 §3.2, and only UTC, as §2 of this one wants it.
std::optional<std::chrono::sys_seconds> parse_date_time(std::string_view text) {
  const auto year = take_number(text, 4, '-');
  const auto month = take_number(text, 2, '-');
  const auto day = take_number(text, 2, 'T');
  const auto hour = take_number(text, 2, ':');
  const auto minute = take_number(text, 2, ':');
  const auto second = take_number(text, 2, 0);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (text.starts_with('.')) {
    const auto end = text.find_first_not_of("0123456789", 1);
    if (end == 1 || end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end);
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  const bool utc = text == "Z" || text == "+00:00";
  if (!utc || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

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
