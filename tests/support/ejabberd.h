// tests/support/ejabberd.h: a real ejabberd on loopback, with personal eventing, its own spool
// folder and ports, not distributed (so no epmd, and nothing beyond its listed listeners).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/certificate.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace support {

struct EjabberdSpec {
  struct Account {
    std::string jid, password;  // at localhost
  };
  std::vector<Account> accounts = {};
  std::string component = "mixer.localhost", secret = "secret";
  // STARTTLS with a self-signed certificate, required; else none offered.
  bool tls = false;
};

class Ejabberd {
 public:
  // Why tests with a real ejabberd cannot run here; empty when they can.
  static std::string missing();

  // Running and reachable when it returns; throws with its log otherwise.
  explicit Ejabberd(EjabberdSpec spec = {});

  std::uint16_t c2s_port() const { return c2s_port_; }
  std::uint16_t component_port() const { return component_port_; }
  // The certificate the host shows with `tls`.
  const Certificate& certificate() const { return certificate_; }
  std::string log() const;

 private:
  EjabberdSpec spec_;
  TempDir folder_;
  std::uint16_t c2s_port_, component_port_;
  Certificate certificate_;
  std::unique_ptr<Process> process_;
};

}  // namespace support

// First line of a test that needs ejabberd (GoogleTest).
#define REQUIRE_EJABBERD() \
  if (const auto why = ::support::Ejabberd::missing(); !why.empty()) GTEST_SKIP() << why
