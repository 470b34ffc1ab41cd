// tests/support/prosody.h: a real Prosody 0.12 on loopback, with its own data folder and ports.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/certificate.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace support {

struct ProsodySpec {
  struct Account {
    std::string jid, password;  // jid's domain must be one of `hosts`
  };
  struct Component {
    std::string jid, secret;
  };
  std::vector<std::string> hosts = {"localhost"};
  std::vector<Account> accounts = {};
  std::vector<Component> components = {{"mixer.localhost", "secret"}};
  // STARTTLS with a self-signed certificate, required; else none offered.
  bool tls = false;
  // Clients by WebSocket, too (RFC 7395), without TLS even with `tls`.
  bool websocket = false;
  // Debian's limits (c2s 10 kB/s); off for tests that move more than calls do.
  bool rate_limits = false;
  // Bytes; 0: Prosody's own (256 KiB from clients, 512 KiB on a component link).
  std::size_t max_stanza = 0;
  std::vector<std::string> disabled_modules = {};
  std::vector<std::string> more_modules = {};
  // Lua, at the end of the global section.
  std::string extra = {};
};

class Prosody {
 public:
  // Why tests with a real Prosody cannot run here; empty when they can.
  static std::string missing();

  // Running and reachable when it returns; throws with its log otherwise.
  explicit Prosody(ProsodySpec spec = {});

  std::uint16_t c2s_port() const { return c2s_port_; }
  std::uint16_t component_port() const { return component_port_; }
  // With `websocket`, and empty without.
  std::string websocket_url() const;
  // The certificate the host shows with `tls`.
  const Certificate& certificate() const { return certificate_; }
  std::string log() const;

  // Stops as an operator does (SIGTERM); data and ports stay. kill() is the crash.
  void stop();
  void kill();
  void start();
  void restart() { stop(), start(); }

 private:
  void write_config();
  void write_accounts();

  ProsodySpec spec_;
  TempDir folder_;
  std::uint16_t c2s_port_, component_port_;
  std::uint16_t http_port_ = 0;
  Certificate certificate_;
  std::unique_ptr<Process> process_;
};

}  // namespace support

// First line of a test that needs Prosody (GoogleTest).
#define REQUIRE_PROSODY() \
  if (const auto why = ::support::Prosody::missing(); !why.empty()) GTEST_SKIP() << why
