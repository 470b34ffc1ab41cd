// mixer/main.cc: the composition root: reads the command line and the configuration, builds engine,
// focus, agent and connection, runs them, takes them apart in order.
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <random>

#include "media/gst/child_main.h"
#include "media/gst/file_limit.h"
#include "media/gst/gst_engine.h"
#include "mixer/config.h"
#include "mixer/focus.h"
#include "mixer/focus_agent.h"
#include "mixer/ice_services.h"
#include "mixer/log.h"
#include "mixer/recording_folder.h"
#include "mixer/service.h"
#include "mixer/shell_limits.h"
#include "mixer/state_store.h"
#include "signaling/strophe_connection.h"

namespace mixer {
namespace {

std::uint64_t system_random() {
  static std::random_device device;  // getrandom(2) underneath
  return std::uniform_int_distribution<std::uint64_t>()(device);
}

std::chrono::sys_seconds calendar_time(TimePoint at) {
  using namespace std::chrono;
  return floor<seconds>(system_clock::now() + (at - steady_clock::now()));
}

media::gst::EngineConfig engine_config(const Config& from) {
  media::gst::EngineConfig config;
  config.addresses = from.media.addresses;
  config.port_min = from.media.port_min;
  config.port_max = from.media.port_max;
  config.external_address = from.media.external_address;
  config.deny_peers = from.media.deny_peers;
  config.fetch.hosts = from.play.hosts;
  config.fetch.ca_file = from.play.ca_file;
  config.voice_processing = from.room_defaults.voice != media::VoiceProcessing{};
  for (const auto& [name, room] : from.rooms) {
    config.voice_processing |= room.voice != media::VoiceProcessing{};
  }
  config.log = [](std::string_view line) { write_log(Log::Level::warning, line); };
  config.note = [](std::string_view line) { write_log(Log::Level::info, line); };
  return config;
}

jingle::StropheConfig strophe_config(const Config::Xmpp& xmpp) {
  using Strophe = jingle::StropheConfig;
  const bool component = xmpp.mode == Config::Xmpp::Mode::component;
  Strophe config;
  config.mode = component ? Strophe::Mode::component : Strophe::Mode::client;
  config.jid = component ? xmpp.jid : xmpp.jid.with_resource("focus");
  config.password = xmpp.password;
  config.host = xmpp.host;
  config.port = xmpp.port;
  switch (xmpp.tls) {
    case Config::Xmpp::Tls::verify: config.tls = Strophe::Tls::verify; break;
    case Config::Xmpp::Tls::trust_all: config.tls = Strophe::Tls::trust_all; break;
    case Config::Xmpp::Tls::off: config.tls = Strophe::Tls::off; break;
  }
  config.log = [](std::string_view line) { write_log(Log::Level::warning, line); };
  return config;
}

std::string server_name(const Config::Xmpp& xmpp) {
  const bool component = xmpp.mode == Config::Xmpp::Mode::component;
  const std::string host = !xmpp.host.empty() ? xmpp.host
                           : component        ? "127.0.0.1"
                                              : xmpp.jid.domain();
  return host + ":" + std::to_string(xmpp.port ? xmpp.port : component ? 5347 : 5222);
}

void log_start(const Config& config) {
  const bool component = config.xmpp.mode == Config::Xmpp::Mode::component;
  write_log(Log::Level::info, "service=starting " + field("version", MIXER_VERSION) + " " +
                                  field("mode", component ? "component" : "client") + " " +
                                  field("jid", config.xmpp.jid.str()) + " " +
                                  field("server", server_name(config.xmpp)));
  std::string addresses;
  for (const std::string& address : config.media.addresses) {
    addresses += (addresses.empty() ? "" : ",") + address;
  }
  const std::string ports =
      config.media.port_min == 0
          ? std::string("any; set media.port-range to have few")
          : std::to_string(config.media.port_min) + "-" + std::to_string(config.media.port_max);
  write_log(Log::Level::info,
            "firewall=\"allow UDP in\" " + field("ports", ports) + " " +
                field("addresses", addresses.empty() ? "all but loopback" : addresses));
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// Before the first thread, so that all inherit it: the signals come by the fd alone.
int take_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit to files ends a recording, and not all calls
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  return fd;
}

// Joining threads cannot be interrupted, so meanwhile a second signal, or an alarm if they hang,
// ends the process as it would any other.
void join_media(std::unique_ptr<media::MediaEngine>& engine) {
  const sigset_t set = stop_signals();
  alarm(limits::kJoinMediaSeconds);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  engine.reset();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  alarm(0);
}

// [state] directory, or the first of those systemd made; empty: none.
std::string state_directory(const Config& config) {
  if (!config.state.directory.empty()) return config.state.directory;
  const char* given = std::getenv("STATE_DIRECTORY");
  const std::string all = given ? given : "";
  return all.substr(0, all.find(':'));
}

// nullopt: another process has it. Whatever else is wrong with it, calls can do without.
std::optional<OpenedState> take_state(const Config& config) {
  const bool client = config.xmpp.mode == Config::Xmpp::Mode::client;
  const std::string directory = state_directory(config);
  // Who publishes nothing may have left something before.
  if (client && config.presence.publish.empty() && !has_state(directory)) return OpenedState{};
  if (directory.empty()) {
    const char* what =
        client ? "what is published outlives a crash" : "subscriptions to rooms are not kept";
    write_log(Log::Level::info,
              "state=memory " + field("text", std::string(what) + "; set state.directory"));
    return OpenedState{};
  }
  auto opened = open_state(directory);
  if (opened) {
    write_log(Log::Level::info,
              "state=open " + field("directory", directory) + " " +
                  field("subscriptions", std::to_string(opened->subscriptions.size())));
    return std::move(*opened);
  }
  const bool taken = opened.error().kind == StateError::Kind::in_use;
  write_log(Log::Level::error,
            std::string(taken ? "state=refused " : "state=memory ") +
                field("error", to_string(opened.error().kind)) + " " +
                field("text", opened.error().text +
                                  (taken ? "; another process has it" : "; nothing is kept")));
  if (taken) return std::nullopt;
  return OpenedState{};
}

int run(const Config& config) {
  set_log_level(config.log_level);
  media::gst::raise_file_limit();
  const int signal_fd = take_signals();
  log_start(config);
  const auto state = take_state(config);
  if (!state) return EX_TEMPFAIL;

  RecordingFolder recordings(config.record);
  const SteadyClock clock;
  MediaMailbox mailbox(limits::kMailboxDroppable, may_drop);
  auto engine = media::gst::make_gst_engine(
      engine_config(config), [&mailbox](media::Event event) { mailbox.push(std::move(event)); });
  engine->set_ice_servers(ice_servers(config.media));
  Focus focus(config, system_random, calendar_time, state->subscriptions, state->published,
              state->node_subscriptions);
  FocusAgent agent(
      {{[&focus](const Event& event, TimePoint now) { return focus.handle(event, now); },
        [&focus] { return focus.next_deadline(); }},
       engine.get(),
       &clock,
       system_random,
       server_name(config.xmpp),
       state->store.get()});
  const auto connection = jingle::make_strophe_connection(strophe_config(config.xmpp), agent);
  Service service({&clock, &agent, &mailbox, signal_fd, [&focus] { return focus.legs(); },
                   [&focus] { return focus.farewells() + focus.recordings(); },
                   [&engine] { join_media(engine); }});
  agent.start(connection.get());
  if (service.run() == Service::Result::interrupted) {
    write_log(Log::Level::warning, "service=interrupted");
    _exit(EX_TEMPFAIL);  // what is not taken apart yet may be what hangs
  }
  write_log(Log::Level::info, "service=stopped");
  close(signal_fd);
  return EX_OK;
}

// nullopt: the configuration has errors, and they have been printed.
std::optional<Config> read_config(const std::string& file) {
  ConfigResult result = load_config(file);
  for (const ConfigProblem& problem : result.problems) {
    std::cerr << to_string(problem, file) << "\n";
  }
  if (!result.ok()) return std::nullopt;
  return std::move(result.config);
}

int main(int argc, char** argv) {
  CLI::App app("A Jingle conference mixer: dial room@DOMAIN and hear everyone in it.",
               "jingle-mixer");
  std::string file;
  bool check = false;
  app.add_option("--config", file, "TOML file")->required()->type_name("FILE");
  app.add_flag("--check-config", check, "Read the configuration, report all its problems, end");
  app.set_version_flag("--version", "jingle-mixer " MIXER_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? EX_OK : EX_USAGE;
  }
  const auto config = read_config(file);
  if (!config) return EX_CONFIG;
  if (check) {
    std::cerr << file << ": ok\n";
    return EX_OK;
  }
  try {
    return run(*config);
  } catch (const std::exception& e) {
    write_log(Log::Level::error, "service=failed " + field("reason", e.what()));
    return EX_SOFTWARE;
  }
}

}  // namespace
}  // namespace mixer

int main(int argc, char** argv) {
  if (const auto child = media::gst::child_main(argc, argv)) return *child;
  return mixer::main(argc, argv);
}
