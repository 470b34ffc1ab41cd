// tests/e2e/hostile_client.h: an account that sends what no client would, byte by byte, and reads
// what comes back.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "tests/support/prosody.h"
#include "tests/support/raw_client.h"
#include "tests/support/stun.h"

namespace e2e {

class HostileClient {
 public:
  HostileClient(const support::Prosody& prosody, const std::string& user);

  // False: the server has closed the stream.
  bool send(const std::string& xml) { return raw_.send(xml); }
  // The next stanza; empty: none in time.
  std::string next(std::chrono::milliseconds within = std::chrono::seconds(30));
  // An IQ set to `to`, which is not waited for; its id.
  std::string put(const std::string& to, const std::string& payload);
  // The same, and what its answer is: "result", or an error's conditions with their namespaces.
  std::string ask(const std::string& to, const std::string& payload);
  // Calls; what the mixer's session-accept says. nullopt: none came.
  std::optional<support::IceEnd::Other> call(const std::string& to, const std::string& sid,
                                             const support::IceEnd& end);
  // What ends a session.
  static std::string terminate(const std::string& sid);
  static std::string in_session(const std::string& sid, const std::string& action,
                                const std::string& children);
  // A session-initiate whose ICE and certificate are that end's, or nobody's.
  static std::string offer(const std::string& sid, const std::string& transport_children);
  static std::string transport(const support::IceEnd& end, const std::string& candidates);
  static std::string candidate(const std::string& ip, int port);

 private:
  support::RawClient raw_;
  int ids_ = 0;
};

}  // namespace e2e
