#include "tests/support/ejabberd.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/eventually.h"
#include "tests/support/net.h"

namespace support {
namespace {

// Debian's Erlang library folder with ejabberd in it; empty: not installed.
std::string erlang_libraries() {
  for (const auto& folder : {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
                             "/usr/lib/erlang/lib", "/usr/lib"}) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (entry.path().filename().string().starts_with("ejabberd-")) return folder;
    }
  }
  return {};
}

}  // namespace

std::string Ejabberd::missing() {
  if (!have_program("erl")) return "erl (erlang-base) is not installed";
  if (erlang_libraries().empty()) return "ejabberd is not installed";
  return {};
}

Ejabberd::Ejabberd(EjabberdSpec spec)
    : spec_(std::move(spec)), c2s_port_(free_tcp_port()), component_port_(free_tcp_port()) {
  std::string certificates;
  if (spec_.tls) {
    certificate_ = make_certificate(folder_.path(), "localhost");
    certificates = '"' + certificate_.pem.string() + "\", \"" + certificate_.key.string() + '"';
  }
  std::ofstream(folder_ / "ejabberd.yml")
      << "hosts:\n  - localhost\nloglevel: info\n"
      << "auth_method: internal\ncertfiles: [" << certificates << "]\n"
      << "listen:\n"
      << "  -\n    port: " << c2s_port_ << "\n    ip: \"127.0.0.1\"\n"
      << "    module: ejabberd_c2s\n    access: all\n    shaper: none\n"
      << (spec_.tls ? "    starttls_required: true\n" : "    starttls: false\n")
      << "  -\n    port: " << component_port_ << "\n    ip: \"127.0.0.1\"\n"
      << "    module: ejabberd_service\n    access: all\n    shaper: none\n"
      << "    hosts:\n      " << spec_.component << ":\n        password: \"" << spec_.secret
      << "\"\n"
      << "modules:\n  mod_disco: {}\n  mod_roster: {}\n  mod_ping: {}\n  mod_caps: {}\n"
      << "  mod_pubsub:\n    plugins: [flat, pep]\n";
  // Accounts are made inside the node: without distribution nobody could ask it to from outside.
  std::string expression = "ok";
  for (const auto& [jid, password] : spec_.accounts) {
    expression += ", ejabberd_auth:try_register(<<\"" + jid.substr(0, jid.find('@')) +
                  "\">>, <<\"localhost\">>, <<\"" + password + "\">>)";
  }
  expression += ", io:format(\"accounts made~n\").";
  process_ = std::make_unique<Process>(Process::Spec{
      .argv = {"erl", "-noinput", "-mnesia", "dir", "\"" + (folder_ / "spool").string() + "\"",
               "-s", "ejabberd", "-eval", expression},
      .env = {{"EJABBERD_CONFIG_PATH", (folder_ / "ejabberd.yml").string()},
              {"EJABBERD_LOG_PATH", (folder_ / "ejabberd.log").string()},
              {"ERL_LIBS", erlang_libraries()},
              {"ERL_CRASH_DUMP_BYTES", "0"},
              {"HOME", folder_.path().string()}},
      .cwd = folder_.path(),
      .output = folder_ / "ejabberd.out"});
  const bool up = process_->wait_for_output("accounts made", std::chrono::seconds(60)) &&
                  eventually([&] { return listening(c2s_port_) && listening(component_port_); });
  if (!up) throw std::runtime_error("ejabberd did not start:\n" + process_->output() + log());
}

std::string Ejabberd::log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "ejabberd.log").rdbuf();
  return text.str();
}

}  // namespace support
