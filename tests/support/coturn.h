// tests/support/coturn.h: a real coturn: STUN and TURN over UDP, with its own folder and port, no
// TLS, no command line interface.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

  struct Spec {
    std::vector<std::string> listen = {"127.0.0.1", "::1"};
    std::string relay = "127.0.0.1";  // also to peers on loopback
    // Instead of the one user: whoever knows this makes credentials with a time limit.
    std::string secret = {};
  };
  // Answers STUN on 127.0.0.1 and ::1, as far as it listens there, when it returns; throws with its
  // log otherwise.
  explicit Coturn(Spec spec);
  Coturn() : Coturn(Spec()) {}

  // Time-limited credentials, as servers make them for XEP-0215 (coturn's use-auth-secret).
  struct Credentials {
    std::string username, password;
  };
  static Credentials time_limited(const std::string& secret, std::chrono::seconds lifetime);

  std::uint16_t port() const { return port_; }
  std::string log() const { return process_->output(); }
  void stop() { process_->terminate(); }
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
