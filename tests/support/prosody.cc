#include "tests/support/prosody.h"

#include <signal.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/eventually.h"
#include "tests/support/net.h"

namespace support {
namespace {

// Every domain is ASCII; Prosody's file store escapes all but letters, digits and '_'.
std::string store_name(const std::string& text) {
  std::ostringstream name;
  for (unsigned char c : text) {
    if (std::isalnum(c)) {
      name << c;
    } else {
      name << '%' << std::hex << static_cast<int>(c) << std::dec;
    }
  }
  return name.str();
}

std::string lua_list(const std::vector<std::string>& items) {
  std::string text = "{ ";
  for (const std::string& item : items) text += "\"" + item + "\"; ";
  return text + "}";
}

}  // namespace

std::string Prosody::missing() {
  if (!have_program("prosody")) return "prosody is not installed";
  if (!have_program("openssl")) return "openssl is not installed";
  return {};
}

Prosody::Prosody(ProsodySpec spec)
    : spec_(std::move(spec)), c2s_port_(free_tcp_port()), component_port_(free_tcp_port()) {
  if (spec_.websocket) http_port_ = free_tcp_port();
  if (spec_.tls) certificate_ = make_certificate(folder_.path(), spec_.hosts.at(0));
  write_config();
  write_accounts();
  start();
}

void Prosody::write_config() {
  std::vector<std::string> modules = {"roster",  "saslauth", "disco",     "ping",
                                      "carbons", "smacks",   "pep",       "private",
                                      "version", "vcard4",   "blocklist", "posix"};
  modules.insert(modules.end(), spec_.more_modules.begin(), spec_.more_modules.end());
  if (spec_.tls) modules.push_back("tls");
  if (spec_.rate_limits) modules.push_back("limits");
  if (spec_.websocket) modules.push_back("websocket");
  std::ofstream config(folder_ / "prosody.cfg.lua");
  config << "run_as_root = true\n"
         << "pidfile = \"" << (folder_ / "prosody.pid").string() << "\"\n"
         << "data_path = \"" << (folder_ / "data").string() << "\"\n"
         << "log = { debug = \"" << (folder_ / "prosody.log").string() << "\" }\n"
         << "modules_enabled = " << lua_list(modules) << "\n"
         << "modules_disabled = { \"s2s\"; \"offline\"; }\n"
         << "authentication = \"internal_plain\"\n"
         << "interfaces = { \"127.0.0.1\" }\n"
         << "c2s_ports = { " << c2s_port_ << " }\n"
         << "component_interfaces = { \"127.0.0.1\" }\n"
         << "component_ports = { " << component_port_ << " }\n"
         << "c2s_require_encryption = " << (spec_.tls ? "true" : "false") << "\n"
         << "allow_unencrypted_plain_auth = true\n"
         << "smacks_hibernation_time = 60\n";
  if (spec_.tls) {
    config << "ssl = { certificate = \"" << certificate_.pem.string() << "\"; key = \""
           << certificate_.key.string() << "\"; }\n";
  }
  if (spec_.websocket) {
    config << "http_ports = { " << http_port_ << " }\n"
           << "http_interfaces = { \"127.0.0.1\" }\n"
           << "https_ports = { }\n"
           << "http_default_host = \"" << spec_.hosts.at(0) << "\"\n"
           << "consider_websocket_secure = true\n";
  }
  if (spec_.rate_limits) {
    config << "limits = { c2s = { rate = \"10kb/s\" }; s2sin = { rate = \"30kb/s\" }; }\n";
  }
  if (spec_.max_stanza != 0) {
    config << "c2s_stanza_size_limit = " << spec_.max_stanza << "\n"
           << "component_stanza_size_limit = " << spec_.max_stanza << "\n";
  }
  config << spec_.extra << "\n";
  for (const std::string& host : spec_.hosts) {
    config << "VirtualHost \"" << host << "\"\n"
           << "  modules_disabled = " << lua_list(spec_.disabled_modules) << "\n";
  }
  for (const auto& [jid, secret] : spec_.components) {
    config << "Component \"" << jid << "\"\n  component_secret = \"" << secret << "\"\n";
  }
}

void Prosody::write_accounts() {
  for (const auto& [jid, password] : spec_.accounts) {
    const std::size_t at = jid.find('@');
    const auto accounts = folder_ / "data" / store_name(jid.substr(at + 1)) / "accounts";
    std::filesystem::create_directories(accounts);
    std::ofstream(accounts / (store_name(jid.substr(0, at)) + ".dat"))
        << "return { [\"password\"] = \"" << password << "\"; };\n";
  }
}

void Prosody::start() {
  process_ = std::make_unique<Process>(
      Process::Spec{.argv = {"prosody", "-F", "--config", (folder_ / "prosody.cfg.lua").string()},
                    .output = folder_ / "prosody.out"});
  const bool up = eventually([&] {
    return !process_->running() ||
           (listening(c2s_port_) && (spec_.components.empty() || listening(component_port_)) &&
            (http_port_ == 0 || listening(http_port_)));
  });
  if (!up || !process_->running()) {
    throw std::runtime_error("prosody did not start:\n" + process_->output() + log());
  }
}

void Prosody::stop() { process_->terminate(); }

void Prosody::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

std::string Prosody::websocket_url() const {
  if (http_port_ == 0) return {};
  return "ws://127.0.0.1:" + std::to_string(http_port_) + "/xmpp-websocket";
}

std::string Prosody::log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "prosody.log").rdbuf();
  return text.str();
}

}  // namespace support
