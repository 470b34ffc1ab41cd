// tests/support/coturn.h: a real coturn on loopback: STUN and TURN over UDP, with its own folder
// and port, no TLS, no command line interface. Listens on 127.0.0.1 and ::1, relays on 127.0.0.1,
// also to peers on loopback.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace support {

class Coturn {
 public:
  // The one user (RFC 8489 §9.2, long-term credentials).
  static constexpr const char* kUser = "mixer";
  static constexpr const char* kPassword = "relay-secret";

  // Why tests with a real coturn cannot run here; empty when they can.
  static std::string missing();

  // Answers STUN on both addresses when it returns; throws with its log otherwise.
  Coturn();

  std::uint16_t port() const { return port_; }
  // "127.0.0.1:port", "[::1]:port".
  std::string v4() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string v6() const { return "[::1]:" + std::to_string(port_); }
  std::string log() const { return process_->output(); }
  // False when its log does not say so in time.
  bool wait_for_log(const std::string& text) { return process_->wait_for_output(text); }

 private:
  TempDir folder_;
  std::uint16_t port_;
  std::unique_ptr<Process> process_;
};

}  // namespace support

// First line of a test that needs coturn (GoogleTest).
#define REQUIRE_COTURN() \
  if (const auto why = ::support::Coturn::missing(); !why.empty()) GTEST_SKIP() << why
