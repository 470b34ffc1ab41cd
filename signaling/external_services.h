// signaling/external_services.h: External Service Discovery (XEP-0215): the STUN and TURN servers
// that an XMPP server knows. Values and their codec; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signaling/stanza_error.h"

namespace jingle {

// One <service/> (§2).
struct ExternalService {
  enum class Action { add, modify, remove };  // of a push
  Action action = Action::add;
  std::string type, host;             // a name or an address, without brackets
  std::optional<std::uint16_t> port;  // never 0
  std::string transport;              // as it was spelled; empty: not said
  std::string username, password;
  bool restricted = false;                          // wants the two, given or yet to be asked for
  std::optional<std::chrono::sys_seconds> expires;  // of the two
  bool operator==(const ExternalService&) const = default;
};

// A list that was asked for, a push, or credentials: <services/> (§3.1, §3.2), <credentials/>
// (§3.3). One service that makes no sense does not spoil the others.
struct ExternalServices {
  std::vector<ExternalService> services;
  std::vector<std::string> faults;  // of each that was left out, for the log; without secrets
  bool operator==(const ExternalServices&) const = default;

  // bad-request: another element, or more than limits::kMaxExternalServices.
  static Result<ExternalServices> parse(const pugi::xml_node& element);
};

// The payloads of IQ gets: all services of a type (§3.2); one service's credentials (§3.3).
std::string services_query(std::string_view type);
std::string credentials_query(const ExternalService& service);

}  // namespace jingle
